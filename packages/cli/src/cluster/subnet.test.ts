import { expect, test } from 'vitest';
import { routes } from '../nodes/network.ts';
import { chooseSubnet, nodeAddress } from './subnet.ts';

test.each([
  { name: 'nothing is taken', taken: [], cidr: '172.30.0.0/24' },
  { name: 'an address inside it is taken', taken: ['172.30.0.7/32'], cidr: '172.30.1.0/24' },
  { name: 'a wider network covers it', taken: ['172.30.0.0/15'], cidr: '10.90.0.0/24' },
  { name: 'the default route and IPv6 mean nothing', taken: ['0.0.0.0/0', 'fe80::1/64', ''], cidr: '172.30.0.0/24' },
  { name: 'another cluster is there', taken: ['172.30.0.0/24', '172.30.1.0/24'], cidr: '172.30.2.0/24' },
])('chooseSubnet: $name', ({ taken, cidr }) => {
  const subnet = chooseSubnet(taken);
  expect(subnet).toEqual({ cidr, gateway: cidr.replace('0/24', '1') });
});

test('chooseSubnet says when nothing is left', () => {
  expect(() => chooseSubnet(['172.30.0.0/16', '10.90.0.0/16'])).toThrow(/Cannot find a free network/);
});

test('nodeAddress counts from .11', () => {
  const subnet = chooseSubnet([]);
  expect([0, 1, 2].map((index) => nodeAddress(subnet, index))).toEqual(['172.30.0.11', '172.30.0.12', '172.30.0.13']);
});

test('routes reads the kernel’s table', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  ].join('\n');
  expect(routes(table)).toEqual(['0.0.0.0/0', '172.17.0.0/16']);
});
