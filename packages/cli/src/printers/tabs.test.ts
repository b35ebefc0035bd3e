import { describe, expect, it } from 'vitest';
import { alignTabs } from './tabs.ts';

const align = (text: string): string => alignTabs(text, { minWidth: 0, padding: 2 });

describe('alignTabs', () => {
  it('aligns lines that follow each other', () => {
    expect(align('Name:\tweb\nNamespace:\tdefault')).toBe('Name:       web\nNamespace:  default');
  });

  it('begins anew after a line without the column', () => {
    expect(align('A:\t1\nContainers:\nLonger:\t2')).toBe('A:  1\nContainers:\nLonger:  2');
  });

  it('counts an indent as part of its cell', () => {
    expect(align('IPs:\t\n  IP:\t10.0.0.1')).toBe('IPs:   \n  IP:  10.0.0.1');
  });

  it('gives a column of empty cells its padding', () => {
    expect(align('a\t\tb')).toBe('a    b');
  });

  it('leaves what follows the last tab as it is', () => {
    expect(align('a\tb \nlonger\tc')).toBe('a       b \nlonger  c');
  });

  it('counts letters, not bytes or halves of pairs', () => {
    expect(align('ü😀\tx\nabc\ty')).toBe('ü😀   x\nabc  y');
  });
});
