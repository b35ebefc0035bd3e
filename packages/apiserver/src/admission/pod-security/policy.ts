import { type FieldError, invalidValue } from '@wherry/api';

export type Level = 'privileged' | 'baseline' | 'restricted';

export interface LevelVersion {
  readonly level: Level;
  /** Minor version of Kubernetes 1.x whose checks count. */
  readonly version: number | 'latest';
}

export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

const privileged: LevelVersion = { level: 'privileged', version: 'latest' };
export const defaultPolicy: Policy = { enforce: privileged, audit: privileged, warn: privileged };

const prefix = 'pod-security.kubernetes.io/';
const levels: readonly string[] = ['privileged', 'baseline', 'restricted'];
const versionShape = /^v1\.(0|[1-9]\d*)$/;

type Labels = Readonly<Record<string, string>>;

/**
 * What a namespace's labels ask for. A level or version that cannot be read is an error and counts as the strictest for
 * what is enforced, as nothing for warnings and audit.
 */
export function policyOf(labels: Labels, defaults: Policy): { policy: Policy; errors: readonly FieldError[] } {
  const errors: FieldError[] = [];
  const mode = (name: 'enforce' | 'audit' | 'warn'): LevelVersion => {
    const level = labels[`${prefix}${name}`];
    const version = labels[`${prefix}${name}-version`];
    if (level === undefined && version === undefined) {
      return defaults[name];
    }
    return {
      level: level === undefined ? defaults[name].level : levelOf(level, name, errors),
      version: version === undefined ? defaults[name].version : versionOf(version, name, errors),
    };
  };
  const policy = { enforce: mode('enforce'), audit: mode('audit'), warn: mode('warn') };
  return { policy, errors };
}

function levelOf(text: string, mode: string, errors: FieldError[]): Level {
  if (isLevel(text)) {
    return text;
  }
  errors.push(invalidValue(`metadata.labels[${prefix}${mode}]`, text, `must be one of ${levels.join(', ')}`));
  return mode === 'enforce' ? 'restricted' : 'privileged';
}

function versionOf(text: string, mode: string, errors: FieldError[]): number | 'latest' {
  const version = parseVersion(text);
  if (version === undefined) {
    errors.push(invalidValue(`metadata.labels[${prefix}${mode}-version]`, text, 'must be "latest" or "v1.x"'));
    return 'latest';
  }
  return version;
}

export function isLevel(text: string): text is Level {
  return levels.includes(text);
}

export function parseVersion(text: string): number | 'latest' | undefined {
  const minor = versionShape.exec(text)?.[1];
  return text === 'latest' ? 'latest' : minor === undefined ? undefined : Number(minor);
}

/** `restricted:v1.30`, as messages say it. */
export function policyText({ level, version }: LevelVersion): string {
  return `${level}:${version === 'latest' ? version : `v1.${version}`}`;
}

export function isSame(left: LevelVersion, right: LevelVersion): boolean {
  return left.level === right.level && left.version === right.version;
}

export function isStricter(left: Level, right: Level): boolean {
  return levels.indexOf(left) > levels.indexOf(right);
}
