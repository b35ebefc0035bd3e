// The other adapters of a hollow node: nothing to wire, nothing to mount, probes that always pass.
import type { Wiring } from '../../network/wiring.ts';
import type { RunProbe } from '../../probes/prober.ts';
import type { PodVolumes } from '../../volumes/pod-volumes.ts';

export const hollowWiring: Wiring = {
  prepare: () => Promise.resolve(),
  attach: () => Promise.resolve(),
  detach: () => Promise.resolve(),
  setRoutes: () => Promise.resolve(),
  setRules: () => Promise.resolve(),
};

export const hollowVolumes: PodVolumes = {
  setUp: (pod) => Promise.resolve(new Map((pod.spec?.volumes ?? []).map(({ name }) => [name, `/hollow/${name}`]))),
  tearDown: () => Promise.resolve(),
  pods: () => Promise.resolve([]),
};

export const hollowProber: RunProbe = () => Promise.resolve({ kind: 'success', output: '' });
