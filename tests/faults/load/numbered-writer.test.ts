import { type ConfigMap, conflict, notFound, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { expect, it } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import { NumberedWriter } from './numbered-writer.ts';

/** ConfigMaps in memory, with what may go wrong with them. */
class Memory {
  readonly objects = new Map<string, ConfigMap>();
  /** Called before each write is answered; what it throws is the answer. */
  beforeAnswer: (count: number) => void = () => {};
  #revision = 0;

  get client(): ApiClient {
    const name = (object: ConfigMap): string => object.metadata?.name ?? '';
    const write = async (object: ConfigMap): Promise<ConfigMap> => {
      this.#revision += 1;
      const written = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
      this.objects.set(name(object), written);
      this.beforeAnswer(this.#revision);
      return written;
    };
    const fake = {
      create: async (_: unknown, object: ConfigMap) => write(object),
      update: async (_: unknown, object: ConfigMap) => {
        const present = this.objects.get(name(object))?.metadata?.resourceVersion;
        if (present !== object.metadata?.resourceVersion) throw conflict(resources.configmaps, name(object), 'changed');
        return write(object);
      },
      get: async (_: unknown, wanted: string) => {
        const found = this.objects.get(wanted);
        if (found === undefined) throw notFound(resources.configmaps, wanted);
        return found;
      },
      list: async () => ({ items: [...this.objects.values()] }),
    };
    return fake as unknown as ApiClient;
  }
}

async function written(memory: Memory, more: number): Promise<NumberedWriter> {
  const writer = new NumberedWriter({ client: memory.client, namespace: 'x', writers: 2, everyMs: 1 });
  writer.start();
  await eventually('it has written', () => expect(writer.acknowledged).toBeGreaterThan(more), { everyMs: 5 });
  await writer.stop();
  return writer;
}

it('NumberedWriter is content when everything is there, also what was not answered', async () => {
  const memory = new Memory();
  memory.beforeAnswer = (count) => {
    if (count % 7 === 0) throw new Error('connection lost');
  };
  const writer = await written(memory, 60);
  expect(await writer.problems()).toEqual([]);
  expect(writer.failures.get('connection lost')).toBeGreaterThan(5);
});

it('NumberedWriter finds what was acknowledged and is gone, and what went back', async () => {
  const memory = new Memory();
  const writer = await written(memory, 60);
  const [gone = '', back = ''] = memory.objects.keys();
  memory.objects.delete(gone);
  memory.objects.set(back, { metadata: { name: back }, data: { number: '0' } });
  expect(await writer.problems()).toEqual([
    `${gone} was acknowledged and is not there`,
    expect.stringMatching(new RegExp(`^${back} has 0, acknowledged was [1-9]`)),
  ]);
});

it('NumberedWriter measures the longest time without an acknowledgement', async () => {
  const memory = new Memory();
  const startMs = Date.now();
  const writer = await written(memory, 10);
  expect(writer.longestGapMs(startMs, Date.now())).toBeLessThan(1_000);
});
