// What the image holds of wherry: a bundle of each program, Node 24, and what the command line makes samples of.
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureBundle } from '../packages/cli/src/bundles/bundles.ts';

const root = dirname(import.meta.dirname);
const out = process.argv[2];
if (out === undefined) throw new Error('Say where to put the programs: programs.ts <folder>');

const names = (await readdir(join(root, 'packages'))).filter((name) =>
  existsSync(join(root, 'packages', name, 'src', 'main.ts')),
);
for (const name of names) {
  const bundle = await ensureBundle(root, name, `packages/${name}/src/main.ts`);
  await cp(dirname(bundle.file), join(out, 'lib', 'programs', name), { recursive: true });
}
await cp(join(root, 'examples'), join(out, 'examples'), { recursive: true });
await mkdir(join(out, 'bin'), { recursive: true });
await cp(process.execPath, join(out, 'bin', 'node'));
const launcher = join(out, 'bin', 'wherry');
await writeFile(launcher, '#!/bin/sh\nexec /opt/wherry/bin/node /opt/wherry/lib/programs/cli/main.mjs "$@"\n');
await chmod(launcher, 0o755);
