import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ImageSource, Layer, LayerEntry } from '@wherry/images';
import type { Context } from '../context.ts';
import { runProgram } from '../daemons/run-program.ts';
import { findProgram } from '../engine/host-facts.ts';
import { Failure } from '../failure.ts';

/** The versions that the tour rolls between. They differ only in what they answer. */
const versions = ['1', '2'] as const;

/** Of busybox, when this machine has it: enough to look around in a pod. */
const applets = [
  'sh',
  'ls',
  'cat',
  'ps',
  'env',
  'ip',
  'wget',
  'nslookup',
  'ping',
  'sleep',
  'hostname',
  'id',
  'kill',
  'mount',
  'vi',
];

const HEAD_BYTES = 4096;

/** Name services that the C library loads by itself, where they are not part of it. */
const loadedLibraries = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];

/**
 * The sample images, made of files on this machine: this Node, the libraries it is linked with, busybox where there is
 * one, and examples/echo/server.mjs. 130 MB once on the engine; in return the server is a page of JavaScript that can be
 * read and changed, keeps connections alive and leaves gracefully, which no small ready-made server does.
 */
export async function echoImages(context: Context): Promise<readonly ImageSource[]> {
  const server = await readFile(join(context.root, 'examples/echo/server.mjs'));
  const files = await filesOf(context);
  const stamps = await Promise.all(
    files.map(async ({ from }) => `${from} ${(await stat(from)).size} ${(await stat(from)).mtimeMs}`),
  );
  const contentKey = createHash('sha256').update(server).update(stamps.join('\n')).digest('hex').slice(0, 32);
  let base: Promise<Layer> | undefined;
  const application: Layer = [{ kind: 'file', path: 'app/server.mjs', mode: 0o644, content: server }];
  return versions.map((version) => ({
    reference: `wherry/echo:${version}`,
    contentKey,
    config: {
      Entrypoint: ['/bin/node', '/app/server.mjs'],
      Env: ['PATH=/bin', `VERSION=${version}`],
      WorkingDir: '/app',
      User: '65534:65534',
      ExposedPorts: { '8080/tcp': {} },
    },
    layers: async () => {
      base ??= baseLayer(files);
      return [await base, application];
    },
  }));
}

interface FileToPack {
  readonly from: string;
  /** Path in the image. */
  readonly to: string;
}

async function filesOf(context: Context): Promise<readonly FileToPack[]> {
  if (context.platform !== 'linux')
    throw new Failure(`this is ${context.platform}, and the image needs a Node for Linux`);
  const busybox = findProgram('busybox', context.environment['PATH']);
  const libraries = new Set(await librariesOf(context, context.node));
  for (const path of busybox === undefined ? [] : await librariesOf(context, busybox)) libraries.add(path);
  const folder = dirname([...libraries].find((path) => path.includes('/libc.')) ?? '/lib/libc.so');
  for (const name of loadedLibraries) {
    const found = await stat(join(folder, name)).then(
      () => true,
      () => false,
    );
    if (found) libraries.add(join(folder, name));
  }
  return [
    { from: context.node, to: 'bin/node' },
    ...(busybox === undefined ? [] : [{ from: busybox, to: 'bin/busybox' }]),
    ...[...libraries].map((path) => ({ from: path, to: path.slice(1) })),
  ];
}

/** Shared libraries of a program, as the dynamic linker finds them here; none for a static one. */
async function librariesOf(context: Context, program: string): Promise<readonly string[]> {
  if (!(await isDynamic(program))) return [];
  const listing = await runProgram('ldd', [program], context);
  return listing
    .split('\n')
    .map((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1])
    .filter((path) => path !== undefined);
}

/** A program that needs shared libraries names its dynamic linker near its beginning. */
async function isDynamic(program: string): Promise<boolean> {
  const file = await open(program, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return /\/ld-(linux|musl)/.test(buffer.toString('latin1'));
  } finally {
    await file.close();
  }
}

async function baseLayer(files: readonly FileToPack[]): Promise<Layer> {
  const packed = await Promise.all(
    files.map(
      async ({ from, to }): Promise<LayerEntry> => ({
        kind: 'file',
        path: to,
        mode: 0o755,
        content: await readFile(from),
      }),
    ),
  );
  const hasBusybox = files.some(({ to }) => to === 'bin/busybox');
  const links: readonly LayerEntry[] = hasBusybox
    ? applets.map((name) => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' }))
    : [];
  const passwords = 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n';
  return [
    ...packed,
    ...links,
    { kind: 'file', path: 'etc/passwd', mode: 0o644, content: Buffer.from(passwords) },
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
  ];
}
