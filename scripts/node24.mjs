// Runs the given script under the project's own Node 24, whatever Node started this one.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node 24 binary that npm installed for this platform; falls back to a running Node that is new enough. */
export function node24() {
  for (const name of [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]) {
    const path = join(root, 'node_modules', name, 'bin', 'node');
    if (existsSync(path)) return path;
  }
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(
    `No Node 24 for ${process.platform}-${process.arch}: run "npm ci" in ${root}, or install Node 24 or newer`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const done = spawnSync(node24(), process.argv.slice(2), { stdio: 'inherit', cwd: root });
  process.exit(done.status ?? 1);
}
