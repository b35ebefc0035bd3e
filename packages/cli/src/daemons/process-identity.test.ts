import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { identify, type ProcessIdentity, signalProcess, stateOf } from './process-identity.ts';

const eventually = async (check: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 100 && !check(); tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(check()).toBe(true);
};

test('a process is followed through pause, resume and end', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const identity = identify(child.pid ?? 0) as ProcessIdentity;
  expect(stateOf(identity)).toBe('running');
  signalProcess(identity, 'SIGSTOP');
  await eventually(() => stateOf(identity) === 'paused');
  signalProcess(identity, 'SIGCONT');
  await eventually(() => stateOf(identity) === 'running');
  expect(signalProcess(identity, 'SIGKILL')).toBe(true);
  await once(child, 'exit');
  expect(stateOf(identity)).toBe('gone');
  expect(signalProcess(identity, 'SIGKILL')).toBe(false);
  expect(identify(child.pid ?? 0)).toBeUndefined();
});

test('another process with the same pid, or the same after a reboot, is not mistaken for it', () => {
  const own = identify(process.pid) as ProcessIdentity;
  expect(stateOf(own)).toBe('running');
  expect(stateOf({ ...own, startTime: `${own.startTime}1` })).toBe('gone');
  expect(stateOf({ ...own, bootId: 'another' })).toBe('gone');
  expect(signalProcess({ ...own, bootId: 'another' }, 'SIGKILL')).toBe(false);
});
