// ServiceAccounts, Endpoints, Events, ReplicationControllers and PodTemplates.
import type { EndpointSubset, Endpoints, Event, PodTemplate, ReplicationController, ServiceAccount } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row } from '../validation-cases.ts';
import { componentStatusStrategy } from './component-status.ts';
import { endpointsStrategy } from './endpoints.ts';
import { eventStrategy } from './event.ts';
import { podTemplateStrategy, replicationControllerStrategy } from './replication-controller.ts';
import { serviceAccountStrategy } from './service-account.ts';

const metadata = { name: 'x', namespace: 'default' };

it('of a ServiceAccount’s secrets only the names are kept', () => {
  const account: ServiceAccount = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
    secrets: [{ name: 's', namespace: 'elsewhere', uid: 'u' }],
  };
  const result = created(serviceAccountStrategy, account);
  expect(result.secrets).toEqual([{ name: 's' }]);
  expect(row(serviceAccountStrategy, result)).toMatchObject({ Secrets: 1 });
});

describe('Endpoints', () => {
  const cases: readonly (readonly [string, EndpointSubset, readonly string[]])[] = [
    ['an address and a port', { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }, []],
    [
      'no address',
      { ports: [{ port: 80 }] },
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      'no address at all',
      { addresses: [{ ip: 'x' }] },
      ['subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'its own machine',
      { addresses: [{ ip: '127.0.0.1' }] },
      [
        'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      ],
    ],
    [
      'two nameless ports',
      { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }, { port: 81 }] },
      ['subsets[0].ports[0].name: Required value', 'subsets[0].ports[1].name: Required value'],
    ],
  ];
  const endpoints = (...subsets: readonly EndpointSubset[]): Endpoints => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata,
    subsets,
  });
  it.each(cases)('with %s', (_name, subset, refusals) => {
    expect(createRefusals(endpointsStrategy, endpoints(subset))).toEqual(refusals);
  });

  it('are shown up to three', () => {
    const ips = [1, 2, 3, 4, 5].map((n) => ({ ip: `10.0.0.${n}` }));
    expect(row(endpointsStrategy, endpoints({ addresses: ips, ports: [{ port: 80 }] }))).toMatchObject({
      Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...',
    });
    expect(row(endpointsStrategy, endpoints())).toMatchObject({ Endpoints: '<none>' });
  });
});

describe('an Event', () => {
  const event: Event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'web', fieldPath: 'spec.containers{app}' },
    reason: 'Pulled',
    message: ' done\n',
    type: 'Normal',
    firstTimestamp: '2026-01-02T02:04:05Z',
    lastTimestamp: '2026-01-02T03:03:05Z',
    count: 4,
    source: { component: 'kubelet', host: 'node-1' },
  };

  it('lives where its object lives', () => {
    expect(createRefusals(eventStrategy, event)).toEqual([]);
    expect(createRefusals(eventStrategy, { ...event, involvedObject: { kind: 'Node', name: 'n' } })).toEqual([]);
    expect(createRefusals(eventStrategy, { ...event, involvedObject: { namespace: 'other' } })).toEqual([
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ]);
  });

  it('can be selected by its object under both names', () => {
    const select = (field: string): string | undefined => eventStrategy.fieldSelectors?.[field]?.(event);
    expect(select('involvedObject.name')).toBe('web');
    expect(select('regarding.kind')).toBe('Pod');
    expect(select('source')).toBe('kubelet');
    expect(select('type')).toBe('Normal');
  });

  it('is shown with its ages', () => {
    expect(row(eventStrategy, event)).toEqual({
      'Last Seen': '60s',
      Type: 'Normal',
      Reason: 'Pulled',
      Object: 'pod/web',
      Subobject: 'spec.containers{app}',
      Source: 'kubelet, node-1',
      Message: 'done',
      'First Seen': '60m',
      Count: 4,
      Name: 'x',
    });
  });
});

describe('a ReplicationController', () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  };
  const controller = (spec: ReplicationController['spec']): ReplicationController => ({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata,
    ...(spec === undefined ? {} : { spec }),
  });

  it('selects by the labels of its template when it does not say', () => {
    expect(createRefusals(replicationControllerStrategy, controller({ template }))).toEqual([]);
  });

  const cases: readonly (readonly [string, NonNullable<ReplicationController['spec']>, readonly string[]])[] = [
    ['no template', { selector: { a: 'b' } }, ['spec.template: Required value']],
    [
      'a selector of its own',
      { selector: { app: 'b' }, template },
      ['spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'],
    ],
    [
      'less than nothing',
      { replicas: -1, template },
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'pods that end',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
  ];
  it.each(cases)('with %s', (_name, spec, refusals) => {
    expect(createRefusals(replicationControllerStrategy, controller(spec))).toEqual(refusals);
  });

  it('is shown with its pods', () => {
    const object = { ...controller({ replicas: 3, selector: { a: 'b' }, template }), status: { replicas: 2 } };
    expect(row(replicationControllerStrategy, object)).toMatchObject({
      Desired: 3,
      Current: 2,
      Ready: 0,
      Containers: 'c',
      Images: 'i',
      Selector: 'a=b',
    });
  });

  it('has a template that can stand alone', () => {
    const object: PodTemplate = { apiVersion: 'v1', kind: 'PodTemplate', metadata, template };
    expect(createRefusals(podTemplateStrategy, object)).toEqual([]);
    expect(row(podTemplateStrategy, object)).toMatchObject({ Containers: 'c', 'Pod Labels': 'app=a' });
  });
});

it('a component is healthy or not', () => {
  const conditions = [{ type: 'Healthy', status: 'True', message: 'ok' }];
  const component = { apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name: 'scheduler' }, conditions };
  expect(row(componentStatusStrategy, component)).toMatchObject({ Status: 'Healthy', Message: 'ok' });
});
