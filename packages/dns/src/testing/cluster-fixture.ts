// A small cluster in the daemon's own caches, for tests of this package.
import type { EndpointSlice, Service, ServiceSpec } from '@wherry/api';
import { InformerCache } from '@wherry/client';
import { VirtualClock } from '@wherry/daemon';
import { InformerView, serviceCache, sliceCache } from '../cluster/informer-view.ts';
import type { ZoneConfig } from '../zone/answer.ts';

export const zoneConfig: ZoneConfig = {
  clusterDomain: 'cluster.local',
  ttlSeconds: 30,
  nameServers: [{ family: 'A', text: '172.18.0.1' }],
};

export interface FixtureCluster {
  readonly services: InformerCache<Service>;
  readonly slices: InformerCache<EndpointSlice>;
  readonly view: InformerView;
}

export function emptyCluster(): FixtureCluster {
  const services = new InformerCache<Service>(serviceCache.indexers, serviceCache.project);
  const slices = new InformerCache<EndpointSlice>(sliceCache.indexers, sliceCache.project);
  return { services, slices, view: new InformerView(services, slices, new VirtualClock(1_700_000_000_000)) };
}

export function fixtureCluster(): FixtureCluster {
  const cluster = emptyCluster();
  cluster.services.replace(SERVICES, '10');
  cluster.slices.replace(SLICES, '10');
  return cluster;
}

export function service(namespace: string, name: string, spec: ServiceSpec): Service {
  return { metadata: { namespace, name, uid: `${namespace}-${name}`, resourceVersion: '1' }, spec };
}

export function slice(
  namespace: string,
  of: string,
  addressType: string,
  endpoints: EndpointSlice['endpoints'],
  ports: EndpointSlice['ports'] = [],
): EndpointSlice {
  const name = `${of}-${addressType.toLowerCase()}`;
  const labels = { 'kubernetes.io/service-name': of };
  return { metadata: { namespace, name, uid: name, resourceVersion: '1', labels }, addressType, endpoints, ports };
}

const http = { name: 'http', port: 80, protocol: 'TCP' };
const ready = { ready: true };
const headless = { clusterIP: 'None', clusterIPs: ['None'] };

const SERVICES: readonly Service[] = [
  service('default', 'kubernetes', {
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1'],
    ports: [{ name: 'https', port: 443, protocol: 'TCP' }],
  }),
  service('shop', 'web', {
    type: 'ClusterIP',
    clusterIP: '10.96.0.20',
    clusterIPs: ['10.96.0.20'],
    ports: [http, { name: 'metrics', port: 9090, protocol: 'TCP' }],
  }),
  service('shop', 'dual', { clusterIP: '10.96.0.21', clusterIPs: ['10.96.0.21', 'FD00:0::21'], ports: [http] }),
  service('shop', 'db', { ...headless, ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] }),
  service('shop', 'early', { ...headless, publishNotReadyAddresses: true }),
  service('shop', 'idle', { ...headless, ports: [http] }),
  service('shop', 'away', { type: 'ExternalName', externalName: 'Api.Example.com' }),
  service('shop', 'alias', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
  service('shop', 'dangling', { type: 'ExternalName', externalName: 'gone.shop.svc.cluster.local' }),
  service('shop', 'loop', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' }),
  service('shop', 'address', { type: 'ExternalName', externalName: '192.0.2.9' }),
];

const SLICES: readonly EndpointSlice[] = [
  slice('shop', 'web', 'IPv4', [{ addresses: ['10.244.1.2'], conditions: ready }], [http]),
  slice(
    'shop',
    'db',
    'IPv4',
    [
      { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: ready },
      { addresses: ['10.244.2.5'], hostname: 'db-1', conditions: {} },
      { addresses: ['10.244.3.5'], hostname: 'db-2', conditions: { ready: false } },
      { addresses: ['10.244.3.6'] },
    ],
    [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  ),
  slice(
    'shop',
    'db',
    'IPv6',
    [{ addresses: ['fd00::5'], hostname: 'db-0', conditions: ready }],
    [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  ),
  slice('shop', 'early', 'IPv4', [{ addresses: ['10.244.1.9'], hostname: 'early-0', conditions: { ready: false } }]),
  slice('shop', 'idle', 'IPv4', [{ addresses: ['10.244.1.8'], conditions: { ready: false } }], [http]),
];
