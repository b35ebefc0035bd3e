import { Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PodMailboxes } from './pod-mailboxes.ts';

describe('PodMailboxes', () => {
  let clock: VirtualClock;
  let scope: Scope;
  let looks: string[];
  let answers: (() => Promise<number | undefined>)[];

  const open = (atOnceMax = 10) => {
    const boxes = new PodMailboxes({
      clock,
      scope,
      logger: silentLogger,
      atOnceMax,
      look: (uid) => {
        looks.push(uid);
        return (answers.shift() ?? (() => Promise.resolve(undefined)))();
      },
    });
    boxes.start();
    return boxes;
  };

  beforeEach(() => {
    clock = new VirtualClock();
    scope = new Scope('test', silentLogger);
    looks = [];
    answers = [];
  });
  afterEach(() => scope.close());

  it('looks at a pod once for many wakes, and again when it is woken meanwhile', async () => {
    const busy = Promise.withResolvers<undefined>();
    answers = [() => busy.promise];
    const boxes = open();
    boxes.wake('a');
    boxes.wake('a');
    await clock.advance(1);
    expect(looks).toEqual(['a']);
    boxes.wake('a');
    boxes.wake('a');
    await clock.advance(1);
    expect(looks).toEqual(['a']);
    busy.resolve(undefined);
    await clock.advance(1);
    expect(looks).toEqual(['a', 'a']);
  });

  it('looks again after the time that a look asks for; an earlier look replaces it', async () => {
    answers = [() => Promise.resolve(100), () => Promise.resolve(1_000)];
    const boxes = open();
    boxes.wake('a');
    await clock.advance(50);
    boxes.wake('a');
    await clock.advance(500);
    expect(looks).toEqual(['a', 'a']);
    await clock.advance(500);
    expect(looks).toEqual(['a', 'a', 'a']);
    await clock.advance(100_000);
    expect(looks).toHaveLength(3);
  });

  it('tries again after a failure, more and more slowly', async () => {
    const fail = () => Promise.reject(new Error('no'));
    answers = [fail, fail, fail];
    open().wake('a');
    await clock.advance(499);
    expect(looks).toHaveLength(1);
    await clock.advance(1);
    expect(looks).toHaveLength(2);
    await clock.advance(999);
    expect(looks).toHaveLength(2);
    await clock.advance(1);
    expect(looks).toHaveLength(3);
  });

  it('lets no more than its limit be looked at at once', async () => {
    const busy = Promise.withResolvers<undefined>();
    answers = [() => busy.promise, () => busy.promise];
    const boxes = open(2);
    for (const uid of ['a', 'b', 'c']) boxes.wake(uid);
    await clock.advance(1);
    expect(looks).toEqual(['a', 'b']);
    busy.resolve(undefined);
    await clock.advance(1);
    expect(looks).toEqual(['a', 'b', 'c']);
  });

  it('leaves no timer behind when its scope closes', async () => {
    answers = [() => Promise.resolve(100)];
    open().wake('a');
    await clock.advance(1);
    await scope.close();
    await clock.advance(1_000);
    expect(looks).toEqual(['a']);
  });
});
