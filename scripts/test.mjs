// npm test: everything a contributor needs to trust a change, from a fresh clone. Ends with "N passed, N failed".
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';

ensureInstalled();
const { root } = await import('./node24.mjs');
const { node24Step, runStep, tool } = await import('./steps.mjs');
const { runVitest, unitTests } = await import('./vitest.mjs');

/** A step without tests of its own counts as one. */
const counted = ({ ok }) => ({ ok, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });

const results = [
  counted(runStep('types', tool('tsc'), ['-p', '.'])),
  counted(runStep('lint', tool('biome'), ['check', '--error-on-warnings', '.'])),
  counted(node24Step('dead code', ['node_modules/knip/bin/knip.js'])),
  unitTests(),
];
/** Rings that run in a place of their own, which this script makes and removes. */
const insides = { faults: 'tests/faults/inside.ts' };
for (const ring of ['simulation', 'integration', 'docker', 'clients', 'hosts', 'compose', 'faults']) {
  const config = `tests/${ring}/vitest.config.ts`;
  const options = { inside: insides[ring], environment: { TESTCONTAINERS_RYUK_DISABLED: 'true' } };
  if (existsSync(join(root, config))) results.push(runVitest(`${ring} tests`, config, options));
}
const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
const skipped = total('skipped');
process.stdout.write(
  `\n${total('passed')} passed, ${total('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
);
process.exit(total('failed') === 0 ? 0 : 1);
