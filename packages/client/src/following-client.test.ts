import { resources } from '@wherry/api';
import { Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { createFollowingClient } from './following-client.ts';
import { json, ScriptedTransport } from './testing/scripted-transport.ts';
import type { ServerConnection } from './transport/undici-transport.ts';

it('takes up credentials that change, and keeps those it has when the new ones cannot be read', async () => {
  const clock = new VirtualClock();
  const scope = new Scope('test', silentLogger);
  const used: string[] = [];
  let file: string | undefined = '1';
  const read = (): ServerConnection => {
    if (file === undefined) throw new Error('half written');
    return { server: 'https://a', cert: file };
  };
  const connect = ({ cert = '' }: ServerConnection) =>
    new ScriptedTransport(() => {
      used.push(cert);
      return json({ metadata: { name: 'n' } });
    });
  const client = createFollowingClient({ read, clock, logger: silentLogger, scope, connect });
  for (const content of ['1', undefined, '2'] as const) {
    file = content;
    await clock.advance(30_000);
    await client.get(resources.nodes, 'n');
  }
  expect(used).toEqual(['1', '1', '2']);
  const closing = scope.close();
  await clock.advance(0);
  await closing;
});
