import type { DaemonKind } from './spec.ts';

/**
 * Megabytes of each half of the young generation. By default it grows with the work and stays large: after 20,000
 * requests an API client held 140 MB of heap for 25 MB of objects; with 4 here, 30 MB, at a tenth more CPU per request.
 * The two that answer everybody keep more: there, collections would cost throughput.
 */
const youngMegabytes: Readonly<Record<DaemonKind, number>> = {
  store: 16,
  apiserver: 16,
  scheduler: 8,
  'controller-manager': 8,
  dns: 4,
  kubelet: 4,
  'hollow-nodes': 16,
  proxy: 4,
  balancer: 4,
};

/** Arguments of Node.js for a daemon of this kind, before its program. */
export function nodeFlags(kind: DaemonKind): readonly string[] {
  return [
    `--max-semi-space-size=${youngMegabytes[kind]}`,
    // undici reads answers with a small WebAssembly module. Its second compilation takes 25 MB, once, which malloc then
    // keeps, and made requests no cheaper (52 µs and 55 µs of CPU).
    '--liftoff-only',
    // For collections while a daemon is idle (`collectWhenIdle` of @wherry/daemon).
    '--expose-gc',
  ];
}

/**
 * Environment of daemons: glibc gives each of Node.js' threads a heap of its own and keeps what was freed at their ends
 * (measured 3 to 17 MB a daemon). Other C libraries ignore these.
 */
export const daemonSettings: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
