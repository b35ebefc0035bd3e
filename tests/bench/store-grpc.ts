import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureProgram } from '../harness/debian.ts';
import { eventually } from '../harness/eventually.ts';
import { repository } from '../harness/repository.ts';
import { run as runProgram } from '../harness/run.ts';
import { freePorts, StoreProcesses } from '../harness/store-processes.ts';

const REPEATS = 5;
const SECONDS = 3;
const VALUE = Buffer.alloc(256, 0x61);
const KEY = Buffer.from('/bench/1');

interface Shape {
  readonly what: string;
  readonly clients: number;
  readonly streams: number;
}

const shapes: readonly Shape[] = [
  { what: '64 connections, one at a time', clients: 64, streams: 1 },
  { what: '16 connections × 16 streams', clients: 16, streams: 16 },
  { what: '1 connection × 64 streams', clients: 1, streams: 64 },
];

/** Row 7's second half: durable puts and linearizable reads over gRPC, the same load generator on both stores. */
export async function run(): Promise<void> {
  await ensureProgram('h2load', 'nghttp2-client');
  await ensureProgram('etcd', 'etcd-server');
  const store = await StoreProcesses.make(1);
  const [ours = 0, , , theirs = 0, peer = 0] = await freePorts(5);
  const children: ChildProcess[] = [];
  try {
    const pki = join(store.folder, 'pki');
    const member = join(repository, 'tests/bench/open-member.ts');
    children.push(
      spawn(process.execPath, [member, pki, join(store.folder, 'bench'), String(ours)], { stdio: 'inherit' }),
    );
    children.push(startEtcd(pki, join(store.folder, 'etcd'), theirs, peer));
    const put = join(store.folder, 'put.bin');
    const get = join(store.folder, 'get.bin');
    await writeFile(put, framed(Buffer.concat([field(1, KEY), field(2, VALUE)])));
    await writeFile(get, framed(field(1, KEY)));
    for (const port of [ours, theirs]) {
      await eventually('a store serves', () => load(port, 'Put', put, { what: '', clients: 1, streams: 1 }, 1));
    }
    for (const [what, method, body] of [
      ['durable put 256 B', 'Put', put],
      ['linearizable get 256 B', 'Range', get],
    ] as const) {
      for (const shape of shapes) await compare(`${what}, ${shape.what}`, ours, theirs, method, body, shape);
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await store.close();
  }
}

async function compare(
  what: string,
  ours: number,
  theirs: number,
  method: string,
  body: string,
  shape: Shape,
): Promise<void> {
  const figures: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] };
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    figures.ours.push(await load(ours, method, body, shape, SECONDS));
    figures.theirs.push(await load(theirs, method, body, shape, SECONDS));
  }
  const mine = summary(figures.ours);
  const peer = summary(figures.theirs);
  const ratio = (mine.median / peer.median).toFixed(2);
  process.stdout.write(`${what}\n  wherry ${mine.text}\n  etcd   ${peer.text}\n  ratio  ${ratio}\n`);
}

/** @returns requests a second; throws unless each was answered well */
async function load(port: number, method: string, body: string, shape: Shape, seconds: number): Promise<number> {
  const { stdout } = await runProgram('h2load', [
    `--duration=${seconds}`,
    `--clients=${shape.clients}`,
    `--max-concurrent-streams=${shape.streams}`,
    `--data=${body}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `https://127.0.0.1:${port}/etcdserverpb.KV/${method}`,
  ]);
  const done = /requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored/.exec(stdout);
  const [, succeeded = '0', failed = '0', errored = '0'] = done ?? [];
  if (Number(succeeded) === 0 || Number(failed) + Number(errored) > 0) {
    throw new Error(`h2load did not load port ${port}:\n${stdout}`);
  }
  return Number(succeeded) / seconds;
}

/** It asks for no client certificate, because h2load cannot show one; so does our door in `open-member.ts`. */
function startEtcd(pki: string, dataDir: string, port: number, peerPort: number): ChildProcess {
  const url = `https://127.0.0.1:${port}`;
  return spawn('etcd', [
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--cert-file=${join(pki, 'etcd/server.crt')}`,
    `--key-file=${join(pki, 'etcd/server.key')}`,
    '--log-level=error',
  ]);
}

function summary(figures: readonly number[]): { readonly median: number; readonly text: string } {
  const sorted = figures.map(Math.round).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return { median, text: `${median}/s (${sorted[0]}–${sorted.at(-1)})` };
}

/** One gRPC message: flag, length, protobuf. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function field(number: number, bytes: Buffer): Buffer {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
