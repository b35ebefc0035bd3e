import { expect, it } from 'vitest';
import { parseOutput } from './output-format.ts';

it.each([
  [undefined, { kind: 'table', wide: false }],
  ['wide', { kind: 'table', wide: true }],
  ['name', { kind: 'name' }],
  ['jsonpath={.a}', { kind: 'jsonpath', template: '{.a}' }],
  ['jsonpath={.a=="b"}', { kind: 'jsonpath', template: '{.a=="b"}' }],
  [
    'custom-columns=A:.a,B:.b.c',
    {
      kind: 'custom-columns',
      columns: [
        { heading: 'A', path: '.a' },
        { heading: 'B', path: '.b.c' },
      ],
    },
  ],
])('reads %s', (text, format) => expect(parseOutput(text)).toEqual(format));

it.each([
  ['foo', /printer suitable for the output format "foo"/],
  ['jsonpath', /no template given/],
  ['custom-columns', /no custom columns given/],
  ['custom-columns=A', /expected <header>:<json-path-expr>/],
])('refuses %s', (text, message) => expect(() => parseOutput(text)).toThrow(message));
