// Runs rings of vitest and counts what they ran.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24Step } from './steps.mjs';

/**
 * @param inside a script that runs vitest, given as its arguments, in a place of its own
 * @returns {{ok: boolean, passed: number, failed: number, skipped: number}}
 */
export function runVitest(name, config, { inside, environment, timeoutMs } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-vitest-'));
  const report = join(folder, 'report.json');
  try {
    const { ok } = node24Step(
      name,
      [
        ...(inside === undefined ? [] : [inside]),
        'node_modules/vitest/vitest.mjs',
        'run',
        '--config',
        config,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      { environment, timeoutMs },
    );
    return { ok, ...countsOf(report, ok) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that failed without counting a failed test (a crash, a file that cannot be loaded) counts as one. */
function countsOf(report, ok) {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
    counts = { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + (numTodoTests ?? 0) };
  } catch (error) {
    if (ok) throw error;
  }
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

export const unitTests = () => runVitest('unit tests', 'vitest.config.ts');
