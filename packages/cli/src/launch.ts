// What `./wherry` runs: finds the bundle of the command line, makes it when the sources changed, and becomes it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Bundle, ensureBundle } from './bundles/bundles.ts';

const root = resolve(import.meta.dirname, '../../..');
const bundle = await build();
if (bundle !== undefined) await import(pathToFileURL(bundle.file).href);

/** @returns undefined when the sources do not compile, which only somebody who changes them will see */
async function build(): Promise<Bundle | undefined> {
  try {
    return await ensureBundle(root, 'cli', 'packages/cli/src/main.ts');
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`wherry: Cannot compile the command line: ${error.message}\n`);
    process.exitCode = 1;
    return undefined;
  }
}
