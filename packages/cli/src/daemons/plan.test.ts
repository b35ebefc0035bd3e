import { expect, test } from 'vitest';
import { select } from './actions.ts';
import { type DesiredDaemon, planDaemons } from './plan.ts';
import type { ProcessState } from './process-identity.ts';
import type { ObservedDaemon } from './records.ts';
import type { DaemonKind, DaemonSpec } from './spec.ts';

const spec = (name: string, kind: DaemonKind = 'kubelet'): DaemonSpec => ({
  name,
  kind,
  order: 0,
  flags: [],
  files: [],
  addresses: [],
  probe: { scheme: 'http', host: '127.0.0.1', port: 1 },
});
const desired = (name: string, digest = 'a'): DesiredDaemon => ({ spec: spec(name), command: [], digest });
const observed = (name: string, state: ProcessState, digest = 'a'): ObservedDaemon => ({
  record: { spec: spec(name), command: [], digest, process: { pid: 1, startTime: '1', bootId: 'b' }, startedAt: '' },
  state,
});
const summary = (wanted: DesiredDaemon[], found: ObservedDaemon[]) =>
  planDaemons(wanted, found).map((action) => [
    action.kind,
    'daemon' in action ? action.daemon.spec.name : action.running.record.spec.name,
    action.why,
  ]);

test.each([
  { name: 'first start', wanted: [desired('x')], found: [], plan: [['start', 'x', 'it was never started']] },
  { name: 'runs as it should', wanted: [desired('x')], found: [observed('x', 'running')], plan: [] },
  {
    name: 'died',
    wanted: [desired('x')],
    found: [observed('x', 'gone')],
    plan: [['start', 'x', 'its process is gone']],
  },
  {
    name: 'paused',
    wanted: [desired('x')],
    found: [observed('x', 'paused')],
    plan: [['resume', 'x', 'it was paused']],
  },
  {
    name: 'changed',
    wanted: [desired('x', 'b')],
    found: [observed('x', 'running')],
    plan: [['replace', 'x', 'its program, flags or certificates changed']],
  },
  {
    name: 'changed while paused',
    wanted: [desired('x', 'b')],
    found: [observed('x', 'paused')],
    plan: [['replace', 'x', 'its program, flags or certificates changed']],
  },
  {
    name: 'not wanted',
    wanted: [],
    found: [observed('x', 'running')],
    plan: [['stop', 'x', 'it is no part of the cluster any more']],
  },
  { name: 'not wanted and dead', wanted: [], found: [observed('x', 'gone')], plan: [] },
])('planDaemons: $name', ({ wanted, found, plan }) => {
  expect(summary(wanted, found)).toEqual(plan);
});

test('select takes a name, or a kind that is the only one', () => {
  const specs = [spec('store-1', 'store'), spec('kubelet-node-1'), spec('kubelet-node-2')];
  const layout = { name: 'lab' };
  expect(select(specs, 'kubelet-node-2', layout).name).toBe('kubelet-node-2');
  expect(select(specs, 'store', layout).name).toBe('store-1');
  expect(() => select(specs, 'kubelet', layout)).toThrow(
    'several of kind "kubelet": name one of kubelet-node-1, kubelet-node-2',
  );
  expect(() => select(specs, 'nonsense', layout)).toThrow('has no daemon "nonsense": it has store-1, kubelet-node-1');
  expect(() => select([], 'store', layout)).toThrow('has no daemon "store": it is down');
});
