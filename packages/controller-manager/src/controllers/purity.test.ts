import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Only a controller's shell may wait, write or read the clock; everything beside it is its plan. */
it('every file of a controller but its shell is pure', () => {
  const plans = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('controller.ts'),
  );
  expect(plans.length).toBeGreaterThan(20);
  const impure = plans.filter((path) => {
    const code = readFileSync(join(folder, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
    const imports = code.match(
      /import (?!type )[^;]*?from '(?:node:[^']*|@wherry\/(?:client|daemon)|[^']*\/spine\/[^']*)'/g,
    );
    return (
      imports !== null || /\b(?:async|await|Date\.now|Math\.random)\b|new Date\(\)/.test(code.replace(/'[^'\n]*'/g, ''))
    );
  });
  expect(impure).toEqual([]);
});
