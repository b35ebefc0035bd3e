import type { Profile } from './config.ts';

/** Flags that set how fast a dead node or leader is noticed and replaced. */
export interface Timings {
  readonly apiserver: readonly string[];
  /** Of scheduler and controller-manager. */
  readonly leaderElection: readonly string[];
  readonly controllerManager: readonly string[];
  readonly kubelet: readonly string[];
  readonly hollowNodes: readonly string[];
}

/**
 * `upstream` leaves every default alone: a silent node is NotReady after 50 s and its pods are evicted 300 s later;
 * a dead scheduler or controller-manager is replaced after 15 s.
 * `fast` shortens the waits, for tests and for people who watch: NotReady after 4 s, evicted 2 s later; replaced after
 * 6 s, which leaves a leader more time to renew than the store takes to elect one of its own.
 */
export const timings: Readonly<Record<Profile, Timings>> = {
  upstream: { apiserver: [], leaderElection: [], controllerManager: [], kubelet: [], hollowNodes: [] },
  fast: {
    apiserver: ['--default-not-ready-toleration-seconds=2', '--default-unreachable-toleration-seconds=2'],
    leaderElection: [
      '--leader-elect-lease-duration=6s',
      '--leader-elect-renew-deadline=5s',
      '--leader-elect-retry-period=1s',
    ],
    controllerManager: ['--node-monitor-period=500ms', '--node-monitor-grace-period=4s'],
    kubelet: ['--node-status-update-frequency=1s', '--node-lease-duration-seconds=4'],
    hollowNodes: ['--node-lease-duration-seconds=4'],
  },
};
