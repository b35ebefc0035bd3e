import { describe, expect, it } from 'vitest';
import { conditionEvents, type NodeFacts, nodeConditions, sameConditions } from './node-conditions.ts';

const gib = 1024 ** 3;
const well: NodeFacts = {
  memoryAvailableBytes: gib,
  diskAvailableBytes: 50 * gib,
  diskCapacityBytes: 100 * gib,
  inodesFree: 90,
  inodes: 100,
  processes: 100,
  processesMax: 32_768,
  problems: [],
};
const nowMs = Date.UTC(2025, 0, 1);
const of = (facts: Partial<NodeFacts>) =>
  Object.fromEntries(
    nodeConditions(undefined, { ...well, ...facts }, nowMs).map(({ type, status, reason }) => [
      type,
      `${status} ${reason}`,
    ]),
  );

describe('nodeConditions', () => {
  it('posts ready status when all is well', () => {
    expect(of({})).toEqual({
      MemoryPressure: 'False KubeletHasSufficientMemory',
      DiskPressure: 'False KubeletHasNoDiskPressure',
      PIDPressure: 'False KubeletHasSufficientPID',
      Ready: 'True KubeletReady',
    });
  });

  it('shows each pressure and why the node is not ready', () => {
    expect(of({ memoryAvailableBytes: 99 << 20 })['MemoryPressure']).toBe('True KubeletHasInsufficientMemory');
    expect(of({ diskAvailableBytes: 9 * gib })['DiskPressure']).toBe('True KubeletHasDiskPressure');
    expect(of({ inodesFree: 4 })['DiskPressure']).toBe('True KubeletHasDiskPressure');
    expect(of({ processes: 32_000 })['PIDPressure']).toBe('True KubeletHasInsufficientPID');
    const ready = nodeConditions(undefined, { ...well, problems: ['no network', 'no runtime'] }, nowMs).at(-1);
    expect(ready).toMatchObject({ status: 'False', reason: 'KubeletNotReady', message: 'no network, no runtime' });
  });

  it('moves the transition time only with the status, and the heartbeat always', () => {
    const before = nodeConditions(undefined, well, nowMs);
    const after = nodeConditions(before, { ...well, problems: ['x'] }, nowMs + 60_000);
    expect(after.map(({ lastTransitionTime }) => lastTransitionTime?.slice(11, 19))).toEqual([
      '00:00:00',
      '00:00:00',
      '00:00:00',
      '00:01:00',
    ]);
    expect(after.every(({ lastHeartbeatTime }) => lastHeartbeatTime === '2025-01-01T00:01:00Z')).toBe(true);
    expect(conditionEvents(before, after)).toEqual(['NodeNotReady']);
    expect(sameConditions(before, after)).toBe(false);
    expect(sameConditions(before, nodeConditions(before, well, nowMs + 1000))).toBe(true);
  });

  it('tells all conditions when there were none', () => {
    expect(conditionEvents(undefined, nodeConditions(undefined, well, nowMs))).toEqual([
      'NodeHasSufficientMemory',
      'NodeHasNoDiskPressure',
      'NodeHasSufficientPID',
      'NodeReady',
    ]);
  });
});
