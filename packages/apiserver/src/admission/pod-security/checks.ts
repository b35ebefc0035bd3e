import type { ObjectMeta, PodSpec } from '@wherry/api';
import * as baseline from './baseline.ts';
import type { PodCheck, PodFinding } from './finding.ts';
import type { LevelVersion } from './policy.ts';
import * as restricted from './restricted.ts';

interface VersionedCheck {
  readonly level: 'baseline' | 'restricted';
  /** By the minor version from which on they count, rising. */
  readonly revisions: readonly (readonly [number, PodCheck])[];
  /** A baseline check that a restricted one says everything of, from that minor version on. */
  readonly coveredFrom?: number;
}

/** The newest version that anything changed in. */
const NEWEST = 35;

/** In the order in which upstream reports them. */
const checks: readonly VersionedCheck[] = [
  { level: 'baseline', revisions: [[0, baseline.appArmor]] },
  { level: 'baseline', revisions: [[0, baseline.capabilities]], coveredFrom: 22 },
  { level: 'baseline', revisions: [[0, baseline.hostNamespaces]] },
  { level: 'baseline', revisions: [[0, baseline.hostPathVolumes]], coveredFrom: 0 },
  { level: 'baseline', revisions: [[0, baseline.hostPorts]] },
  { level: 'baseline', revisions: [[34, baseline.hostProbes]] },
  { level: 'baseline', revisions: [[0, baseline.privileged]] },
  {
    level: 'baseline',
    revisions: [
      [0, baseline.procMount],
      [35, baseline.procMountWithUsers],
    ],
  },
  {
    level: 'baseline',
    revisions: [
      [0, baseline.seLinux],
      [31, baseline.seLinuxWithEngine],
    ],
  },
  {
    level: 'baseline',
    revisions: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccomp],
    ],
    coveredFrom: 19,
  },
  { level: 'baseline', revisions: baseline.sysctls },
  { level: 'baseline', revisions: [[0, baseline.windowsHostProcess]] },
  {
    level: 'restricted',
    revisions: [
      [8, restricted.privilegeEscalation],
      [25, restricted.privilegeEscalationOnLinux],
    ],
  },
  {
    level: 'restricted',
    revisions: [
      [22, restricted.capabilities],
      [25, restricted.capabilitiesOnLinux],
    ],
  },
  { level: 'restricted', revisions: [[0, restricted.volumes]] },
  {
    level: 'restricted',
    revisions: [
      [0, restricted.runAsNonRoot],
      [35, restricted.runAsNonRootWithUsers],
    ],
  },
  {
    level: 'restricted',
    revisions: [
      [23, restricted.runAsUser],
      [35, restricted.runAsUserWithUsers],
    ],
  },
  {
    level: 'restricted',
    revisions: [
      [19, restricted.seccomp],
      [25, restricted.seccompOnLinux],
    ],
  },
];

/** Everything that the level, as of its version, has against the pod. */
export function podFindings(policy: LevelVersion, spec: PodSpec, metadata: ObjectMeta): readonly PodFinding[] {
  if (policy.level === 'privileged') {
    return [];
  }
  const version = policy.version === 'latest' ? NEWEST : Math.min(policy.version, NEWEST);
  const isRestricted = policy.level === 'restricted';
  return checks.flatMap(({ level, revisions, coveredFrom }) => {
    const isCovered = isRestricted && coveredFrom !== undefined && version >= coveredFrom;
    if (isCovered || (level === 'restricted' && !isRestricted)) {
      return [];
    }
    const check = revisions.findLast(([from]) => from <= version)?.[1];
    return check?.(spec, metadata) ?? [];
  });
}

/** `host ports (8080), privileged`. */
export function detailText(findings: readonly PodFinding[]): string {
  return findings.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
}

export function reasonText(findings: readonly PodFinding[]): string {
  return findings.map(({ reason }) => reason).join(', ');
}
