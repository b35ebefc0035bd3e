import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from './debian.ts';
import { repository } from './repository.ts';
import { run, succeed } from './run.ts';

const folder = join(repository, '.cache', 'kubectl');
const unpacked = join(folder, 'usr', 'bin', 'kubectl');
let found: Promise<string> | undefined;

/** Path of an official kubectl: the machine's, or one unpacked from Debian's packages below `.cache`. */
export function officialKubectl(): Promise<string> {
  found ??= find();
  return found;
}

async function find(): Promise<string> {
  const installed = await run('sh', ['-c', 'command -v kubectl']);
  if (installed.code === 0) return installed.stdout.trim();
  if (!existsSync(unpacked)) await unpackFromDebian();
  return unpacked;
}

/** Debian's own mirror of this machine, asked for the release after it: bookworm's kubectl is 1.20, too old for our API. */
async function unpackFromDebian(): Promise<void> {
  const work = `${folder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  for (const part of ['lists/partial', 'archives/partial', 'tree']) mkdirSync(join(work, part), { recursive: true });
  writeFileSync(join(work, 'sources.list'), `deb [trusted=yes] ${debianMirror()} trixie main\n`);
  const options = [
    `Dir::Etc::sourcelist=${work}/sources.list`,
    'Dir::Etc::sourceparts=/nonexistent',
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  await succeed('apt-get', [...options, '-q', 'update'], { timeoutMs: 300_000 });
  await succeed('apt-get', [...options, '-q', 'download', 'kubernetes-client'], { timeoutMs: 300_000, cwd: work });
  const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get downloaded no kubernetes-client package');
  await succeed('dpkg', ['-x', join(work, archive), join(work, 'tree')]);
  rmSync(folder, { recursive: true, force: true });
  renameSync(join(work, 'tree'), folder);
  rmSync(work, { recursive: true, force: true });
}
