import { expect, test } from 'vitest';
import { checkNonSpecialIp, contains, isIpv6, isStrictSubset, parseCidr, parseIp } from './addresses.ts';
import type { Findings } from './findings.ts';

test.each([
  ['10.0.0.1', 4],
  ['010.0.0.1', 4],
  ['256.0.0.1', 0],
  ['1.2.3', 0],
  ['::', 16],
  ['::1', 16],
  ['2001:db8::ffff', 16],
  ['1:2:3:4:5:6:7:8', 16],
  ['1:2:3:4:5:6:7', 0],
  ['1::2::3', 0],
  ['::ffff:1.2.3.4', 16],
  ['fe80::g', 0],
  ['', 0],
])('%s has %d bytes', (text, length) => {
  expect(parseIp(text)?.length ?? 0).toBe(length);
});

test('ranges', () => {
  const block = parseCidr('10.96.0.0/12');
  const address = parseIp('10.100.1.1');
  if (block === undefined || address === undefined) throw new Error('The addresses of this test are good');
  expect(contains(block, address)).toBe(true);
  expect(contains(block, parseIp('10.112.0.0') ?? [])).toBe(false);
  expect(isStrictSubset(block, parseCidr('10.96.1.0/24') ?? block)).toBe(true);
  expect(isStrictSubset(block, block)).toBe(false);
  expect(parseCidr('10.0.0.0/33')).toBeUndefined();
  expect(isIpv6('::1')).toBe(true);
});

test.each([
  ['0.0.0.0', 'may not be unspecified (0.0.0.0)'],
  ['127.1.2.3', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['169.254.169.254', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  ['224.0.0.9', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
])('%s %s', (address, expected) => {
  const findings: Findings = [];
  checkNonSpecialIp(findings, address, 'ip');
  expect(findings.map(({ message }) => message)).toEqual([`Invalid value: "${address}": ${expected}`]);
});
