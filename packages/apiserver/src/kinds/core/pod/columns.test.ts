import type { ContainerStatus, Pod } from '@wherry/api';
import { expect, test } from 'vitest';
import { row, testContext } from '../../validation-cases.ts';
import { podRowConditions } from './columns.ts';
import { podStrategy } from './strategy.ts';

const ago = (seconds: number): string => new Date(testContext.nowMs - seconds * 1000).toISOString();

function status(name: string, change: Partial<ContainerStatus>): ContainerStatus {
  return { name, image: 'i', imageID: '', ready: false, restartCount: 0, ...change };
}

function pod(change: Pick<Pod, 'status'> & { meta?: Pod['metadata']; init?: boolean; side?: boolean }): Pod {
  return {
    metadata: { name: 'web-1', creationTimestamp: ago(3700), ...change.meta },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'app' }],
      ...(change.init ? { initContainers: [{ name: 'init' }] } : {}),
      ...(change.side ? { initContainers: [{ name: 'init', restartPolicy: 'Always' }] } : {}),
    },
    status: change.status ?? {},
  };
}

const running = status('app', { ready: true, state: { running: {} } });

const cases: readonly (readonly [string, Pod, string, string, string])[] = [
  ['pending', pod({ status: { phase: 'Pending' } }), '0/1', 'Pending', '0'],
  ['running', pod({ status: { phase: 'Running', containerStatuses: [running] } }), '1/1', 'Running', '0'],
  [
    'held back by gates',
    pod({
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    }),
    '0/1',
    'SchedulingGated',
    '0',
  ],
  [
    'being created',
    pod({
      status: {
        phase: 'Pending',
        containerStatuses: [status('app', { state: { waiting: { reason: 'ContainerCreating' } } })],
      },
    }),
    '0/1',
    'ContainerCreating',
    '0',
  ],
  [
    'crashing',
    pod({
      status: {
        phase: 'Running',
        containerStatuses: [
          status('app', {
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: ago(300) } },
          }),
        ],
      },
    }),
    '0/1',
    'CrashLoopBackOff',
    '2 (5m ago)',
  ],
  [
    'ended with a signal and no reason',
    pod({
      status: {
        phase: 'Failed',
        containerStatuses: [status('app', { state: { terminated: { exitCode: 137, signal: 9 } } })],
      },
    }),
    '0/1',
    'Signal:9',
    '0',
  ],
  [
    'completed',
    pod({
      status: {
        phase: 'Succeeded',
        containerStatuses: [status('app', { state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      },
    }),
    '0/1',
    'Completed',
    '0',
  ],
  [
    'initializing',
    pod({
      init: true,
      status: { phase: 'Pending', initContainerStatuses: [status('init', { state: { running: {} } })] },
    }),
    '0/1',
    'Init:0/1',
    '0',
  ],
  [
    'failing to initialize',
    pod({
      init: true,
      status: {
        phase: 'Pending',
        initContainerStatuses: [status('init', { restartCount: 1, state: { terminated: { exitCode: 3 } } })],
      },
    }),
    '0/1',
    'Init:ExitCode:3',
    '1',
  ],
  [
    'with a sidecar',
    pod({
      side: true,
      status: {
        phase: 'Running',
        initContainerStatuses: [status('init', { ready: true, started: true, state: { running: {} } })],
        containerStatuses: [running],
      },
    }),
    '2/2',
    'Running',
    '0',
  ],
  [
    'terminating',
    pod({
      meta: { name: 'web-1', deletionTimestamp: ago(1) },
      status: { phase: 'Running', containerStatuses: [running] },
    }),
    '1/1',
    'Terminating',
    '0',
  ],
  [
    'lost with its node',
    pod({ meta: { deletionTimestamp: ago(1) }, status: { phase: 'Running', reason: 'NodeLost' } }),
    '0/1',
    'Unknown',
    '0',
  ],
  ['evicted', pod({ status: { phase: 'Failed', reason: 'Evicted' } }), '0/1', 'Evicted', '0'],
];

test.each(cases)('a pod that is %s', (_name, object, ready, reason, restarts) => {
  expect(row(podStrategy, object)).toMatchObject({ Ready: ready, Status: reason, Restarts: restarts });
});

test('the wide columns and the age', () => {
  const object = pod({ status: { phase: 'Running', podIPs: [{ ip: '10.244.1.2' }], containerStatuses: [running] } });
  expect(row(podStrategy, object)).toEqual({
    Name: 'web-1',
    Ready: '1/1',
    Status: 'Running',
    Restarts: '0',
    Age: '61m',
    IP: '10.244.1.2',
    Node: 'node-1',
    'Nominated Node': '<none>',
    'Readiness Gates': '<none>',
  });
  expect(podStrategy.columns?.map(({ priority = 0 }) => priority)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
});

test('rows of finished pods carry a condition', () => {
  expect(podRowConditions(pod({ status: { phase: 'Running' } }))).toEqual([]);
  expect(podRowConditions(pod({ status: { phase: 'Failed' } }))[0]?.reason).toBe('Failed');
});
