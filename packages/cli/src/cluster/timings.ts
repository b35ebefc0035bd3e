import type { Profile } from './config.ts';

/** Flags that set how fast a dead node is noticed and its pods move. */
export interface Timings {
  readonly apiserver: readonly string[];
  readonly controllerManager: readonly string[];
  readonly kubelet: readonly string[];
}

/**
 * `upstream` leaves every default alone: a silent node is NotReady after 50 s and its pods are evicted 300 s later.
 * `fast` keeps the proportions and shortens the waits, for tests and for people who watch: NotReady after 4 s, evicted
 * 2 s later.
 */
export const timings: Readonly<Record<Profile, Timings>> = {
  upstream: { apiserver: [], controllerManager: [], kubelet: [] },
  fast: {
    apiserver: ['--default-not-ready-toleration-seconds=2', '--default-unreachable-toleration-seconds=2'],
    controllerManager: ['--node-monitor-period=500ms', '--node-monitor-grace-period=4s'],
    kubelet: ['--node-status-update-frequency=1s', '--node-lease-duration-seconds=4'],
  },
};
