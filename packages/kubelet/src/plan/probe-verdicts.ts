// What the probes last said, as the plans see it.

export type ProbeKind = 'startup' | 'readiness' | 'liveness';
export type ProbeVerdict = 'success' | 'failure';

/** `undefined`: that container has no such probe, or it has not reached a verdict yet. */
export interface ProbeVerdicts {
  startup(containerId: string): ProbeVerdict | undefined;
  readiness(containerId: string): ProbeVerdict | undefined;
  liveness(containerId: string): ProbeVerdict | undefined;
}

export const noVerdicts: ProbeVerdicts = {
  startup: () => undefined,
  readiness: () => undefined,
  liveness: () => undefined,
};
