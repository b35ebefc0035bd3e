import { type HostFacts, neededPrograms } from './host-facts.ts';

/** How nodes get their containers on this machine. */
export type EngineDecision =
  /** An engine answers; packages that nodes need beside it may be missing. */
  | { readonly kind: 'use'; readonly install: readonly string[] }
  /** Nothing answers, but we may start one, after installing these packages. */
  | { readonly kind: 'start'; readonly install: readonly string[] }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** The oldest kernel whose nftables and overlay file system do what nodes need. */
const KERNEL_MIN = [5, 4] as const;

/** Without these nobody can enter a network namespace or wire pods. */
const neededCapabilities = ['SYS_ADMIN', 'NET_ADMIN'] as const;

/**
 * @param engine whether an engine answers, and where it was looked for
 */
export function decideEngine(
  facts: HostFacts,
  engine: { readonly host: string; readonly answers: boolean },
): EngineDecision {
  const unavailable = (reason: string): EngineDecision => ({ kind: 'unavailable', reason });
  if (facts.platform !== 'linux') {
    return unavailable(
      `nodes with containers need Linux, and this is ${facts.platform}: run the cluster inside a Linux machine`,
    );
  }
  if (!engine.host.startsWith('unix://')) {
    return unavailable(
      `the Docker engine at ${engine.host} is on another machine: nodes need one on this machine (unix://…)`,
    );
  }
  const [major = 0, minor = 0] = facts.kernel.split('.').map((part) => Number.parseInt(part, 10));
  if (major < KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor < KERNEL_MIN[1])) {
    return unavailable(`Linux ${facts.kernel} is too old: nodes need ${KERNEL_MIN.join('.')} or newer`);
  }
  if (!facts.isRoot) return unavailable('only root may enter the network namespaces of nodes: start wherry as root');
  const lacking = neededCapabilities.find((name) => facts.missingCapabilities.includes(name));
  if (lacking !== undefined) return unavailable(`this process lacks CAP_${lacking}, which wiring pods needs`);
  const missing = facts.missingPrograms.filter((name) => !(engine.answers && name === 'dockerd'));
  if (missing.length > 0 && !facts.hasApt) {
    return unavailable(
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed, and this is no Debian or Ubuntu where wherry could install ${missing.length === 1 ? 'it' : 'them'}`,
    );
  }
  const install = [...new Set(missing.map((name) => neededPrograms[name] ?? name))];
  return { kind: engine.answers ? 'use' : 'start', install };
}
