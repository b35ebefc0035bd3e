import { VirtualClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { json, ScriptedTransport } from '../testing/scripted-transport.ts';
import { SwitchingTransport } from './switching-transport.ts';

class Closing extends ScriptedTransport {
  closed = false;
  override async close(): Promise<void> {
    this.closed = true;
  }
}

it('sends later requests with new credentials, and closes the old connections once requests had time to end', async () => {
  const clock = new VirtualClock();
  const made: Closing[] = [];
  const transport = new SwitchingTransport({ server: 'https://a', cert: '1' }, clock, ({ cert }) => {
    const next = new Closing(() => json(cert));
    made.push(next);
    return next;
  });
  await transport.request({ method: 'GET', path: '/1' });
  transport.use({ server: 'https://a', cert: '2' });
  await transport.request({ method: 'GET', path: '/2' });
  expect(made.map(({ requests }) => requests.map(({ path }) => path))).toEqual([['/1'], ['/2']]);
  expect(made.map(({ closed }) => closed)).toEqual([false, false]);
  await clock.advance(5_000);
  expect(made.map(({ closed }) => closed)).toEqual([true, false]);
  transport.use({ server: 'https://a', cert: '3' });
  await transport.close();
  expect(made.map(({ closed }) => closed)).toEqual([true, true, true]);
});
