import { decodeProtobuf } from '../../packages/apiserver/src/http/protobuf/decode.ts';
import { encodeObject } from '../../packages/apiserver/src/http/protobuf/encode.ts';
import { samplePod } from './sample-pod.ts';

const REPEATS = 7;
const ROUNDS = 20_000;

/** What one Pod costs in protobuf, beside V8's own JSON functions on the same Pod, in the same run. */
export async function run(): Promise<void> {
  const pod = samplePod(7);
  const json = Buffer.from(JSON.stringify(pod));
  const protobuf = encodeObject(pod);
  const works: Readonly<Record<string, () => unknown>> = {
    'JSON.stringify to bytes': () => Buffer.from(JSON.stringify(pod)),
    'protobuf encode': () => encodeObject(pod),
    'JSON.parse of bytes': () => JSON.parse(json.toString()),
    'protobuf decode': () => decodeProtobuf(protobuf),
  };
  const figures = new Map<string, number[]>(Object.keys(works).map((name) => [name, []]));
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (const [name, work] of Object.entries(works)) figures.get(name)?.push(microseconds(work));
  }
  const lines = [...figures].map(([name, found]) => {
    const sorted = found.slice(1).sort((left, right) => left - right);
    const [least = 0, median = 0, most = 0] = [0, sorted.length >> 1, sorted.length - 1].map((at) => sorted[at]);
    return `${name.padEnd(26)}${median.toFixed(2).padStart(8)} µs   (${least.toFixed(2)} – ${most.toFixed(2)})`;
  });
  process.stdout.write(
    `A Pod of ${json.length} bytes of JSON, ${protobuf.length} bytes of protobuf\n${lines.join('\n')}\n`,
  );
}

function microseconds(work: () => unknown): number {
  const startMs = performance.now();
  for (let round = 0; round < ROUNDS; round++) work();
  return ((performance.now() - startMs) * 1000) / ROUNDS;
}
