import {
  type Container,
  type ContainerState,
  type ContainerStatus,
  type EnvVar,
  type Pod,
  type Probe,
  quantityToNumber,
} from '@wherry/api';
import type { Outline } from './outline.ts';
import { timeText } from './times.ts';

/** What values of `fieldRef` come from: the pod, where there is one. */
type Values = Pod | undefined;

/** @param isTemplate containers of a pod template are indented by one blank more */
export function describeContainers(
  outline: Outline,
  label: string,
  containers: readonly Container[] | undefined,
  statuses: readonly ContainerStatus[] | undefined,
  pod: Values,
  isTemplate: boolean,
): void {
  if (containers === undefined || containers.length === 0) return;
  outline.row(`${label}:`);
  for (const container of containers) {
    const status = statuses?.find(({ name }) => name === container.name);
    outline.inner(isTemplate ? ' ' : '  ').row(`${container.name}:`);
    describeContainer(outline.inner(isTemplate ? '  ' : '    '), container, status, pod);
  }
}

function describeContainer(
  outline: Outline,
  container: Container,
  status: ContainerStatus | undefined,
  pod: Values,
): void {
  if (status !== undefined) outline.field('Container ID', status.containerID ?? '');
  outline.field('Image', container.image ?? '');
  if (status !== undefined) outline.field('Image ID', status.imageID);
  const ports = (container.ports ?? []).map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`);
  const hostPorts = (container.ports ?? []).map(({ hostPort = 0, protocol = 'TCP' }) => `${hostPort}/${protocol}`);
  const s = ports.length > 1 ? 's' : '';
  outline.field(`Port${s}`, ports.join(', ') || '<none>').field(`Host Port${s}`, hostPorts.join(', ') || '<none>');
  describeWordsOf(outline, 'Command', container.command);
  describeWordsOf(outline, 'Args', container.args);
  if (status !== undefined) {
    describeState(outline, 'State', status.state);
    if (status.lastState?.terminated !== undefined) describeState(outline, 'Last State', status.lastState);
    outline.field('Ready', status.ready ? 'True' : 'False').field('Restart Count', status.restartCount);
  }
  describeAmounts(outline, 'Limits', container.resources?.limits);
  describeAmounts(outline, 'Requests', container.resources?.requests);
  outline
    .field('Liveness', probeText(container.livenessProbe))
    .field('Readiness', probeText(container.readinessProbe))
    .field('Startup', probeText(container.startupProbe));
  describeEnvironment(outline, container, pod);
  describeMounts(outline, container);
}

function describeWordsOf(outline: Outline, label: string, words: readonly string[] | undefined): void {
  if (words === undefined || words.length === 0) return;
  outline.block(label, (inner) => {
    for (const line of words.flatMap((word) => word.split('\n'))) inner.row(line);
  });
}

function describeState(outline: Outline, label: string, state: ContainerState | undefined): void {
  if (state?.running !== undefined) {
    outline.field(label, 'Running').inner().field('Started', timeText(state.running.startedAt));
  } else if (state?.terminated !== undefined) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = state.terminated;
    outline
      .field(label, 'Terminated')
      .inner()
      .field('Reason', reason)
      .field('Message', message)
      .field('Exit Code', exitCode)
      .field('Signal', signal)
      .field('Started', timeText(startedAt))
      .field('Finished', timeText(finishedAt));
  } else outline.field(label, 'Waiting').inner().field('Reason', state?.waiting?.reason);
}

function describeAmounts(outline: Outline, label: string, amounts: Readonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return;
  outline.block(label, (inner) => {
    for (const [name, amount] of entries) inner.field(name, amount);
  });
}

function probeText(probe: Probe | undefined): string | undefined {
  if (probe === undefined) return undefined;
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 1,
    periodSeconds = 10,
    successThreshold = 1,
    failureThreshold = 3,
  } = probe;
  const times = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
  return `${actionText(probe)} ${times}`;
}

function actionText({ httpGet, tcpSocket, exec, grpc }: Probe): string {
  if (exec !== undefined) return `exec [${(exec.command ?? []).join(' ')}]`;
  if (httpGet !== undefined) {
    return `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? ''}`;
  }
  if (tcpSocket !== undefined) return `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`;
  return `grpc <pod>:${grpc?.port} ${grpc?.service ?? ''}`;
}

function describeEnvironment(outline: Outline, container: Container, pod: Values): void {
  if ((container.envFrom ?? []).length > 0) {
    outline.block('Environment Variables from', (inner) => {
      for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
        const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap';
        const source = configMapRef ?? secretRef;
        const from = prefix === '' ? kind : `${kind} with prefix '${prefix}'`;
        inner.row(source?.name ?? '', from, `Optional: ${source?.optional === true}`);
      }
    });
  }
  if ((container.env ?? []).length === 0) {
    outline.field('Environment', '<none>');
    return;
  }
  outline.block('Environment', (inner) => {
    for (const variable of container.env ?? []) describeVariable(inner, variable, container, pod);
  });
}

function describeVariable(
  outline: Outline,
  { name, value = '', valueFrom }: EnvVar,
  container: Container,
  pod: Values,
): void {
  const label = `${name}:`;
  if (valueFrom === undefined) {
    const [first = '', ...more] = value.split('\n');
    outline.row(label, first);
    for (const line of more) outline.row('', line);
  } else if (valueFrom.fieldRef !== undefined) {
    const { apiVersion = 'v1', fieldPath } = valueFrom.fieldRef;
    outline.row(label, `${fieldValue(pod, fieldPath)} (${apiVersion}:${fieldPath})`);
  } else if (valueFrom.resourceFieldRef !== undefined) {
    const { resource } = valueFrom.resourceFieldRef;
    outline.row(label, `${resourceValue(container, resource)} (${resource})`);
  } else if (valueFrom.secretKeyRef !== undefined) {
    const { key, name: secret = '', optional = false } = valueFrom.secretKeyRef;
    outline.row(label, `<set to the key '${key}' in secret '${secret}'>`, `Optional: ${optional}`);
  } else if (valueFrom.configMapKeyRef !== undefined) {
    const { key, name: map = '', optional = false } = valueFrom.configMapKeyRef;
    outline.row(label, `<set to the key '${key}' of config map '${map}'>`, `Optional: ${optional}`);
  }
}

/** Only what belongs to the object itself is filled in: kubectl leaves the rest empty as well. */
function fieldValue(pod: Values, path: string): string {
  if (pod === undefined) return '';
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript !== null) return pod.metadata?.[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '';
  const metadata = {
    'metadata.name': pod.metadata?.name,
    'metadata.namespace': pod.metadata?.namespace,
    'metadata.uid': pod.metadata?.uid,
  };
  return metadata[path as keyof typeof metadata] ?? '';
}

function resourceValue({ resources }: Container, resource: string): string {
  const [list = '', ...name] = resource.split('.');
  const amounts = list === 'limits' ? resources?.limits : resources?.requests;
  const amount = amounts?.[name.join('.')];
  if (amount === undefined) return list === 'limits' ? 'node allocatable' : '0';
  // In whole units, as the container is told it.
  return String(Math.ceil(quantityToNumber(amount)));
}

function describeMounts(outline: Outline, { volumeMounts = [] }: Container): void {
  if (volumeMounts.length === 0) {
    outline.field('Mounts', '<none>');
    return;
  }
  outline.block('Mounts', (inner) => {
    for (const { mountPath, name, readOnly, subPath } of volumeMounts.toSorted((a, b) =>
      a.mountPath < b.mountPath ? -1 : 1,
    )) {
      const flags = `${readOnly === true ? 'ro' : 'rw'}${subPath === undefined ? '' : `,path="${subPath}"`}`;
      inner.row(`${mountPath} from ${name} (${flags})`);
    }
  });
}
