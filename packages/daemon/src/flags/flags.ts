import { parseDuration } from './duration.ts';

interface Common<T> {
  /** One line for --help. */
  readonly help: string;
  /** Taken when nothing is given; without it the flag is required, unless `optional`. */
  readonly default?: T;
  readonly optional?: true;
}
export interface StringFlag extends Common<string> {
  readonly kind: 'string';
  readonly choices?: readonly string[];
}
export interface IntegerFlag extends Common<number> {
  readonly kind: 'integer';
  readonly min?: number;
  readonly max?: number;
}
export interface BooleanFlag extends Common<boolean> {
  readonly kind: 'boolean';
}
/** A Go duration (`1m30s`, `500ms`), in milliseconds once parsed. */
export interface DurationFlag extends Common<number> {
  readonly kind: 'duration';
}
/** Comma-separated, and the flag may be repeated. */
export interface ListFlag extends Common<readonly string[]> {
  readonly kind: 'list';
}
export type Flag = StringFlag | IntegerFlag | BooleanFlag | DurationFlag | ListFlag;
export type FlagSpec = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends StringFlag
  ? string
  : F extends BooleanFlag
    ? boolean
    : F extends ListFlag
      ? readonly string[]
      : number;
/** Typed result: flags marked optional may be undefined. Keys are the flag names as written. */
export type FlagValues<S extends FlagSpec> = {
  readonly [K in keyof S]: S[K] extends { readonly optional: true } ? ValueOf<S[K]> | undefined : ValueOf<S[K]>;
};

type Value = string | number | boolean | readonly string[];

/** All problems of a command line at once. */
export class FlagError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'FlagError';
    this.problems = problems;
  }
}

/**
 * Reads `--name value`, `--name=value` and bare `--boolean`; then `<PREFIX>_NAME` of the environment; then defaults.
 * @param environmentPrefix for example `WHERRY`: `--data-dir` is then also `WHERRY_DATA_DIR`
 * @throws FlagError that lists every unknown flag, bad value and missing flag
 */
export function parseFlags<const S extends FlagSpec>(
  spec: S,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  environmentPrefix = 'WHERRY',
): FlagValues<S> {
  const problems: string[] = [];
  const given = collect(spec, argv, problems);
  const values: Record<string, Value | undefined> = {};
  for (const [name, flag] of Object.entries(spec)) {
    const fromEnvironment = environment[`${environmentPrefix}_${name.replaceAll('-', '_').toUpperCase()}`];
    const texts = given.get(name) ?? (fromEnvironment === undefined ? undefined : [fromEnvironment]);
    if (texts === undefined) {
      if (flag.default === undefined && flag.optional !== true) problems.push(`--${name} is required: ${flag.help}`);
      values[name] = flag.default;
    } else {
      values[name] = parseValue(name, flag, texts, problems);
    }
  }
  if (problems.length > 0) throw new FlagError(problems);
  return values as FlagValues<S>;
}

function collect(spec: FlagSpec, argv: readonly string[], problems: string[]): Map<string, string[]> {
  const given = new Map<string, string[]>();
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (!argument.startsWith('--')) {
      problems.push(`Unexpected argument "${argument}"`);
      continue;
    }
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals === -1 ? undefined : equals);
    const flag = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (flag === undefined) {
      problems.push(`Unknown flag --${name}`);
      // Its value, if any, would only be reported a second time.
      if (equals === -1 && argv[index + 1]?.startsWith('--') === false) index++;
      continue;
    }
    let text: string | undefined = equals === -1 ? undefined : argument.slice(equals + 1);
    if (text === undefined && flag.kind === 'boolean') text = 'true';
    if (text === undefined) {
      index++;
      text = argv[index];
      if (text === undefined) {
        problems.push(`--${name} needs a value`);
        continue;
      }
    }
    given.set(name, [...(given.get(name) ?? []), text]);
  }
  return given;
}

function parseValue(name: string, flag: Flag, texts: readonly string[], problems: string[]): Value | undefined {
  const text = texts.at(-1) ?? '';
  switch (flag.kind) {
    case 'string':
      if (flag.choices !== undefined && !flag.choices.includes(text)) {
        problems.push(`--${name} is "${text}", must be one of ${flag.choices.join(', ')}`);
      }
      return text;
    case 'boolean':
      if (text !== 'true' && text !== 'false') problems.push(`--${name} is "${text}", must be true or false`);
      return text === 'true';
    case 'integer': {
      const value = Number(text);
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = flag;
      if (!/^-?\d+$/.test(text)) problems.push(`--${name} is "${text}", must be a whole number`);
      else if (value < min || value > max) problems.push(`--${name} is ${text}, must be from ${min} to ${max}`);
      return value;
    }
    case 'duration': {
      const value = parseDuration(text);
      if (value === undefined) problems.push(`--${name} is "${text}", must be a duration such as 10s or 1m30s`);
      return value;
    }
    case 'list':
      return texts.flatMap((part) => part.split(',')).filter((part) => part !== '');
  }
}

/** The flags as lines for --help. */
export function describeFlags(spec: FlagSpec): string {
  return Object.entries(spec)
    .map(([name, flag]) => {
      const fallback = flag.default === undefined ? '' : ` (default ${String(flag.default)})`;
      return `  --${name} ${flag.kind === 'boolean' ? '' : `<${flag.kind}>`}\n        ${flag.help}${fallback}`;
    })
    .join('\n');
}
