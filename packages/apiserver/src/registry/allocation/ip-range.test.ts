import { describe, expect, it } from 'vitest';
import { addressAt, freeOffset, isUsable, parseIpRange, staticBand } from './ip-range.ts';

const range = parseIpRange('10.96.0.0/24');

describe('ip range', () => {
  it('knows which addresses a Service may have', () => {
    expect(['10.96.0.1', '10.96.0.254'].map((address) => isUsable(range, address))).toEqual([true, true]);
    expect(['10.96.0.0', '10.96.0.255', '10.97.0.1', 'x'].map((address) => isUsable(range, address))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(addressAt(range, 10)).toBe('10.96.0.10');
  });

  it('gives from above the static band first, then from below, then nothing', () => {
    const taken = new Set<string>();
    const given: number[] = [];
    for (;;) {
      const offset = freeOffset(
        range,
        (address) => taken.has(address),
        (max) => max - 1,
      );
      if (offset === undefined) {
        break;
      }
      given.push(offset);
      taken.add(addressAt(range, offset));
    }
    const band = staticBand(range);
    expect(given).toHaveLength(254);
    expect(Math.min(...given.slice(0, 254 - band))).toBe(band + 1);
    expect(Math.max(...given.slice(254 - band))).toBe(band);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', 'fd00::/112', '10.0.0.0/30'])('refuses %s', (text) => {
    expect(() => parseIpRange(text)).toThrow('service range');
  });
});
