import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  milliValue,
  parseQuantity,
  quantityOf,
  quantityToNumber,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';

describe('canonicalQuantity', () => {
  it.each([
    ['0', '0'],
    ['0m', '0'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1Ki', '1Ki'],
    ['512', '512'],
    ['1000Ki', '1000Ki'],
    ['1000k', '1M'],
    ['123456789', '123456789'],
    ['1e3', '1e3'],
    ['1000e3', '1e6'],
    ['100e-3', '100e-3'],
    ['.5', '500m'],
    ['5.', '5'],
    ['-1.5', '-1500m'],
    ['+2', '2'],
    ['0.1n', '1n'],
    ['0.5Ki', '512'],
    ['1.0015Ki', '1026'],
    ['0.0001Ki', '102400u'],
    ['10E', '9223372036854775807'],
    ['1.5E', '1500P'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(['', 'a', '1.2.3', '1 ', 'Ki', '.', '1x', '--1'])('refuses %j', (text) => {
    expect(() => parseQuantity(text)).toThrow(/quantities must match the regular expression|unable to parse/);
  });

  it('refuses unknown suffixes as upstream', () => {
    expect(() => parseQuantity('1mi')).toThrow("unable to parse quantity's suffix");
    expect(() => parseQuantity('1Ki3')).toThrow("unable to parse quantity's suffix");
  });

  it('is stable', () => {
    for (const text of ['1.5Gi', '1e3', '250m', '3', '0.3Ki', '12345678901234567']) {
      const once = canonicalQuantity(text);
      expect(canonicalQuantity(once)).toBe(once);
      expect(compareQuantities(once, text)).toBe(0);
    }
  });
});

describe('amounts', () => {
  it('rounds up', () => {
    expect(milliValue('100m')).toBe(100);
    expect(milliValue('2')).toBe(2000);
    expect(milliValue('1u')).toBe(1);
    expect(milliValue('0.1')).toBe(100);
    expect(quantityValue('1500m')).toBe(2);
    expect(quantityValue('1Ki')).toBe(1024);
    expect(quantityToNumber('1500m')).toBe(1.5);
  });

  it('adds and compares exactly', () => {
    expect(addQuantities('100m', '0.9')).toBe('1');
    expect(addQuantities('0', '1Gi')).toBe('1Gi');
    expect(subtractQuantities('1Gi', '512Mi')).toBe('512Mi');
    expect(compareQuantities('1Gi', '1G')).toBe(1);
    expect(compareQuantities('1', '1000m')).toBe(0);
    expect(quantityOf(2048, 'binarySI')).toBe('2Ki');
  });
});
