import { describe, expect, it } from 'vitest';
import { loadYamlDocuments, yamlProblem } from './yaml.ts';

describe('loadYamlDocuments', () => {
  it.each([
    ['0644', 420],
    ['0o644', 420],
    ['0x1A', 26],
    ['1_000', 1000],
    ['yes', true],
    ['Off', false],
    ['"0644"', '0644'],
    ['22:22', '22:22'],
    ['2024-01-01', '2024-01-01'],
    ['089', 89],
    ['~', null],
  ])('reads %s', (text, expected) => {
    expect(loadYamlDocuments(`a: ${text}`)).toEqual([{ a: expected }]);
  });

  it('reads all documents of a text', () => {
    expect(loadYamlDocuments('a: 1\n---\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }]);
  });
});

describe('yamlProblem', () => {
  it('names the line', () => {
    expect(() => loadYamlDocuments('a: b\n c: [')).toThrow(
      expect.toSatisfy((error: unknown) => yamlProblem(error).startsWith('yaml: line 2: ')),
    );
  });
});
