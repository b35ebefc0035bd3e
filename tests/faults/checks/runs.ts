/** One run of one container, as the engine told. */
export interface ContainerRun {
  readonly id: string;
  /** Whose: `namespace/pod` and the container's name. */
  readonly identity: string;
  readonly podUid: string;
  readonly startedMs: number;
  /** Undefined while it runs. */
  readonly endedMs: number | undefined;
}

/** Two containers of one identity that ran at the same time. */
export function overlaps(runs: readonly ContainerRun[]): readonly string[] {
  const byIdentity = Map.groupBy(runs, ({ identity }) => identity);
  return [...byIdentity].flatMap(([identity, all]) => {
    const sorted = [...all].sort((a, b) => a.startedMs - b.startedMs);
    return sorted.flatMap((run, index) => {
      const next = sorted[index + 1];
      if (next === undefined || (run.endedMs !== undefined && run.endedMs <= next.startedMs)) return [];
      const end = run.endedMs === undefined ? 'which still runs' : `which ended at ${time(run.endedMs)}`;
      return [
        `${identity} ran twice: ${next.id.slice(0, 12)} (pod ${next.podUid}) started at ${time(next.startedMs)} beside ${run.id.slice(0, 12)} (pod ${run.podUid}) of ${time(run.startedMs)}, ${end}`,
      ];
    });
  });
}

const time = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
