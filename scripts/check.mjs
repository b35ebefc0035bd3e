// npm run check: types, lint, dead code, import rules and unit tests.
import { ensureInstalled } from './install.mjs';

ensureInstalled();
const { node24Step, runStep, tool } = await import('./steps.mjs');
const { unitTests } = await import('./vitest.mjs');

const steps = [
  () => runStep('types', tool('tsc'), ['-p', '.']).ok,
  () => runStep('lint', tool('biome'), ['check', '--error-on-warnings', '.']).ok,
  () => node24Step('dead code', ['node_modules/knip/bin/knip.js']).ok,
  () => unitTests().ok,
];
const failed = steps.map((step) => step()).filter((ok) => !ok).length;
process.exit(failed === 0 ? 0 : 1);
