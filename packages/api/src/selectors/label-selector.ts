// Label selectors: compiled requirements, and the LabelSelector objects that specs hold.
import type { LabelSelector } from '../generated/types.ts';
import { labelValueProblems, qualifiedNameProblems } from '../names/names.ts';
import { aggregateText, type FieldError, forbiddenField, invalidValue, required } from '../status/field-error.ts';

export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** All requirements must hold; none selects everything. */
export interface LabelFilter {
  readonly requirements: readonly LabelRequirement[];
  /** True for the selector that can match no object at all (a missing LabelSelector). */
  readonly nothing: boolean;
}

export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export const everything: LabelFilter = { requirements: [], nothing: false };
export const nothing: LabelFilter = { requirements: [], nothing: true };

export function labelsMatch(filter: LabelFilter, labels: Labels | undefined): boolean {
  return !filter.nothing && filter.requirements.every((requirement) => requirementMatches(requirement, labels));
}

export function requirementMatches({ key, operator, values }: LabelRequirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt':
      return compareIntegers(value, values[0], operator);
  }
}

const integer = /^[+-]?\d+$/;

function compareIntegers(value: string | undefined, limit: string | undefined, operator: 'gt' | 'lt'): boolean {
  if (value === undefined || limit === undefined || !integer.test(value) || !integer.test(limit)) return false;
  return operator === 'gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

/** Compiled selectors of spec objects, which are shared and never mutated. */
const compiled = new WeakMap<LabelSelector, LabelFilter>();

/**
 * The filter of a LabelSelector: a missing one selects nothing, an empty one everything.
 * @throws SelectorError for an unknown operator; validated objects hold none
 */
export function compileLabelSelector(selector: LabelSelector | undefined): LabelFilter {
  if (selector === undefined) return nothing;
  const known = compiled.get(selector);
  if (known !== undefined) return known;
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => {
    return { key, operator: '=', values: [value] };
  });
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const own = specOperators[operator];
    if (own === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: own, values: values ?? [] });
  }
  const filter = { requirements: requirements.toSorted(byKey), nothing: false };
  compiled.set(selector, filter);
  return filter;
}

const specOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Whether the object's labels satisfy a spec's selector. */
export function labelSelectorMatches(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  return labelsMatch(compileLabelSelector(selector), labels);
}

/** The filter that asks for exactly these labels, as a Service's selector does. */
export function labelFilterOf(labels: Labels): LabelFilter {
  const requirements = Object.entries(labels).map(([key, value]) => ({ key, operator: '=' as const, values: [value] }));
  return { requirements: requirements.toSorted(byKey), nothing: false };
}

/** The text that `parseLabelSelector` reads back: `a=b,c in (d,e),!f`. */
export function formatLabelFilter(filter: LabelFilter): string {
  return filter.requirements.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.toSorted().join(',')})`;
    case 'gt':
      return `${key}>${values[0] ?? ''}`;
    case 'lt':
      return `${key}<${values[0] ?? ''}`;
    default:
      return `${key}${operator}${values[0] ?? ''}`;
  }
}

/** @throws SelectorError naming every problem of the requirement */
export function checkRequirement(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement;
  const errors: FieldError[] = [];
  const keyProblems = qualifiedNameProblems(key);
  if (keyProblems.length > 0) errors.push(invalidValue('key', key, keyProblems.join('; ')));
  const valuesProblem = countProblem(operator, values.length);
  if (valuesProblem !== undefined) errors.push(invalidValue('values', values, valuesProblem));
  values.forEach((value, index) => {
    if ((operator === 'gt' || operator === 'lt') && !integer.test(value)) {
      errors.push(invalidValue(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalidValue(`values[${index}][${key}]`, value, problems.join('; ')));
  });
  if (errors.length > 0) throw new SelectorError(aggregateText(errors));
  return requirement;
}

function countProblem(operator: LabelOperator, count: number): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case 'exists':
    case '!':
      return count > 0 ? 'values set must be empty for exists and does not exist' : undefined;
    case 'gt':
    case 'lt':
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
    default:
      return count === 1 ? undefined : 'exact-match compatibility requires one single value';
  }
}

/** Problems of a LabelSelector in a spec, as upstream's validation reports them. */
export function labelSelectorErrors(selector: LabelSelector, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const keyProblems = qualifiedNameProblems(key);
    if (keyProblems.length > 0) errors.push(invalidValue(`${path}.matchLabels`, key, keyProblems.join('; ')));
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalidValue(`${path}.matchLabels`, value, problems.join('; ')));
  }
  selector.matchExpressions?.forEach(({ key, operator, values }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const count = values?.length ?? 0;
    if (operator === 'In' || operator === 'NotIn') {
      if (count === 0) {
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (count > 0) {
        errors.push(
          forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
    } else {
      errors.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    const keyProblems = qualifiedNameProblems(key);
    if (keyProblems.length > 0) errors.push(invalidValue(`${at}.key`, key, keyProblems.join('; ')));
    values?.forEach((value, valueIndex) => {
      const problems = labelValueProblems(value);
      if (problems.length > 0) errors.push(invalidValue(`${at}.values[${valueIndex}]`, value, problems.join('; ')));
    });
  });
  return errors;
}

function byKey(a: LabelRequirement, b: LabelRequirement): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
