import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror, ensureProgram } from '../harness/debian.ts';
import { repository } from '../harness/repository.ts';
import { run, succeed } from '../harness/run.ts';

export interface BaseImages {
  /** What the image is made on. */
  readonly base: string;
  /** What its programs are compiled in. */
  readonly build: string;
}

const RELEASE = 'bookworm';
const packages = [
  'ca-certificates',
  'docker.io',
  'nftables',
  'iptables',
  'iproute2',
  'conntrack',
  'util-linux',
  'procps',
  'busybox',
];
const folder = join(repository, '.cache', 'compose');
const BASE = 'wherry-test/debian';
const BUILD = 'wherry-test/compiler';
const SLOW = { timeoutMs: 600_000 };

/** Images that come from no registry: Debian by debootstrap, and the same with this repository's own modules and Node. */
export async function ensureBaseImages(): Promise<BaseImages> {
  const base = `${BASE}:${digest([RELEASE, ...packages])}`;
  if (!(await hasImage(base))) await importDebian(base);
  const lock = readFileSync(join(repository, 'package-lock.json'), 'utf8');
  const build = `${BUILD}:${digest([base, lock])}`;
  if (!(await hasImage(build))) await addModules(base, build, lock);
  await Promise.all([forgetOthers(BASE, base), forgetOthers(BUILD, build)]);
  return { base, build };
}

/** The tree is kept as an archive, for engines that have lost or never had the image. */
async function importDebian(reference: string): Promise<void> {
  const archive = join(folder, `${reference.split(':')[1]}.tar`);
  if (!existsSync(archive)) await bootstrap(archive);
  await succeed('docker', ['import', archive, reference], SLOW);
}

async function bootstrap(archive: string): Promise<void> {
  await ensureProgram('debootstrap', 'debootstrap');
  mkdirSync(folder, { recursive: true });
  const tree = join(folder, 'tree');
  rmSync(tree, { recursive: true, force: true });
  await succeed(
    'debootstrap',
    ['--variant=minbase', `--include=${packages.join(',')}`, RELEASE, tree, debianMirror()],
    SLOW,
  );
  for (const waste of ['var/cache/apt/archives', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale'])
    rmSync(join(tree, waste), { recursive: true, force: true });
  await succeed('tar', ['-C', tree, '-cf', `${archive}.part`, '.'], SLOW);
  renameSync(`${archive}.part`, archive);
  rmSync(tree, { recursive: true });
}

/** What `npm ci --omit=dev` would have fetched, as it lies here. */
async function addModules(base: string, reference: string, lock: string): Promise<void> {
  const entries: Readonly<Record<string, { readonly dev?: boolean }>> = JSON.parse(lock).packages;
  const modules = Object.entries(entries)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && dev !== true)
    .map(([path]) => path)
    .filter((path) => existsSync(join(repository, path)));
  const node = modules.find((path) => /^node_modules\/node-(bin-)?linux-/.test(path));
  if (node === undefined) throw new Error('Cannot make an image to compile in: node_modules holds no Node for Linux');
  const work = join(folder, 'compiler');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const lines = [
    `FROM ${base}`,
    'COPY node_modules /wherry/node_modules',
    `RUN ln -s /wherry/${node}/bin/node /usr/local/bin/node`,
  ];
  writeFileSync(join(work, 'Dockerfile'), lines.join('\n'));
  const context = join(work, 'context.tar');
  await succeed('tar', ['-cf', context, '-C', work, 'Dockerfile', '-C', repository, ...modules], SLOW);
  await succeed('sh', ['-c', 'docker build -q -t "$1" - <"$2"', 'build', reference, context], SLOW);
  rmSync(work, { recursive: true });
}

async function hasImage(reference: string): Promise<boolean> {
  return (await run('docker', ['image', 'inspect', reference])).code === 0;
}

/** Former versions of an image of ours, which nobody will ask for again. */
async function forgetOthers(name: string, current: string): Promise<void> {
  const listed = await succeed('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}', name]);
  const others = listed.split('\n').filter((reference) => reference.startsWith(`${name}:`) && reference !== current);
  if (others.length > 0) await run('docker', ['rmi', ...others]);
  const kept = `${current.split(':')[1]}.tar`;
  if (name !== BASE || !existsSync(folder)) return;
  for (const entry of readdirSync(folder))
    if (entry.endsWith('.tar') && entry !== kept) rmSync(join(folder, entry), { force: true });
}

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16);
}
