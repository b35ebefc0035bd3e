import { describe, expect, it } from 'vitest';
import { isMet, parseCondition } from './wait-condition.ts';

describe('parseCondition', () => {
  it.each([
    ['create', { kind: 'create' }],
    ['Delete', { kind: 'delete' }],
    ['condition=Ready', { kind: 'condition', name: 'Ready', value: 'true' }],
    ['condition=Ready=False', { kind: 'condition', name: 'Ready', value: 'False' }],
    ['jsonpath={.status.phase}=Running', { kind: 'jsonpath', path: '{.status.phase}', value: 'Running' }],
    ['jsonpath={.spec.x}', { kind: 'jsonpath', path: '{.spec.x}', value: undefined }],
    [`jsonpath='{.a[?(@.b=="c")].d}'=e`, { kind: 'jsonpath', path: '{.a[?(@.b=="c")].d}', value: 'e' }],
    ['jsonpath=.status.phase="Running"', { kind: 'jsonpath', path: '.status.phase', value: 'Running' }],
  ])('%s', (text, condition) => expect(parseCondition(text)).toEqual(condition));

  it.each([
    ['', /unrecognized condition: ""/],
    ['ready', /unrecognized/],
    ['condition=', /unrecognized/],
    ['jsonpath={.a}=', /has to have a value/],
  ])('refuses "%s"', (text, message) => expect(() => parseCondition(text)).toThrow(message));
});

describe('isMet', () => {
  const ready = {
    metadata: { name: 'a', generation: 2 },
    status: { phase: 'Running', observedGeneration: 2, conditions: [{ type: 'Ready', status: 'True' }] },
  };
  it.each([
    ['create', ready, true],
    ['create', undefined, false],
    ['delete', undefined, true],
    ['delete', ready, false],
    ['condition=ready', ready, true],
    ['condition=Ready=False', ready, false],
    ['condition=Other', ready, false],
    ['condition=Ready', undefined, false],
    ['condition=Ready', { ...ready, status: { ...ready.status, observedGeneration: 1 } }, false],
    ['jsonpath={.status.phase}=Running', ready, true],
    ['jsonpath={.status.phase}=Pending', ready, false],
    ['jsonpath={.status.phase}', ready, true],
    ['jsonpath={.status.none}', ready, false],
  ])('%s', (text, object, met) => expect(isMet(parseCondition(text), object)).toBe(met));

  it('refuses several values', () => {
    expect(() =>
      isMet(parseCondition('jsonpath={.status..type}=x'), { status: { a: [{ type: 'x' }, { type: 'y' }] } } as never),
    ).toThrow('more than one value');
  });
});
