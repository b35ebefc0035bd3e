// What `./wherry` runs: finds the bundle of the command line, makes it when the sources changed, and becomes it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBundle } from './bundles/bundles.ts';

const root = resolve(import.meta.dirname, '../../..');
const bundle = await ensureBundle(root, 'cli', 'packages/cli/src/main.ts');
await import(pathToFileURL(bundle.file).href);
