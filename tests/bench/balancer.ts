import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { controlPlaneWishes, ensureTree } from '@wherry/pki';
import { repository } from '../harness/repository.ts';
import type { BenchBackend } from './balancer-backend.ts';

const REPEATS = 5;
const STREAMS = 4;
const STREAM_BYTES = 128 * 2 ** 20;
const DIALS = 2000;
const DIALS_AT_ONCE = 32;
const IDLE_MS = 10_000;
/** Of `/proc/<pid>/stat`, on every Linux we know. */
const TICKS_PER_SECOND = 100;

interface Figure {
  readonly direct: number;
  readonly balanced: number;
}

/**
 * What the balancer costs: bytes and connections through it, beside the same without it. Client, backend and balancer
 * share this machine's cores, so the ratio says what a laptop notices, not what the balancer could do alone.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-balancer-'));
  const names = { ipAddresses: [], dnsNames: [], serviceIp: '10.96.0.1', clusterDomain: 'cluster.local' };
  await ensureTree(join(folder, 'pki'), controlPlaneWishes(names), Date.now());
  const read = (file: string) => readFile(join(folder, 'pki', file), 'utf8');
  const [cert, key] = await Promise.all([read('apiserver.crt'), read('apiserver.key')]);
  const settings: BenchBackend = { cert, key, downloadBytes: STREAM_BYTES };
  const backend = new Worker(new URL('./balancer-backend.ts', import.meta.url), { workerData: settings });
  const [backendPort]: number[] = await once(backend, 'message');
  const { child, port } = await startBalancer(join(folder, 'pki/ca.crt'), backendPort ?? 0);
  try {
    const bytes: Figure[] = [];
    const dials: Figure[] = [];
    const cpu: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const direct = await download(backendPort ?? 0);
      const before = cpuSeconds(child);
      bytes.push({ direct, balanced: await download(port) });
      cpu.push((cpuSeconds(child) - before) / ((STREAMS * STREAM_BYTES) / 2 ** 30));
      dials.push({ direct: await dialAll(backendPort ?? 0), balanced: await dialAll(port) });
    }
    report(`${STREAMS} downloads of ${STREAM_BYTES / 2 ** 20} MiB, MiB/s`, bytes);
    report(`connect, one byte each way, close; ${DIALS_AT_ONCE} at once, per second`, dials);
    const before = cpuSeconds(child);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const idle = ((cpuSeconds(child) - before) / (IDLE_MS / 1000)) * 100;
    process.stdout.write(`balancer: ${median(cpu).toFixed(2)} CPU s per GiB; idle ${idle.toFixed(1)} % of a core\n`);
  } finally {
    child.kill('SIGKILL');
    await backend.terminate();
    await rm(folder, { recursive: true });
  }
}

async function startBalancer(authority: string, backendPort: number): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(
    process.execPath,
    [
      join(repository, 'packages/balancer/src/main.ts'),
      '--listen=127.0.0.1:0',
      `--backend=127.0.0.1:${backendPort}`,
      `--backend-ca-file=${authority}`,
      '--backend-server-name=kubernetes',
      '--healthz-bind-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let port: number | undefined;
  let isReady = false;
  for await (const text of createInterface({ input: child.stdout })) {
    const line: { readonly msg?: string; readonly address?: string } = JSON.parse(text);
    if (line.msg === 'listening') port = Number(line.address?.split(':').at(-1));
    if (line.msg === 'backend is ready') isReady = true;
    if (port !== undefined && isReady) return { child, port };
  }
  throw new Error('The balancer ended before it was ready');
}

/** @returns MiB per second */
async function download(port: number): Promise<number> {
  const startMs = performance.now();
  const received = await Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const socket = connect(port, '127.0.0.1');
      let bytes = 0;
      socket.on('data', (data: Buffer) => {
        bytes += data.length;
      });
      socket.write('d');
      await once(socket, 'close');
      return bytes;
    }),
  );
  const short = received.find((bytes) => bytes !== STREAM_BYTES);
  if (short !== undefined) throw new Error(`A download brought ${short} of ${STREAM_BYTES} bytes`);
  return (STREAMS * STREAM_BYTES) / 2 ** 20 / ((performance.now() - startMs) / 1000);
}

/** @returns connections per second */
async function dialAll(port: number): Promise<number> {
  const startMs = performance.now();
  let left = DIALS;
  const worker = async () => {
    while (left-- > 0) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.write('x');
      const [answer] = await once(socket, 'data');
      if (String(answer) !== 'x') throw new Error(`The backend answered "${answer}"`);
      if (!socket.closed) await once(socket, 'close');
    }
  };
  await Promise.all(Array.from({ length: DIALS_AT_ONCE }, worker));
  return DIALS / ((performance.now() - startMs) / 1000);
}

function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function report(what: string, figures: readonly Figure[]): void {
  const show = (values: readonly number[]) =>
    `${Math.round(median(values))} (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})`;
  const direct = figures.map((figure) => figure.direct);
  const balanced = figures.map((figure) => figure.balanced);
  const ratio = (median(balanced) / median(direct)).toFixed(2);
  process.stdout.write(`${what}\n  direct ${show(direct)}, balanced ${show(balanced)}, ratio ${ratio}\n`);
}
