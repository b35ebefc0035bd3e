import { describe, expect, it } from 'vitest';
import { escapeFieldValue, exactFieldValue, fieldsMatch, parseFieldSelector } from './field-selector.ts';
import { formatLabelFilter, labelSelectorErrors, labelSelectorMatches, labelsMatch } from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';

describe('parseLabelSelector', () => {
  const labels = { app: 'web', tier: 'a', version: '3', 'example.com/x': '', in: 'in', empty: '' };

  it.each([
    ['', true],
    ['app=web', true],
    ['app==web,tier!=b', true],
    ['app!=web', false],
    ['missing!=web', true],
    ['tier in (a, b)', true],
    ['tier notin (a,b)', false],
    ['missing notin (a)', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['example.com/x', true],
    ['example.com/x=', true],
    ['version>2,version<4', true],
    ['version > 3', false],
    ['app>3', false],
    ['in in (in)', true],
    ['tier in (,a)', true],
    ['empty in (a,)', true],
  ])('%s matches: %s', (text, matches) => {
    expect(labelsMatch(parseLabelSelector(text), labels)).toBe(matches);
  });

  it.each([
    ['app=web,', "found '', expected: identifier after ','"],
    [',app', "found ',', expected: !, identifier, or 'end of string'"],
    ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
    ['app in a', "unable to parse requirement: found 'a' expected: '('"],
    ['app in (a b)', "unable to parse requirement: found 'b', expected: ',' or ')'"],
    [
      'app in ()',
      "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      'a>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    ['a b c', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    [
      '-a',
      `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  ])('refuses %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });

  it('is written back canonically', () => {
    expect(formatLabelFilter(parseLabelSelector('z!=1, a in (c,b),!m , x'))).toBe('a in (b,c),!m,x,z!=1');
    expect(formatLabelFilter(parseLabelSelector('a>1,b==2'))).toBe('a>1,b==2');
  });
});

describe('labelSelectorMatches', () => {
  it('selects nothing without a selector and everything with an empty one', () => {
    expect(labelSelectorMatches(undefined, { a: 'b' })).toBe(false);
    expect(labelSelectorMatches({}, undefined)).toBe(true);
  });

  it('joins labels and expressions', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['b'] },
        { key: 'gone', operator: 'DoesNotExist' },
      ],
    };
    expect(labelSelectorMatches(selector, { app: 'web' })).toBe(true);
    expect(labelSelectorMatches(selector, { app: 'web', tier: 'b' })).toBe(false);
    expect(labelSelectorMatches(selector, { app: 'web', gone: '' })).toBe(false);
  });

  it('reports bad selectors as upstream', () => {
    const errors = labelSelectorErrors(
      {
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'b', operator: 'Is' },
        ],
      },
      'spec.selector',
    );
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      'spec.selector.matchExpressions[1].operator: Invalid value: "Is": not a valid selector operator',
    ]);
  });
});

describe('parseFieldSelector', () => {
  const fields: Record<string, string> = { 'metadata.name': 'a,b', 'status.phase': 'Running' };
  const of = (field: string): string => fields[field] ?? '';

  it.each([
    ['', true],
    ['status.phase=Running', true],
    ['status.phase==Running,metadata.name!=x', true],
    ['status.phase!=Running', false],
    ['metadata.name=a\\,b', true],
    ['spec.nodeName=', true],
  ])('%s matches: %s', (text, matches) => {
    expect(fieldsMatch(parseFieldSelector(text), of)).toBe(matches);
  });

  it('escapes and finds exact values', () => {
    const value = 'a=b,c\\d';
    expect(exactFieldValue(parseFieldSelector(`x=${escapeFieldValue(value)}`), 'x')).toBe(value);
  });

  it('refuses terms without an operator', () => {
    expect(() => parseFieldSelector('a=b,c')).toThrow("invalid selector: 'a=b,c'; can't understand 'c'");
  });
});
