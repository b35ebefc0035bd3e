import type {
  Container,
  ContainerState,
  ContainerStatus,
  EnvVar,
  Pod,
  PodSpec,
  Probe,
  Toleration,
  Volume,
} from '@wherry/api';
import { controllerOf } from '@wherry/api';
import { type Describer, describeConditions } from './describer.ts';
import type { Outline } from './outline.ts';

export const describePod: Describer<Pod> = (pod, outline) => {
  const { spec, status, metadata } = pod;
  const owner = controllerOf(metadata);
  outline
    .field('Priority', spec?.priority ?? 0)
    .field('Service Account', spec?.serviceAccountName)
    .field('Node', spec?.nodeName === undefined ? '<none>' : `${spec.nodeName}/${status?.hostIP ?? ''}`)
    .field('Start Time', status?.startTime)
    .field(
      'Status',
      metadata?.deletionTimestamp === undefined
        ? status?.phase
        : `Terminating (lasts ${metadata.deletionGracePeriodSeconds ?? 0}s)`,
    )
    .field('Reason', status?.reason)
    .field('Message', status?.message)
    .field('IP', status?.podIP ?? '')
    .list(
      'IPs',
      (status?.podIPs ?? []).map(({ ip }) => ip),
    )
    .field('Controlled By', owner === undefined ? undefined : `${owner.kind}/${owner.name}`);
  describeContainers(outline, 'Init Containers', spec?.initContainers, status?.initContainerStatuses);
  describeContainers(outline, 'Containers', spec?.containers, status?.containerStatuses);
  describeConditions(outline, status?.conditions);
  describePlacement(outline, spec);
  outline.field('QoS Class', status?.qosClass);
};

/** The part of a workload that its pods are made from. */
export function describeTemplate(
  outline: Outline,
  template:
    | { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }; readonly spec?: PodSpec }
    | undefined,
): void {
  outline.block('Pod Template', (inner) => {
    inner.map('Labels', template?.metadata?.labels);
    inner.field('Service Account', template?.spec?.serviceAccountName);
    describeContainers(inner, 'Init Containers', template?.spec?.initContainers, undefined);
    describeContainers(inner, 'Containers', template?.spec?.containers, undefined);
    describePlacement(inner, template?.spec);
  });
}

function describePlacement(outline: Outline, spec: PodSpec | undefined): void {
  const volumes = spec?.volumes ?? [];
  if (volumes.length > 0) {
    outline.block('Volumes', (inner) => {
      for (const volume of volumes) inner.field(volume.name, volumeText(volume));
    });
  } else outline.field('Volumes', '<none>');
  outline.map('Node-Selectors', spec?.nodeSelector).list('Tolerations', (spec?.tolerations ?? []).map(tolerationText));
}

function describeContainers(
  outline: Outline,
  label: string,
  containers: readonly Container[] | undefined,
  statuses: readonly ContainerStatus[] | undefined,
): void {
  if (containers === undefined || containers.length === 0) return;
  outline.block(label, (inner) => {
    for (const container of containers) {
      const status = statuses?.find(({ name }) => name === container.name);
      inner.block(container.name, (lines) => describeContainer(lines, container, status));
    }
  });
}

function describeContainer(outline: Outline, container: Container, status: ContainerStatus | undefined): void {
  outline
    .field('Container ID', status?.containerID)
    .field('Image', container.image)
    .field('Image ID', status?.imageID)
    .field(
      'Ports',
      container.ports
        ?.map(
          ({ containerPort, protocol = 'TCP', name }) =>
            `${containerPort}/${protocol}${name === undefined ? '' : ` (${name})`}`,
        )
        .join(', '),
    )
    .field('Command', container.command?.join(' '))
    .field('Args', container.args?.join(' '));
  if (status !== undefined) {
    describeState(outline, 'State', status.state);
    if (Object.keys(status.lastState ?? {}).length > 0) describeState(outline, 'Last State', status.lastState);
    outline.field('Ready', status.ready ? 'True' : 'False').field('Restart Count', status.restartCount);
  }
  outline
    .field('Limits', amounts(container.resources?.limits))
    .field('Requests', amounts(container.resources?.requests))
    .field('Liveness', probeText(container.livenessProbe))
    .field('Readiness', probeText(container.readinessProbe))
    .field('Startup', probeText(container.startupProbe))
    .list('Environment', (container.env ?? []).map(variableText))
    .list(
      'Mounts',
      (container.volumeMounts ?? []).map(
        ({ mountPath, name, readOnly }) => `${mountPath} from ${name} (${readOnly === true ? 'ro' : 'rw'})`,
      ),
    );
}

function describeState(outline: Outline, label: string, state: ContainerState | undefined): void {
  if (state?.running !== undefined) outline.field(label, `Running since ${state.running.startedAt ?? ''}`);
  else if (state?.terminated !== undefined) {
    const { reason, exitCode, signal, finishedAt, message } = state.terminated;
    outline.field(
      label,
      `Terminated (${reason ?? ''}), exit code ${exitCode}${signal ? `, signal ${signal}` : ''}, finished ${finishedAt ?? ''}${message ? `: ${message}` : ''}`,
    );
  } else
    outline.field(
      label,
      `Waiting (${state?.waiting?.reason ?? ''})${state?.waiting?.message ? `: ${state.waiting.message}` : ''}`,
    );
}

function amounts(list: Readonly<Record<string, string>> | undefined): string | undefined {
  const entries = Object.entries(list ?? {});
  return entries.length === 0 ? undefined : entries.map(([name, amount]) => `${name}: ${amount}`).join(', ');
}

function probeText(probe: Probe | undefined): string | undefined {
  if (probe === undefined) return undefined;
  const { httpGet, tcpSocket, exec, grpc } = probe;
  const action =
    httpGet !== undefined
      ? `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`
      : tcpSocket !== undefined
        ? `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`
        : exec !== undefined
          ? `exec ${JSON.stringify(exec.command ?? [])}`
          : `grpc <pod>:${grpc?.port} ${grpc?.service ?? ''}`.trim();
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 1,
    periodSeconds = 10,
    successThreshold = 1,
    failureThreshold = 3,
  } = probe;
  return `${action} delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
}

function variableText({ name, value, valueFrom }: EnvVar): string {
  if (valueFrom?.fieldRef !== undefined)
    return `${name}: (${valueFrom.fieldRef.apiVersion ?? 'v1'}:${valueFrom.fieldRef.fieldPath})`;
  if (valueFrom?.resourceFieldRef !== undefined) return `${name}: (${valueFrom.resourceFieldRef.resource})`;
  const reference = valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef;
  if (reference !== undefined) {
    const kind = valueFrom?.secretKeyRef === undefined ? 'config map' : 'secret';
    return `${name}: <set to the key '${reference.key}' in ${kind} '${reference.name ?? ''}'>`;
  }
  return `${name}: ${value ?? ''}`;
}

function volumeText({ name: _, ...source }: Volume): string {
  const [[kind, details] = ['', {}]] = Object.entries(source);
  const known = details as {
    readonly name?: string;
    readonly secretName?: string;
    readonly path?: string;
    readonly claimName?: string;
  };
  const what = known.name ?? known.secretName ?? known.path ?? known.claimName;
  return what === undefined ? kind : `${kind} ${what}`;
}

function tolerationText({ key = '', operator, value, effect, tolerationSeconds }: Toleration): string {
  const equals = value === undefined || value === '' ? '' : `=${value}`;
  const exists = operator === 'Exists' ? ' op=Exists' : '';
  const seconds = tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`;
  return `${key}${equals}${effect === undefined ? '' : `:${effect}`}${exists}${seconds}`;
}
