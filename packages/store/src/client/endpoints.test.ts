import { type Duplex, duplexPair, Transform } from 'node:stream';
import { type Logger, seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStoreClient } from './store-client.ts';
import { Member } from './testing/member.ts';
import type { StoreClient } from './types.ts';

/** Below what one endpoint may take to connect: whoever waits for a silent member is late. */
const SOON_MS = 2_500;

describe('a store client with several endpoints', () => {
  let member: Member;
  let client: StoreClient | undefined;
  beforeEach(async () => {
    member = new Member();
    await member.start();
  });
  afterEach(async () => {
    await client?.close();
    await member.stop();
  });

  function connectTo(streams: Readonly<Record<string, () => Duplex>>, logger: Logger = silentLogger): StoreClient {
    client = createStoreClient({
      endpoints: Object.keys(streams),
      connector: async (endpoint) => streams[endpoint]?.() ?? Promise.reject(new Error('connection refused')),
      clock: systemClock,
      random: seededRandom(1),
      logger,
    });
    return client;
  }

  /** A paused process: its kernel accepts, nobody answers. */
  const silent = (): Duplex => duplexPair()[0];

  it('tells once that nobody is there, however often it tries, and once that somebody is', async () => {
    const told: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (_facts: object, message: string) => void told.push(message),
      info: (_facts: object, message: string) => void told.push(message),
    };
    let tries = 0;
    const late = (): Duplex => {
      tries += 1;
      if (tries < 5) throw new Error('connection refused');
      return member.connect();
    };
    await connectTo({ late }, logger).put({ key: '/a', value: 'x' });
    expect(tries).toBeGreaterThanOrEqual(5);
    expect(told).toEqual(['store endpoint not usable', 'store endpoint is usable again']);
  });

  it('is not kept waiting by one that accepts and says nothing', async () => {
    const store = connectTo({ paused: silent, alive: () => member.connect() });
    const startMs = Date.now();
    await store.put({ key: '/a', value: 'x' });
    expect(Date.now() - startMs).toBeLessThan(SOON_MS);
  });

  it('leaves one that went silent, and its watches go on elsewhere without a gap', async () => {
    let muted = false;
    let connections = 0;
    const mutable = (): Duplex => {
      connections += 1;
      if (muted) return silent();
      const [here, there] = duplexPair();
      const mute = () => new Transform({ transform: (chunk, _, done) => (muted ? done() : done(null, chunk)) });
      const inner = member.connect();
      there.pipe(mute()).pipe(inner);
      inner.pipe(mute()).pipe(there);
      return here;
    };
    let others = 0;
    const other = (): Duplex => {
      others += 1;
      if (!muted) throw new Error('connection refused');
      return member.connect();
    };
    const store = connectTo({ first: mutable, second: other });
    const { revision } = await store.put({ key: '/a/0', value: '' });
    const seen: string[] = [];
    const watch = store.watch({ key: '/a/', rangeEnd: '/a0', startRevision: revision });
    const watching = (async () => {
      for await (const { events } of watch) for (const { kv } of events) seen.push(kv.key.toString());
    })();
    while (seen.length < 1) await systemClock.sleep(5);
    expect([connections, others]).toEqual([1, 1]);
    muted = true;
    // In flight when the member went silent: what became of it nobody knows.
    const lost = store.put({ key: '/a/lost', value: '' });
    await expect(lost).rejects.toMatchObject({ kind: 'connectionLost', outcome: 'unknown' });
    await store.put({ key: '/a/1', value: '' });
    while (seen.length < 2) await systemClock.sleep(5);
    watch.close();
    await watching;
    expect(seen).toEqual(['/a/0', '/a/1']);
  });

  it('does not leave one that has nothing to say', async () => {
    let connections = 0;
    const counted = (): Duplex => {
      connections += 1;
      return member.connect();
    };
    const store = connectTo({
      alive: counted,
      refused: () => {
        throw new Error('connection refused');
      },
    });
    await store.status();
    await systemClock.sleep(2_200);
    await store.status();
    expect(connections).toBe(1);
  });
});
