import { createMetrics, type LogFields, silentLogger, VirtualClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { dampedLogger } from './damped-logger.ts';
import { LimitedEvents } from './limited-events.ts';

it('LimitedEvents lets a burst pass, then so many a second, and counts the rest', async () => {
  const clock = new VirtualClock();
  const metrics = createMetrics();
  const sent: string[] = [];
  const send = new LimitedEvents({ perSecond: 2, burst: 3 }, clock, metrics).limit((_, __, reason) =>
    sent.push(reason),
  );
  const event = (reason: string) => send({ name: 'n' }, 'Normal', reason, '');
  for (const reason of ['1', '2', '3', '4', '5']) event(reason);
  expect(sent).toEqual(['1', '2', '3']);
  await clock.advance(500);
  event('6');
  event('7');
  expect(sent.at(-1)).toBe('6');
  expect(await metrics.registry.metrics()).toContain('hollow_dropped_events_total 3');
});

it('dampedLogger writes a warning once in a while, with the number of those it held back', async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const logger = dampedLogger(
    {
      ...silentLogger,
      warn: (fields: LogFields, message: string) => lines.push(`${message} ${fields['suppressed'] ?? ''}`),
    },
    clock,
  );
  for (let count = 0; count < 4; count++) logger.warn({}, 'away');
  logger.warn({}, 'other');
  await clock.advance(5_000);
  logger.warn({}, 'away');
  expect(lines).toEqual(['away ', 'other ', 'away 3']);
});
