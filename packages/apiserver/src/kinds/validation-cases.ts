// For the tables of validation tests: what a strategy says about an object, as texts.
import { type ApiObject, applyDefaults, fieldErrorText, parseGroupVersion } from '@wherry/api';
import type { Strategy, StrategyContext } from './strategy.ts';

export const testContext: StrategyContext = {
  nowMs: Date.parse('2026-01-02T03:04:05Z'),
  now: '2026-01-02T03:04:05Z',
  uuid: '6b1ecf2e-95a4-4a4f-9d3c-2d2c2a7a8f01',
  user: { name: 'alice', uid: 'u-1', groups: ['dev', 'system:authenticated'], extra: { scope: ['a'] } },
};

/** As the registry hands it to a strategy: with defaults and an identity. */
export function received<T extends ApiObject>(object: T): T {
  const { group, version } = parseGroupVersion(object.apiVersion ?? '') ?? { group: '', version: 'v1' };
  const own = structuredClone(object);
  const metadata = { uid: 'uid-1', creationTimestamp: testContext.now, ...own.metadata };
  return applyDefaults(group, version, object.kind ?? '', { ...own, metadata }) as T;
}

/** The refusals of a create, after the strategy has prepared the object. */
export function createRefusals<T extends ApiObject>(strategy: Strategy<T>, object: T): readonly string[] {
  const ready = strategy.prepareForCreate(received(object), testContext);
  return strategy.validate(ready, testContext).map(fieldErrorText);
}

export function created<T extends ApiObject>(strategy: Strategy<T>, object: T): T {
  return strategy.prepareForCreate(received(object), testContext);
}

/** The refusals when `old`, as created, becomes `next`. */
export function updateRefusals<T extends ApiObject>(strategy: Strategy<T>, old: T, next: T): readonly string[] {
  const ready = strategy.prepareForUpdate(received(next), old, testContext);
  return strategy.validateUpdate(ready, old, testContext).map(fieldErrorText);
}

export function subresourceRefusals<T extends ApiObject>(
  strategy: Strategy<T>,
  subresource: string,
  old: T,
  next: T,
): readonly string[] {
  const rules = strategy.subresources?.[subresource];
  if (rules === undefined) throw new Error(`The strategy has no subresource ${subresource}`);
  return rules.validateUpdate(rules.prepareForUpdate(next, old, testContext), old, testContext).map(fieldErrorText);
}

/** The cells of an object's row by column name. */
export function row<T extends ApiObject>(strategy: Strategy<T>, object: T): Readonly<Record<string, unknown>> {
  const columns = strategy.columns ?? [];
  return Object.fromEntries(columns.map((column) => [column.name, column.cell(object, testContext.nowMs)]));
}
