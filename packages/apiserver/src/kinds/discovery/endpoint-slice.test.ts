import type { EndpointSlice } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { createRefusals, row, updateRefusals } from '../validation-cases.ts';
import { endpointSliceStrategy } from './endpoint-slice.ts';

function slice(change: Partial<EndpointSlice> = {}): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-abc', namespace: 'default' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'node-1', conditions: { ready: true } }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    ...change,
  };
}

describe('an EndpointSlice', () => {
  const cases: readonly (readonly [string, Partial<EndpointSlice>, readonly string[]])[] = [
    ['an address', {}, []],
    ['names', { addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }] }, []],
    [
      'an unknown type',
      { addressType: 'IPv5' },
      ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    [
      'no address',
      { endpoints: [{ addresses: [] }] },
      ['endpoints[0].addresses: Required value: must contain at least 1 address'],
    ],
    [
      'an address of the other family',
      { endpoints: [{ addresses: ['fd00::1'] }] },
      ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address'],
    ],
    ['one port twice', { ports: [{ port: 80 }, { port: 81 }] }, ['ports[1].name: Duplicate value: ""']],
    [
      'an unknown protocol',
      { ports: [{ port: 80, protocol: 'ICMP' }] },
      ['ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'one zone twice',
      { endpoints: [{ addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }] },
      ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(endpointSliceStrategy, slice(change))).toEqual(refusals);
  });

  it('keeps the type of its addresses', () => {
    expect(updateRefusals(endpointSliceStrategy, slice(), slice({ addressType: 'FQDN', endpoints: [] }))).toEqual([
      'addressType: Invalid value: "FQDN": field is immutable',
    ]);
  });

  it('shows up to three addresses', () => {
    const endpoints = [1, 2, 3, 4].map((n) => ({ addresses: [`10.0.0.${n}`] }));
    expect(row(endpointSliceStrategy, slice({ endpoints, ports: [] }))).toMatchObject({
      AddressType: 'IPv4',
      Ports: '<unset>',
      Endpoints: '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
    });
  });
});
