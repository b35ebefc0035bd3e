import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { quoted } from './actions.ts';

it.each(['plain', 'with space', "it's", '$HOME `id` "x"', 'a\\b', ''])('quotes %j for a shell', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${quoted(text)}`], { encoding: 'utf8' })).toBe(text);
});
