import type { Container, ContainerPort, EphemeralContainer, PodSpec } from '@wherry/api';
import { checkDnsLabel, checkName, checkOneOf, checkPortNumber, checkSupported } from '../../checks.ts';
import { duplicate, type Findings, forbidden, invalid, notFound, required } from '../../findings.ts';
import { portName } from '../../names.ts';
import { checkEnvironment, checkEnvironmentFrom } from './environment.ts';
import { checkVolumeDevices, checkVolumeMounts, type VolumesByName } from './mounts.ts';
import { checkLifecycle, checkProbes } from './probes.ts';
import { checkResizePolicy, checkResources } from './resources.ts';
import { checkRestartPolicy } from './restart.ts';
import { checkContainerSecurity } from './security.ts';
import { type AnyContainer, isSidecar } from './walk.ts';

/** What containers may refer to in their pod. */
export interface PodScope {
  readonly spec: PodSpec;
  readonly volumes: VolumesByName;
  readonly claimNames: ReadonlySet<string>;
  /** True for a pod, false for a pod template, which is a little freer for compatibility's sake. */
  readonly isPod: boolean;
}

const protocols = ['SCTP', 'TCP', 'UDP'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];
const plainInit = 'may not be set for init containers without restartPolicy=Always';

export function checkContainers(findings: Findings, scope: PodScope, path: string): void {
  const { containers } = scope.spec;
  if (containers === undefined || containers.length === 0) {
    findings.push(required(path, ''));
    return;
  }
  const names = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (container === undefined) continue;
    const at = `${path}[${i}]`;
    checkAnyContainer(findings, container, scope, at);
    if (names.has(container.name)) findings.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    checkRunning(findings, container, scope, at);
    checkRestartPolicy(findings, container, 'regular', at);
  }
  checkHostPorts(findings, containers, path, new Set());
}

export function checkInitContainers(findings: Findings, scope: PodScope, path: string): void {
  const containers = scope.spec.initContainers ?? [];
  const names = new Set((scope.spec.containers ?? []).map((container) => container.name));
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    checkAnyContainer(findings, container, scope, at);
    checkRestartPolicy(findings, container, 'init', at);
    if (names.has(container.name)) findings.push(duplicate(`${at}.name`, container.name));
    else if (container.name !== '') names.add(container.name);
    // One by one: plain init containers never hold a port at the same time.
    checkHostPorts(findings, [container], path, new Set());
    if (isSidecar(container)) {
      checkRunning(findings, container, scope, at);
      continue;
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field] !== undefined) findings.push(forbidden(`${at}.${field}`, plainInit));
    }
    if ((container.resizePolicy ?? []).length > 0) {
      findings.push(invalid(`${at}.resizePolicy`, container.resizePolicy, 'must not be set for init containers'));
    }
  }
}

export function checkEphemeralContainers(findings: Findings, scope: PodScope, path: string): void {
  const containers = scope.spec.ephemeralContainers ?? [];
  if (containers.length === 0) return;
  const targets = new Set([...scope.spec.containers, ...(scope.spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(targets);
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    checkAnyContainer(findings, container, { ...scope, isPod: true }, at);
    if (names.has(container.name)) findings.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !targets.has(target)) findings.push(notFound(`${at}.targetContainerName`, target));
    checkEphemeralFields(findings, container, at);
  }
}

const notForEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

/** A debugging guest: nothing of the pod may come to depend on it. */
function checkEphemeralFields(findings: Findings, container: EphemeralContainer, path: string): void {
  const detail = 'cannot be set for an Ephemeral Container';
  for (const field of notForEphemeral) {
    const value = container[field];
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    const isEmptyResources = field === 'resources' && Object.keys(value ?? {}).length === 0;
    if (isSet && !isEmptyResources) findings.push(forbidden(`${path}.${field}`, detail));
  }
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (mount.subPath) findings.push(forbidden(`${path}.volumeMounts[${index}].subPath`, detail));
    if (mount.subPathExpr) findings.push(forbidden(`${path}.volumeMounts[${index}].subPathExpr`, detail));
  }
}

function checkAnyContainer(findings: Findings, container: AnyContainer, scope: PodScope, path: string): void {
  if (container.name === '') findings.push(required(`${path}.name`, ''));
  else checkDnsLabel(findings, container.name, `${path}.name`);
  checkImage(findings, container.image, scope.isPod, `${path}.image`);
  checkOneOf(findings, container.terminationMessagePolicy, messagePolicies, `${path}.terminationMessagePolicy`);
  if (container.ports !== undefined) checkPorts(findings, container.ports, `${path}.ports`);
  checkEnvironment(findings, container.env, `${path}.env`);
  checkEnvironmentFrom(findings, container.envFrom, `${path}.envFrom`);
  checkVolumeMounts(findings, container, scope.volumes, `${path}.volumeMounts`);
  checkVolumeDevices(findings, container, scope.volumes, `${path}.volumeDevices`);
  checkOneOf(findings, container.imagePullPolicy, pullPolicies, `${path}.imagePullPolicy`);
  checkResources(findings, container.resources, scope.claimNames, `${path}.resources`);
  checkResizePolicy(findings, container.resizePolicy, scope.spec.restartPolicy, `${path}.resizePolicy`);
  checkContainerSecurity(
    findings,
    container.securityContext,
    scope.spec.hostUsers !== false,
    `${path}.securityContext`,
  );
}

/** Hooks and probes of what runs as long as the pod does. */
function checkRunning(findings: Findings, container: Container, scope: PodScope, path: string): void {
  if (container.lifecycle !== undefined) {
    checkLifecycle(findings, container.lifecycle, scope.spec.terminationGracePeriodSeconds, `${path}.lifecycle`);
  }
  checkProbes(findings, container, path);
}

function checkImage(findings: Findings, image: string | undefined, isPod: boolean, path: string): void {
  if (!image) findings.push(required(path, ''));
  else if (isPod && image.trim() !== image) {
    findings.push(invalid(path, image, 'must not have leading or trailing whitespace'));
  }
}

function checkPorts(findings: Findings, ports: readonly ContainerPort[], path: string): void {
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (port === undefined) continue;
    const at = `${path}[${i}]`;
    if (port.name && checkName(findings, portName, port.name, `${at}.name`)) {
      if (names.has(port.name)) findings.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) findings.push(required(`${at}.containerPort`, ''));
    else checkPortNumber(findings, port.containerPort, `${at}.containerPort`);
    if (port.hostPort) checkPortNumber(findings, port.hostPort, `${at}.hostPort`);
    if (!port.protocol) findings.push(required(`${at}.protocol`, ''));
    else checkSupported(findings, port.protocol, protocols, `${at}.protocol`);
  }
}

function checkHostPorts(findings: Findings, containers: readonly Container[], path: string, taken: Set<string>): void {
  for (const [index, container] of containers.entries()) {
    for (const [position, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(key)) findings.push(duplicate(`${path}[${index}].ports[${position}].hostPort`, key));
      taken.add(key);
    }
  }
}
