import type { Pod } from '@wherry/api';
import { podFindings, reasonText } from './checks.ts';
import { type LevelVersion, policyText } from './policy.ts';

const PODS_MAX = 3_000;
const TIME_MS_MAX = 1_000;

/** What somebody who makes a namespace stricter is told about the pods that are there: one line for equal findings. */
export function existingPodWarnings(
  namespace: string,
  enforce: LevelVersion,
  all: Iterable<Pod>,
  exemptRuntimeClasses: ReadonlySet<string>,
  nowMs: () => number,
): readonly string[] {
  const pods = [...all];
  const endMs = nowMs() + TIME_MS_MAX;
  const namesByReason = new Map<string, string[]>();
  let checked = 0;
  for (const { spec, metadata = {} } of pods.slice(0, PODS_MAX)) {
    if (nowMs() > endMs) {
      break;
    }
    checked += 1;
    if (spec === undefined || exemptRuntimeClasses.has(spec.runtimeClassName ?? '')) {
      continue;
    }
    const reason = reasonText(podFindings(enforce, spec, metadata));
    if (reason !== '') {
      const names = namesByReason.get(reason);
      if (names === undefined) {
        namesByReason.set(reason, [metadata.name ?? '']);
      } else {
        names.push(metadata.name ?? '');
      }
    }
  }
  const lines = [...namesByReason].map(([reason, names]) => `${namesText(names)}: ${reason}`).sort();
  return [
    ...(checked < pods.length
      ? [`new PodSecurity enforce level only checked against the first ${checked} of ${pods.length} existing pods`]
      : []),
    ...(lines.length > 0
      ? [
          `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level "${policyText(enforce)}"`,
        ]
      : []),
    ...lines,
  ];
}

function namesText(names: readonly string[]): string {
  const [first = ''] = [...names].sort();
  switch (names.length) {
    case 1:
      return first;
    case 2:
      return `${first} (and 1 other pod)`;
    default:
      return `${first} (and ${names.length - 1} other pods)`;
  }
}
