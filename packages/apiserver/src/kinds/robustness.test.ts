// Clients send anything that has the right types: whatever it is, strategies answer and do not fail.
import {
  type ApiObject,
  applyDefaults,
  decodeObject,
  type FieldError,
  facts,
  fieldErrorText,
  type ObjectNode,
  type Resource,
  resourceTable,
  type SchemaNode,
} from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { converterOf } from './convert.ts';
import { strategyFor } from './index.ts';
import { testContext } from './validation-cases.ts';

const objectsPerKind = 60;
const depthMax = 9;
const strings = ['', 'a', 'A b', 'a.b/c', '10.0.0.1', '80', '1Gi', 'Always', 'TCP', 'x'.repeat(70), '../x', '10%'];
const integers = [0, 1, -1, 80, 65_536, 2_147_483_647];

type Random = () => number;

/** Equal seeds give equal objects. */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('Nothing to pick from');
  return value;
}

function anyValue(random: Random, node: SchemaNode, depth: number): unknown {
  switch (node.type) {
    case 'object':
      return anyObject(random, node, depth);
    case 'array':
      return Array.from({ length: Math.floor(random() * 3) }, () => anyValue(random, node.items, depth + 1));
    case 'map':
      return Object.fromEntries(
        Array.from({ length: Math.floor(random() * 2) }, () => [
          pick(random, strings),
          anyValue(random, node.values, depth + 1),
        ]),
      );
    case 'integer':
    case 'number':
      return pick(random, integers);
    case 'boolean':
      return random() < 0.5;
    case 'intOrString':
      return pick<string | number>(random, [...strings, ...integers]);
    case 'quantity':
      return pick(random, ['0', '1', '-1', '500m', '1Gi', '1e3']);
    case 'time':
    case 'microTime':
      return '2026-01-01T00:00:00Z';
    case 'bytes':
      return pick(random, ['', 'AA==']);
    case 'any':
      return pick<unknown>(random, [{}, 'a', 1, [], { matchLabels: {} }]);
    default:
      return pick(random, strings);
  }
}

function anyObject(random: Random, node: ObjectNode, depth: number): Record<string, unknown> {
  // Deep fields would hardly ever be reached if each had to be lucky on every level.
  const share = depth === 0 ? 0.95 : 0.5;
  const object: Record<string, unknown> = {};
  for (const field of node.fields.values()) {
    if (depth > depthMax || random() > share) continue;
    object[field.name] =
      field.enum.length > 0 && random() < 0.7 ? pick(random, field.enum) : anyValue(random, field.node, depth + 1);
  }
  return object;
}

/** As the registry receives an object of the resource. */
function receivedOf(resource: Resource, node: ObjectNode, random: Random): ApiObject {
  const raw = { ...anyObject(random, node, 0), metadata: { name: 'x', namespace: 'default', uid: 'u' } };
  const { error, object } = decodeObject(node, raw, { fieldValidation: 'Ignore' });
  if (error !== undefined) throw new Error(error);
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  const typed = { ...object, apiVersion, kind: resource.kind } as ApiObject;
  const complete = applyDefaults(resource.group, resource.version, resource.kind, typed);
  const stored = resourceTable.find((each) => each.group === resource.group && each.resource === resource.resource);
  return (stored === undefined ? undefined : converterOf(resource, stored)?.(complete)) ?? complete;
}

const served = resourceTable.filter(({ verbs }) => verbs.includes('create') && verbs.includes('list'));

describe.each(
  served.map((resource) => [`${resource.group}/${resource.version}/${resource.resource}`, resource]),
)('%s', (_name, resource) => {
  const strategy = strategyFor(resource);
  const node = facts.ofKind(resource.group, resource.version, resource.kind);
  if (node === undefined) throw new Error(`No facts about ${resource.kind}`);

  it('answers for anything of the right types, and changes nothing it was given', () => {
    const random = randomFrom(resource.resource.length * 7919);
    let previous: ApiObject | undefined;
    for (let count = 0; count < objectsPerKind; count++) {
      const object = receivedOf(resource, node, random);
      const before = JSON.stringify(object);
      const ready = strategy.prepareForCreate(object, testContext);
      const findings: FieldError[] = [...strategy.validate(ready, testContext)];
      if (previous !== undefined) {
        const next = strategy.prepareForUpdate(object, previous, testContext);
        findings.push(...strategy.validateUpdate(next, previous, testContext));
        for (const rules of Object.values(strategy.subresources ?? {})) {
          const changed = rules.prepareForUpdate(object, previous, testContext);
          findings.push(...rules.validateUpdate(changed, previous, testContext));
        }
      }
      strategy.warnings?.(object, previous);
      for (const value of Object.values(strategy.fieldSelectors ?? {})) expect(typeof value(object)).toBe('string');
      for (const { cell } of strategy.columns ?? []) cell(object, testContext.nowMs);
      strategy.rowConditions?.(object);
      strategy.gracefulDeletion?.(object, undefined);
      for (const finding of findings) expect(fieldErrorText(finding)).not.toContain('undefined');
      expect(JSON.stringify(object)).toBe(before);
      previous = object;
    }
  });
});
