import type { Pod, Service } from '@wherry/api';
import { VerbError } from './verb-error.ts';

/** A port of this machine and the pod's that it leads to. */
export interface ForwardedPort {
  /** 0 is any that is free. */
  readonly local: number;
  readonly remote: number;
}

/**
 * Reads `8080`, `8080:80`, `8080:http` and `:80`.
 * @param remoteOf gives the pod's port for what the user named: a service's port, or a port's name
 */
export function parsePorts(words: readonly string[], remoteOf: (text: string) => number): readonly ForwardedPort[] {
  return words.map((word) => {
    const parts = word.split(':');
    if (parts.length > 2) throw new VerbError(`invalid port format '${word}'`);
    const [left = '', right = left] = parts;
    const remote = remoteOf(right);
    const local =
      parts.length === 1
        ? /^\d+$/.test(left)
          ? number(left, 'local')
          : remote
        : left === ''
          ? 0
          : number(left, 'local');
    return { local, remote };
  });
}

function number(text: string, which: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw new VerbError(`error parsing ${which} port '${text}': it is no port`);
  return value;
}

/** The pod's port of a number or of a name. */
export function podPort(pod: Pod, text: string): number {
  if (/^\d+$/.test(text)) {
    const port = number(text, 'remote');
    if (port === 0) throw new VerbError('remote port must be > 0');
    return port;
  }
  const found = pod.spec?.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === text);
  if (found === undefined) throw new VerbError(`Pod '${pod.metadata?.name}' does not have a named port '${text}'`);
  return found.containerPort;
}

/** The pod's port behind a service's. */
export function servicePort(service: Service, pod: Pod, text: string): number {
  const ports = service.spec?.ports ?? [];
  const found = ports.find((port) => (/^\d+$/.test(text) ? port.port === Number(text) : port.name === text));
  if (found === undefined)
    throw new VerbError(`Service ${service.metadata?.name} does not have a service port ${text}`);
  // A headless service's clients come to the pods themselves.
  if (service.spec?.clusterIP === 'None') return found.port;
  return podPort(pod, String(found.targetPort ?? found.port));
}
