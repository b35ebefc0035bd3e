import type { ApiObject } from '@wherry/api';
import type { Findings } from './findings.ts';
import type { Strategy, StrategyContext, UpdateStrategy } from './strategy.ts';

type Check<T> = (findings: Findings, object: T, context: StrategyContext) => void;
type UpdateCheck<T> = (findings: Findings, next: T, old: T, context: StrategyContext) => void;

/** A strategy as its kind describes it: only what differs from doing nothing. */
export interface Rules<T extends ApiObject>
  extends Omit<
    Partial<Strategy<T>>,
    'validate' | 'validateUpdate' | 'subresources' | 'prepareForCreate' | 'prepareForUpdate'
  > {
  readonly prepareForCreate?: (object: T, context: StrategyContext) => T;
  readonly prepareForUpdate?: (next: T, old: T, context: StrategyContext) => T;
  /** Holds for the object at any time: checked on create and, before `checkUpdate`, on update. */
  readonly check?: Check<T>;
  /** Holds when the object is created, beside `check`. */
  readonly checkCreate?: Check<T>;
  /** What an update may not change, and `check` unless `checksWhole` says this does all. */
  readonly checkUpdate?: UpdateCheck<T>;
  /** `checkUpdate` looks at the whole object itself. @default false */
  readonly checksWhole?: boolean;
  readonly checkStatus?: UpdateCheck<T>;
  readonly prepareForStatus?: (next: T, old: T, context: StrategyContext) => T;
  /** Subresources other than status. */
  readonly subresources?: Readonly<Record<string, UpdateRules<T>>>;
}

export interface UpdateRules<T extends ApiObject> {
  readonly prepare: (next: T, old: T, context: StrategyContext) => T;
  readonly check?: UpdateCheck<T>;
}

/** The strategy of a kind that follows `rules`. */
export function strategyOf<T extends ApiObject>(rules: Rules<T>): Strategy<T> {
  const {
    check,
    checkCreate,
    checkUpdate,
    checksWhole = false,
    checkStatus,
    prepareForStatus,
    subresources,
    prepareForCreate = same,
    prepareForUpdate = same,
    ...rest
  } = rules;
  return {
    ...rest,
    prepareForCreate,
    prepareForUpdate,
    validate: (object, context) => {
      const findings: Findings = [];
      check?.(findings, object, context);
      checkCreate?.(findings, object, context);
      return findings;
    },
    validateUpdate: (next, old, context) => {
      const findings: Findings = [];
      checkUpdate?.(findings, next, old, context);
      if (!checksWhole) check?.(findings, next, context);
      return findings;
    },
    subresources: {
      status: updateStrategyOf({
        prepare: prepareForStatus ?? same,
        ...(checkStatus === undefined ? {} : { check: checkStatus }),
      }),
      ...mapValues(subresources ?? {}, updateStrategyOf),
    },
  };
}

/** For kinds of which only the metadata means anything to the server. */
export const plainStrategy: Strategy = strategyOf<ApiObject>({});

function updateStrategyOf<T extends ApiObject>(rules: UpdateRules<T>): UpdateStrategy<T> {
  return {
    prepareForUpdate: rules.prepare,
    validateUpdate: (next, old, context) => {
      const findings: Findings = [];
      rules.check?.(findings, next, old, context);
      return findings;
    },
  };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function same<T>(object: T): T {
  return object;
}
