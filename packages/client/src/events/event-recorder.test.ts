import type { Event } from '@wherry/api';
import { Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../api/api-client.ts';
import { json, ScriptedTransport } from '../testing/scripted-transport.ts';
import { EventRecorder } from './event-recorder.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', uid: 'u1' } } as const;

describe('EventRecorder', () => {
  let clock: VirtualClock;
  let scope: Scope;
  let recorder: EventRecorder;
  let transport: ScriptedTransport;
  const sent = (method: string) =>
    transport.requests
      .filter((request) => request.method === method)
      .map(({ body }) => JSON.parse(String(body)) as Event);

  beforeEach(() => {
    clock = new VirtualClock();
    scope = new Scope('test', silentLogger);
    transport = new ScriptedTransport(({ body }) => json(JSON.parse(String(body))));
    recorder = new EventRecorder({
      client: new ApiClient(transport),
      clock,
      logger: silentLogger,
      scope,
      component: 'kubelet',
      host: 'node-1',
    });
  });
  afterEach(() => scope.close());

  it('writes an event about an object, in its namespace', async () => {
    recorder.event(pod, 'Normal', 'Started', 'Started container web');
    await clock.advance(1);
    expect(transport.requests[0]?.path).toBe('/api/v1/namespaces/shop/events');
    expect(sent('POST')[0]).toMatchObject({
      involvedObject: { kind: 'Pod', name: 'web', namespace: 'shop', uid: 'u1' },
      reason: 'Started',
      type: 'Normal',
      count: 1,
      source: { component: 'kubelet', host: 'node-1' },
    });
  });

  it('raises the count of a repeated event instead of writing another', async () => {
    for (let i = 0; i < 3; i++) recorder.event(pod, 'Warning', 'BackOff', 'Back-off restarting failed container');
    await clock.advance(1);
    expect(sent('POST')).toHaveLength(1);
    expect(sent('PATCH').map(({ count }) => count)).toEqual([2, 3]);
  });

  it('combines similar events after ten, and holds back a flood', async () => {
    for (let i = 0; i < 40; i++) recorder.event(pod, 'Warning', 'Failed', `error ${i}`);
    for (let turn = 0; turn < 5; turn++) await clock.advance(1);
    const created = sent('POST');
    expect(created).toHaveLength(10);
    expect(created.at(-1)?.message).toMatch(/^\(combined from similar events\): /);
    expect(transport.requests).toHaveLength(25);
  });
});
