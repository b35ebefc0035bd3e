import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Script } from './script.ts';

const folder = join(import.meta.dirname, 'testdata');
/** `WHERRY_WRITE_TRANSCRIPTS=1` writes what happens into the files, to be read before it is believed. */
const write = process.env['WHERRY_WRITE_TRANSCRIPTS'] === '1';

describe.each(readdirSync(folder).sort())('transcript %s', (name) => {
  it('is what happens', () => {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    const actual = replay(text);
    if (write) writeFileSync(path, actual);
    else expect(actual).toBe(text);
  });
});

/** The file with the answers that its commands get now; comments and empty lines stay. */
function replay(text: string): string {
  const script = new Script();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) lines.push(line, ...script.run(line.slice(2)));
    else if (line === '' || line.startsWith('#')) lines.push(line);
  }
  return lines.join('\n');
}
