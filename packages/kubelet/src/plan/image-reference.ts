// Image names as a pod writes them.

export interface ImageReference {
  /** Registry host with port; `docker.io` when none is written. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** What to ask the engine for: with `:latest` when there is neither tag nor digest. */
  readonly text: string;
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[\w][\w.-]{0,127}$/;
const digestPattern = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/** undefined if the name cannot be one: the pod waits with `InvalidImageName`. */
export function parseImageReference(name: string): ImageReference | undefined {
  const at = name.indexOf('@');
  const digest = at === -1 ? undefined : name.slice(at + 1);
  const rest = at === -1 ? name : name.slice(0, at);
  const colon = rest.lastIndexOf(':');
  const tagged = colon > rest.lastIndexOf('/');
  const tag = tagged ? rest.slice(colon + 1) : undefined;
  const path = tagged ? rest.slice(0, colon) : rest;
  const parts = path.split('/');
  const first = parts[0] ?? '';
  const hasRegistry = parts.length > 1 && (first.includes('.') || first.includes(':') || first === 'localhost');
  const components = hasRegistry ? parts.slice(1) : parts;
  if (!components.every((part) => component.test(part))) return undefined;
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  const registry = hasRegistry ? first : 'docker.io';
  const library = !hasRegistry && components.length === 1 ? 'library/' : '';
  const effective = tag ?? (digest === undefined ? 'latest' : undefined);
  const text = `${path}${effective === undefined ? '' : `:${effective}`}${digest === undefined ? '' : `@${digest}`}`;
  return { registry, repository: library + components.join('/'), tag: effective, digest, text };
}

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

/** The policy of a container; the API defaults it, so the rule by tag is for specs that came another way. */
export function pullPolicy(image: string, given: string | undefined): PullPolicy {
  if (given === 'Always' || given === 'IfNotPresent' || given === 'Never') return given;
  return parseImageReference(image)?.tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** `.dockerconfigjson` of pull secrets: the entry for a registry, with its user and password. */
export function registryAuth(
  configs: readonly unknown[],
  registry: string,
): { readonly username: string; readonly password: string; readonly serveraddress: string } | undefined {
  const wanted =
    registry === 'docker.io'
      ? ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io']
      : [registry, `https://${registry}`];
  for (const config of configs) {
    if (typeof config !== 'object' || config === null) continue;
    const auths: unknown = 'auths' in config ? config.auths : config;
    if (typeof auths !== 'object' || auths === null) continue;
    for (const [server, entry] of Object.entries(auths)) {
      if (!wanted.includes(server.replace(/\/$/, '')) && !wanted.includes(server)) continue;
      const found = authOf(entry);
      if (found !== undefined) return { ...found, serveraddress: server };
    }
  }
  return undefined;
}

function authOf(entry: unknown): { readonly username: string; readonly password: string } | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  if (
    'username' in entry &&
    'password' in entry &&
    typeof entry.username === 'string' &&
    typeof entry.password === 'string'
  ) {
    return { username: entry.username, password: entry.password };
  }
  if (!('auth' in entry) || typeof entry.auth !== 'string') return undefined;
  const decoded = atob(entry.auth);
  const colon = decoded.indexOf(':');
  return colon === -1 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
