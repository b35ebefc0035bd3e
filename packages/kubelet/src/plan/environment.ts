// The environment of a container, in upstream's order: services, envFrom, env; later names replace earlier ones, and
// an expansion sees only what stands before it.
import type { ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret, Service } from '@wherry/api';
import { expand } from './expand.ts';
import { podField } from './field-ref.ts';
import { type NodeAllocatable, resourceField } from './resource-ref.ts';

export interface EnvironmentInputs {
  readonly pod: Pod;
  readonly podIp: string | undefined;
  readonly hostIp: string;
  readonly allocatable: NodeAllocatable;
  /** undefined: the object does not exist. */
  readonly configMap: (name: string) => ConfigMap | undefined;
  readonly secret: (name: string) => Secret | undefined;
  readonly services: readonly Service[];
}

/** The spec refers to something that is not there; the container waits with `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}

/** Secret values are base64 of UTF-8 text here: environment variables cannot hold anything else. */
function decodeBase64(text: string): string {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function configMapValue(
  source: NonNullable<EnvVarSource['configMapKeyRef']>,
  inputs: EnvironmentInputs,
): string | undefined {
  const name = source.name ?? '';
  const map = inputs.configMap(name);
  if (map === undefined) {
    if (source.optional === true) return undefined;
    throw new ContainerConfigError(`configmap "${name}" not found`);
  }
  const value = map.data?.[source.key];
  if (value === undefined && source.optional !== true) {
    throw new ContainerConfigError(
      `couldn't find key ${source.key} in ConfigMap ${map.metadata?.namespace ?? ''}/${name}`,
    );
  }
  return value;
}

function secretValue(source: NonNullable<EnvVarSource['secretKeyRef']>, inputs: EnvironmentInputs): string | undefined {
  const name = source.name ?? '';
  const secret = inputs.secret(name);
  if (secret === undefined) {
    if (source.optional === true) return undefined;
    throw new ContainerConfigError(`secret "${name}" not found`);
  }
  const value = secret.data?.[source.key];
  if (value === undefined && source.optional !== true) {
    throw new ContainerConfigError(
      `couldn't find key ${source.key} in Secret ${secret.metadata?.namespace ?? ''}/${name}`,
    );
  }
  return value === undefined ? undefined : decodeBase64(value);
}

function valueFrom(source: EnvVarSource, container: Container, inputs: EnvironmentInputs): string | undefined {
  if (source.fieldRef !== undefined) {
    const path = source.fieldRef.fieldPath;
    const value = podField(inputs.pod, path, { podIp: inputs.podIp, hostIp: inputs.hostIp });
    if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${path}`);
    return value;
  }
  if (source.resourceFieldRef !== undefined) {
    const value = resourceField(inputs.pod, source.resourceFieldRef, container.name, inputs.allocatable);
    if (value === undefined) {
      throw new ContainerConfigError(`unsupported container resource : ${source.resourceFieldRef.resource}`);
    }
    return value;
  }
  if (source.configMapKeyRef !== undefined) return configMapValue(source.configMapKeyRef, inputs);
  if (source.secretKeyRef !== undefined) return secretValue(source.secretKeyRef, inputs);
  throw new ContainerConfigError('an environment variable has a source of an unknown kind');
}

function addFrom(container: Container, inputs: EnvironmentInputs, into: Map<string, string>): void {
  for (const from of container.envFrom ?? []) {
    const prefix = from.prefix ?? '';
    if (from.configMapRef !== undefined) {
      const name = from.configMapRef.name ?? '';
      const map = inputs.configMap(name);
      if (map === undefined && from.configMapRef.optional !== true) {
        throw new ContainerConfigError(`configmap "${name}" not found`);
      }
      for (const [key, value] of Object.entries(map?.data ?? {})) into.set(prefix + key, value);
    }
    if (from.secretRef !== undefined) {
      const name = from.secretRef.name ?? '';
      const secret = inputs.secret(name);
      if (secret === undefined && from.secretRef.optional !== true) {
        throw new ContainerConfigError(`secret "${name}" not found`);
      }
      for (const [key, value] of Object.entries(secret?.data ?? {})) into.set(prefix + key, decodeBase64(value));
    }
  }
}

/** `{NAME}_SERVICE_HOST` and the Docker-link variables of the services of the pod's namespace, and `kubernetes`. */
export function serviceEnvironment(pod: Pod, services: readonly Service[]): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const namespace = pod.metadata?.namespace ?? 'default';
  const links = pod.spec?.enableServiceLinks ?? true;
  for (const service of services) {
    const name = service.metadata?.name ?? '';
    const isMaster = name === 'kubernetes' && service.metadata?.namespace === 'default';
    if (!isMaster && (!links || service.metadata?.namespace !== namespace)) continue;
    const host = service.spec?.clusterIP;
    if (host === undefined || host === '' || host === 'None') continue;
    addService(name, host, service, result);
  }
  return result;
}

function addService(name: string, host: string, service: Service, into: Map<string, string>): void {
  const ports = service.spec?.ports ?? [];
  const first = ports[0];
  if (first === undefined) return;
  const upper = name.toUpperCase().replaceAll('-', '_');
  const family = host.includes(':') ? `[${host}]` : host;
  into.set(`${upper}_SERVICE_HOST`, host);
  into.set(`${upper}_SERVICE_PORT`, String(first.port));
  for (const port of ports) {
    if (port.name) into.set(`${upper}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
  }
  const url = (protocol: string, port: number) => `${protocol}://${family}:${port}`;
  into.set(`${upper}_PORT`, url((first.protocol ?? 'TCP').toLowerCase(), first.port));
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP';
    const prefix = `${upper}_PORT_${port.port}_${protocol.toUpperCase()}`;
    into.set(prefix, url(protocol.toLowerCase(), port.port));
    into.set(`${prefix}_PROTO`, protocol.toLowerCase());
    into.set(`${prefix}_PORT`, String(port.port));
    into.set(`${prefix}_ADDR`, host);
  }
}

/**
 * The variables of a container by name.
 * @throws ContainerConfigError when a reference cannot be resolved
 */
export function containerEnvironment(container: Container, inputs: EnvironmentInputs): ReadonlyMap<string, string> {
  const services = serviceEnvironment(inputs.pod, inputs.services);
  const result = new Map<string, string>();
  addFrom(container, inputs, result);
  const lookUp = (name: string) => result.get(name) ?? services.get(name);
  for (const variable of container.env ?? []) {
    const value = valueOfVariable(variable, container, inputs, lookUp);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

function valueOfVariable(
  variable: EnvVar,
  container: Container,
  inputs: EnvironmentInputs,
  lookUp: (name: string) => string | undefined,
): string | undefined {
  if (variable.valueFrom !== undefined) return valueFrom(variable.valueFrom, container, inputs);
  return expand(variable.value ?? '', lookUp);
}
