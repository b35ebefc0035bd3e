import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreClient } from '@wherry/store/client';
import { run as runProgram } from '../harness/run.ts';
import { StoreProcesses } from '../harness/store-processes.ts';
import { run as runGrpc } from './store-grpc.ts';

const REPEATS = 5;
const SECONDS = 3;
const VALUE = Buffer.alloc(256, 0x61);
const PORT = 23_790;

interface Figure {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Rows 6 and 7 of the scoreboard: durable puts of 256 bytes, one member, 1 and 64 clients, beside etcd if it is there. */
export async function run(): Promise<void> {
  const store = await StoreProcesses.make(1);
  const etcd = await startEtcd(store);
  store.start(0);
  const client = await store.client();
  try {
    for (const concurrency of [1, 64]) {
      const ours: Figure[] = [];
      const theirs: Figure[] = [];
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        ours.push(await loadStore(client, concurrency));
        if (etcd !== undefined) theirs.push(await loadEtcd(store, concurrency));
      }
      report(`durable put 256 B, ${concurrency} in flight, one connection`, ours, theirs);
    }
    const reads: Figure[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++)
      reads.push(await load(64, () => client.range({ key: '/bench/1' })));
    report('linearizable read, 64 in flight', reads, []);
  } finally {
    etcd?.kill('SIGKILL');
    await store.close();
  }
  if (etcd !== undefined) await runGrpc();
}

async function loadStore(client: StoreClient, concurrency: number): Promise<Figure> {
  const before = (await client.status()).revision;
  let sent = 0;
  const figure = await load(concurrency, async () => {
    await client.put({ key: `/bench/${sent++ % 1000}`, value: VALUE });
  });
  const gained = (await client.status()).revision - before;
  if (gained !== sent) throw new Error(`${sent} puts were sent, but ${gained} revisions gained`);
  return figure;
}

async function load(concurrency: number, request: () => Promise<unknown>): Promise<Figure> {
  const latencies: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + SECONDS * 1000;
  const worker = async () => {
    for (let nowMs = performance.now(); nowMs < endMs; ) {
      await request();
      const doneMs = performance.now();
      latencies.push(doneMs - nowMs);
      nowMs = doneMs;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / seconds, p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0 };
}

async function startEtcd(store: StoreProcesses): Promise<ChildProcess | undefined> {
  const found = await runProgram('sh', ['-c', 'command -v etcd && command -v h2load']);
  if (found.code !== 0) return undefined;
  const pki = (file: string) => join(store.folder, 'pki', file);
  const url = `https://127.0.0.1:${PORT}`;
  const etcd = spawn('etcd', [
    `--data-dir=${join(store.folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=http://127.0.0.1:${PORT + 1}`,
    `--cert-file=${pki('etcd/server.crt')}`,
    `--key-file=${pki('etcd/server.key')}`,
    // Given a CA it would ask for a client certificate, which h2load cannot show; the cost is one handshake.
    '--log-level=error',
  ]);
  // Put of key "/bench/1" with 256 bytes, as a gRPC message: flag, length, fields 1 and 2.
  const key = Buffer.from('/bench/1');
  const body = Buffer.concat([Buffer.from([10, key.length]), key, Buffer.from([18, 0x80, 0x02]), VALUE]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  await writeFile(join(store.folder, 'put.bin'), Buffer.concat([head, body]));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return etcd;
}

async function loadEtcd(store: StoreProcesses, concurrency: number): Promise<Figure> {
  const { stdout } = await runProgram('h2load', [
    `--duration=${SECONDS}`,
    '--clients=1',
    `--max-concurrent-streams=${concurrency}`,
    `--data=${join(store.folder, 'put.bin')}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `https://127.0.0.1:${PORT}/etcdserverpb.KV/Put`,
  ]);
  const done = /requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded/.exec(stdout);
  if (done === null || Number(done[2]) === 0) throw new Error(`h2load did not load etcd:\n${stdout}`);
  return { perSecond: Number(done[2]) / SECONDS, p99Ms: Number.NaN };
}

function report(what: string, ours: readonly Figure[], theirs: readonly Figure[]): void {
  const show = (figures: readonly Figure[]) => {
    const sorted = figures.map(({ perSecond }) => perSecond).sort((a, b) => a - b);
    const [min = 0, median = 0, max = 0] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((x) =>
      Math.round(x ?? 0),
    );
    return { median, text: `${median}/s (${min}–${max})` };
  };
  const mine = show(ours);
  const p99 = Math.max(...ours.map(({ p99Ms }) => p99Ms)).toFixed(2);
  process.stdout.write(`${what}\n  wherry ${mine.text}, worst p99 ${p99} ms\n`);
  if (theirs.length === 0) return;
  const peer = show(theirs);
  process.stdout.write(`  etcd   ${peer.text}\n  ratio  ${(mine.median / peer.median).toFixed(2)}\n`);
}
