import type {
  HTTPIngressPath,
  Ingress,
  IngressClass,
  IngressClassSpec,
  IngressSpec,
  IPAddress,
  NetworkPolicy,
  NetworkPolicySpec,
  ServiceCIDR,
} from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { createRefusals, row, updateRefusals } from '../validation-cases.ts';
import { ipAddressStrategy, serviceCidrStrategy } from './addresses.ts';
import { ingressClassStrategy, ingressStrategy } from './ingress.ts';
import { networkPolicyStrategy } from './network-policy.ts';

const metadata = { name: 'web', namespace: 'default' };
const backend = { service: { name: 'web', port: { number: 80 } } };

describe('an Ingress', () => {
  const ingress = (spec: IngressSpec, annotations: Record<string, string> = {}): Ingress => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { ...metadata, annotations },
    spec,
  });
  const withHost = (host: string): IngressSpec => ({
    rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
  });
  const withPath = (change: Partial<HTTPIngressPath>): IngressSpec => ({
    rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...change }] } }],
  });
  const path = 'spec.rules[0].http.paths[0]';
  const cases: readonly (readonly [string, IngressSpec, readonly string[]])[] = [
    ['a host', withHost('*.example.com'), []],
    [
      'a default',
      { defaultBackend: { service: { name: 'web', port: { name: 'http' } } }, tls: [{ hosts: ['a.b'] }] },
      [],
    ],
    ['nothing', {}, ['spec: Invalid value: "null": either `defaultBackend` or `rules` must be specified']],
    [
      'an address for a host',
      withHost('10.0.0.1'),
      ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    ],
    ['a relative path', withPath({ path: 'x' }), [`${path}.path: Invalid value: "x": must be an absolute path`]],
    [
      'an unknown type of path',
      withPath({ pathType: 'Regex' }),
      [`${path}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
    ],
    [
      'a path that climbs',
      withPath({ path: '/a/../b' }),
      [`${path}.path: Invalid value: "/a/../b": must not contain '/../'`],
    ],
    [
      'no backend',
      withPath({ backend: {} }),
      [`${path}.backend: Invalid value: "": resource or service backend is required`],
    ],
    [
      'a Service without port',
      withPath({ backend: { service: { name: 'web' } } }),
      [`${path}.backend: Required value: port name or number is required`],
    ],
  ];
  it.each(cases)('with %s', (_name, spec, refusals) => {
    expect(createRefusals(ingressStrategy, ingress(spec))).toEqual(refusals);
  });

  it('has one class, not two', () => {
    const object = ingress({ ...withHost('a.b'), ingressClassName: 'x' }, { 'kubernetes.io/ingress.class': 'y' });
    expect(createRefusals(ingressStrategy, object)).toEqual([
      'annotations.kubernetes.io/ingress.class: Invalid value: "y": can not be set when the class field is also set',
    ]);
  });

  it('is shown with its hosts', () => {
    const rules = ['a', 'b', 'c', 'd'].map((host) => ({ host: `${host}.example` }));
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    expect(row(ingressStrategy, { ...ingress({ rules, tls: [{}] }), status })).toMatchObject({
      Class: '<none>',
      Hosts: 'a.example,b.example,c.example + 1 more...',
      Address: '192.0.2.1',
      Ports: '80, 443',
    });
    expect(row(ingressStrategy, ingress({ defaultBackend: backend }))).toMatchObject({ Hosts: '*', Ports: '80' });
  });
});

describe('an IngressClass', () => {
  const ingressClass = (spec: IngressClassSpec): IngressClass => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'x' },
    spec,
  });
  const parameters = { apiGroup: 'a.example', kind: 'K', name: 'n' };

  it.each([
    [{ controller: 'a.example/c', parameters: { ...parameters, scope: 'Namespace', namespace: 'd' } }, []],
    [{ controller: '' }, ['spec.controller: Required value']],
    [
      { controller: 'c' },
      ['spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      { controller: 'a.example/c', parameters: { ...parameters, scope: 'Namespace' } },
      ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ],
    [
      { controller: 'a.example/c', parameters: { ...parameters, namespace: 'd' } },
      ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    ],
  ] satisfies readonly [IngressClassSpec, string[]][])('with %j', (spec, refusals) => {
    expect(createRefusals(ingressClassStrategy, ingressClass(spec))).toEqual(refusals);
  });

  it('keeps its controller', () => {
    expect(
      updateRefusals(
        ingressClassStrategy,
        ingressClass({ controller: 'a.b/c' }),
        ingressClass({ controller: 'a.b/d' }),
      ),
    ).toEqual(['spec.controller: Invalid value: "a.b/d": field is immutable']);
    expect(row(ingressClassStrategy, ingressClass({ controller: 'a.b/c', parameters }))).toMatchObject({
      Controller: 'a.b/c',
      Parameters: 'K.a.example/n',
    });
  });
});

describe('a NetworkPolicy', () => {
  const policy = (spec: NetworkPolicySpec): NetworkPolicy => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec,
  });
  const all = { podSelector: {} };
  const cases: readonly (readonly [string, NetworkPolicySpec, readonly string[]])[] = [
    [
      'peers and ports',
      {
        podSelector: { matchLabels: { a: 'b' } },
        ingress: [
          { from: [all, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 'http' }] },
        ],
        egress: [{ ports: [{ port: 80, endPort: 90, protocol: 'TCP' }] }],
      },
      [],
    ],
    ['nobody', { ...all, ingress: [{ from: [{}] }] }, ['spec.ingress[0].from[0]: Required value: must specify a peer']],
    [
      'a block and pods',
      { ...all, egress: [{ to: [{ ...all, ipBlock: { cidr: '10.0.0.0/8' } }] }] },
      ['spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer'],
    ],
    [
      'an exception from outside',
      { ...all, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['192.0.2.0/24'] } }] }] },
      ['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "192.0.2.0/24": must be a strict subset of `cidr`'],
    ],
    [
      'ports in the wrong order',
      { ...all, ingress: [{ ports: [{ port: 90, endPort: 80 }] }] },
      ['spec.ingress[0].ports[0].endPort: Invalid value: 90: must be greater than or equal to `port`'],
    ],
    [
      'an unknown direction',
      { ...all, policyTypes: ['Up'] },
      ['spec.policyTypes[0]: Unsupported value: "Up": supported values: "Ingress", "Egress"'],
    ],
  ];
  it.each(cases)('with %s', (_name, spec, refusals) => {
    expect(createRefusals(networkPolicyStrategy, policy(spec))).toEqual(refusals);
  });

  it('is shown with its pods', () => {
    expect(row(networkPolicyStrategy, policy(all))).toMatchObject({ 'Pod-Selector': '<none>' });
    const chosen = policy({ podSelector: { matchLabels: { a: 'b' } } });
    expect(row(networkPolicyStrategy, chosen)).toMatchObject({ 'Pod-Selector': 'a=b' });
  });
});

describe('addresses of Services', () => {
  const address: IPAddress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '10.96.0.1' },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'kubernetes' } },
  };
  const range = (...cidrs: readonly string[]): ServiceCIDR => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs },
  });

  it('belong to somebody', () => {
    expect(createRefusals(ipAddressStrategy, address)).toEqual([]);
    expect(ipAddressStrategy.validateName?.('x', false)).toHaveLength(1);
    expect(createRefusals(ipAddressStrategy, { ...address, spec: { parentRef: { resource: '', name: 'n' } } })).toEqual(
      ['spec.parentRef.resource: Required value'],
    );
    expect(row(ipAddressStrategy, address)).toMatchObject({ ParentRef: 'services/default/kubernetes' });
  });

  it('come from ranges that only grow', () => {
    expect(createRefusals(serviceCidrStrategy, range('10.96.0.0/16'))).toEqual([]);
    expect(createRefusals(serviceCidrStrategy, range())).toEqual([
      'spec.cidrs: Required value: at least one CIDR required',
    ]);
    expect(updateRefusals(serviceCidrStrategy, range('10.96.0.0/16'), range('10.96.0.0/16', 'fd00::/112'))).toEqual([]);
    expect(updateRefusals(serviceCidrStrategy, range('10.96.0.0/16'), range('10.97.0.0/16'))).toHaveLength(1);
  });
});
