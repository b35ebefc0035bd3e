import { describe, expect, it } from 'vitest';
import { changedTaints, parseTaints } from './taints.ts';

const a = { key: 'a', value: '1', effect: 'NoSchedule' };
const b = { key: 'a', effect: 'NoExecute' };

describe('taints', () => {
  it.each([
    ['sets', [], ['a=1:NoSchedule'], false, [a]],
    ['sets beside another effect', [b], ['a=1:NoSchedule'], false, [a, b]],
    ['overwrites', [{ ...a, value: '0' }], ['a=1:NoSchedule'], true, [a]],
    ['removes one effect', [a, b], ['a:NoExecute-'], false, [a]],
    ['removes a key', [a, b], ['a-'], false, []],
  ] as const)('%s', (_, current, words, overwrite, result) => {
    expect(changedTaints('n', current, parseTaints(words), overwrite)).toEqual(result);
  });

  it.each([
    [[a], ['a=2:NoSchedule'], 'node n already has a taint(s) with same effect(s) and --overwrite is false'],
    [[a], ['b-'], 'taint "b" not found'],
    [[a], ['a:NoExecute-'], 'taint "a:NoExecute" not found'],
  ])('refuses', (current, words, message) => {
    expect(() => changedTaints('n', current, parseTaints(words), false)).toThrow(message);
  });

  it.each([['a=b'], ['=b:NoSchedule'], ['a:Foo'], ['a=b=c:NoSchedule']])('cannot read %s', (word) => {
    expect(() => parseTaints([word])).toThrow(/invalid taint/);
  });
});
