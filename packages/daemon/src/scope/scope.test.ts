import { describe, expect, it } from 'vitest';
import { silentLogger } from '../logging/logger.ts';
import { Scope } from './scope.ts';

describe('Scope', () => {
  it('aborts and awaits its work when it closes', async () => {
    const scope = new Scope('test', silentLogger);
    let ended = false;
    scope.run('work', async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await Promise.resolve();
      ended = true;
    });
    await scope.close();
    expect(ended).toBe(true);
  });

  it('closes children first and disposers last, in reverse order', async () => {
    const scope = new Scope('test', silentLogger);
    const order: string[] = [];
    scope.onClose(() => void order.push('first registered'));
    scope.onClose(() => void order.push('second registered'));
    scope.child('child').onClose(() => void order.push('child'));
    await scope.close();
    expect(order).toEqual(['child', 'second registered', 'first registered']);
  });

  it('reports failed work, but not the failure that closing causes', async () => {
    const failures: string[] = [];
    const scope = new Scope('test', silentLogger, (work) => failures.push(work));
    scope.run('broken', () => Promise.reject(new Error('no')));
    scope.run(
      'aborted',
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await Promise.resolve();
    await scope.close();
    expect(failures).toEqual(['broken']);
  });

  it('runs nothing once it is closed', async () => {
    const scope = new Scope('test', silentLogger);
    await scope.close();
    let ran = false;
    scope.run('late', () => {
      ran = true;
    });
    expect(ran).toBe(false);
    expect(scope.child('late child').signal.aborted).toBe(true);
  });
});
