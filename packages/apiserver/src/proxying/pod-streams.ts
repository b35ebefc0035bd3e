import { badRequest, type Container, type Pod } from '@wherry/api';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** The container a request means. @throws StatusError BadRequest when it names none of the pod's or cannot be guessed */
export function containerOf(pod: Pod, asked: string): string {
  const { spec, metadata } = pod;
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
  if (asked !== '') {
    if (!all.some(({ name }) => name === asked)) {
      throw badRequest(`container ${asked} is not valid for pod ${metadata?.name ?? ''}`);
    }
    return asked;
  }
  const containers: readonly Container[] = spec?.containers ?? [];
  const only = containers[0];
  if (containers.length === 1 && only !== undefined) {
    return only.name;
  }
  const preferred = metadata?.annotations?.[DEFAULT_CONTAINER];
  if (preferred !== undefined && containers.some(({ name }) => name === preferred)) {
    return preferred;
  }
  const names = containers.map(({ name }) => name).join(' ');
  const init = (spec?.initContainers ?? []).map(({ name }) => name).join(' ');
  const initText = init === '' ? '' : ` or one of the init containers: [${init}]`;
  throw badRequest(
    `a container name must be specified for pod ${metadata?.name ?? ''}, choose one of: [${names}]${initText}`,
  );
}

const logParameters = [
  'follow',
  'previous',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'tailLines',
  'limitBytes',
  'stream',
] as const;

/** @throws StatusError BadRequest */
export function logPath(pod: Pod, query: URLSearchParams): string {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const container = containerOf(pod, query.get('container') ?? '');
  const parameters = new URLSearchParams();
  for (const parameter of logParameters) {
    const value = query.get(parameter);
    if (value !== null && value !== '') {
      parameters.set(parameter, value);
    }
  }
  const text = parameters.toString();
  return `/containerLogs/${namespace}/${name}/${container}${text === '' ? '' : `?${text}`}`;
}

/** Upstream's names of the streams towards kubelets differ from those towards clients. */
const streams = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;

export function execPath(kind: 'exec' | 'attach', pod: Pod, query: URLSearchParams): string {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const container = containerOf(pod, query.get('container') ?? '');
  const parameters = new URLSearchParams();
  for (const command of query.getAll('command')) {
    parameters.append('command', command);
  }
  for (const [from, to] of Object.entries(streams)) {
    const value = query.get(from);
    if (value === 'true' || value === '1') {
      parameters.set(to, '1');
    }
  }
  return `/${kind}/${namespace}/${name}/${container}?${parameters.toString()}`;
}

export function portForwardPath(pod: Pod, query: URLSearchParams): string {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const parameters = new URLSearchParams();
  for (const ports of query.getAll('ports')) {
    parameters.append('port', ports);
  }
  const text = parameters.toString();
  return `/portForward/${namespace}/${name}${text === '' ? '' : `?${text}`}`;
}
