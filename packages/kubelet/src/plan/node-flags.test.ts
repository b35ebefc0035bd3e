import { expect, it } from 'vitest';
import { hollowAddress } from './hollow-address.ts';
import { parseLabels, parseTaint } from './node-flags.ts';

it('parseLabels keeps what stands behind the first equals sign', () => {
  expect(parseLabels(['type=hollow', 'empty='])).toEqual({ type: 'hollow', empty: '' });
});

it.each([
  ['a=b:NoSchedule', { key: 'a', value: 'b', effect: 'NoSchedule' }],
  ['a:NoExecute', { key: 'a', effect: 'NoExecute' }],
])('parseTaint reads %s', (flag, taint) => {
  expect(parseTaint(flag)).toEqual(taint);
});

it.each(['a=b', 'a=b:Never', ':NoSchedule'])('parseTaint refuses %s', (flag) => {
  expect(() => parseTaint(flag)).toThrow('write key=value:effect');
});

it.each([
  [0, '127.128.0.1'],
  [254, '127.128.0.255'],
  [255, '127.128.1.0'],
  [9_999, '127.128.39.16'],
])('hollowAddress gives node %d the address %s', (index, address) => {
  expect(hollowAddress('127.128.0.0/16', index)).toBe(address);
});

it('hollowAddress refuses more nodes than the network has addresses', () => {
  expect(() => hollowAddress('127.128.0.0/30', 3)).toThrow(/network 127\.128\.0\.0\/30 is full/);
  expect(() => hollowAddress('nonsense', 0)).toThrow(/write an IPv4 CIDR/);
});
