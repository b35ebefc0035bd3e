// Defaults of pods and of everything that holds a pod template.
import type {
  Container,
  EphemeralContainer,
  LifecycleHandler,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
} from '../generated/types.ts';
import { podRequests } from '../pods/requests.ts';
import { quantityOf, quantityOfMilli } from '../quantity/quantity.ts';
import type { Draft } from './draft.ts';
import { defaultPullPolicy } from './image.ts';
import { fillResources, roundResources } from './resource-list.ts';
import { defaultVolume } from './volumes.ts';

/** What a pod has beyond its spec's defaults; templates do not get these, so that they do not change under upgrades. */
export function defaultPod(pod: Draft<Pod>): void {
  const spec = pod.spec;
  if (spec === undefined) return;
  defaultPodSpec(spec);
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    if (container.resources?.limits !== undefined) {
      container.resources.requests ??= {};
      fillResources(container.resources.requests, container.resources.limits);
    }
    if (spec.hostNetwork === true) {
      for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
    }
  }
  if (spec.resources?.limits !== undefined) defaultPodLevelRequests(pod, spec);
  spec.enableServiceLinks ??= true;
}

/** Requests of the pod as a whole default to what its containers request, else to its limits (KEP-2837). */
function defaultPodLevelRequests(pod: Draft<Pod>, spec: Draft<PodSpec>): void {
  const { resources, overhead: _overhead, ...withoutTotals } = spec;
  if (resources?.limits === undefined) return;
  const requests = resources.requests ?? {};
  const ofContainers = podRequests({ ...pod, spec: withoutTotals });
  for (const name of ['cpu', 'memory']) {
    const amount = ofContainers[name];
    if (amount === undefined) continue;
    requests[name] ??= name === 'cpu' ? quantityOfMilli(amount) : quantityOf(amount, 'binarySI');
  }
  for (const name in resources.limits) {
    if (name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')) {
      requests[name] ??= resources.limits[name] ?? '0';
    }
  }
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

export function defaultTemplate(template: Draft<PodTemplateSpec> | undefined): void {
  if (template?.spec !== undefined) defaultPodSpec(template.spec);
}

export function defaultPodSpec(spec: Draft<PodSpec>): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  roundResources(spec.overhead);
  roundResources(spec.resources?.limits);
  roundResources(spec.resources?.requests);
}

export function defaultContainer(container: Draft<Container> | Draft<EphemeralContainer>): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image);
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1';
    if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
  }
  roundResources(container.resources?.limits);
  roundResources(container.resources?.requests);
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultProbe(probe: Draft<Probe> | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHandler(probe);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultHandler(handler: Draft<LifecycleHandler> | undefined): void {
  if (handler?.httpGet === undefined) return;
  handler.httpGet.path ||= '/';
  handler.httpGet.scheme ||= 'HTTP';
}
