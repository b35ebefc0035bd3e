import { Failure } from '../failure.ts';

/** Addresses of a cluster's own: a /24. Its gateway is this host once it is a Docker network. */
export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
}

/** Addresses below are left to the gateway and to whatever else an operator may attach. */
const FIRST_NODE = 11;
/** Behind all nodes, and far from the lowest, which Docker gives to containers that ask for none in particular. */
const FIRST_SERVER = 201;

/** First network that nothing on this machine uses: neither an interface, a route, nor a Docker network. */
export function chooseSubnet(taken: readonly string[]): Subnet {
  const ranges = rangesOf([...taken, ...reserved]);
  for (const prefix of candidates()) {
    const subnet = { cidr: `${prefix}.0/24`, gateway: `${prefix}.1` };
    if (!overlaps(ranges, rangeOf(subnet.cidr))) return subnet;
  }
  throw new Failure(
    'Cannot find a free network for the nodes: 172.30.0.0/16 and 10.90.0.0/16 are both in use on this machine',
  );
}

/** @param index from 0 */
export function nodeAddress(subnet: Subnet, index: number): string {
  return subnet.gateway.replace(/\d+$/, String(FIRST_NODE + index));
}

/** Address of an API server of several. @param index from 0 */
export function serverAddress(subnet: Subnet, index: number): string {
  return subnet.gateway.replace(/\d+$/, String(FIRST_SERVER + index));
}

/** Whether nothing on this machine uses any of these addresses. */
export function isSubnetFree(subnet: Subnet, taken: readonly string[]): boolean {
  return !overlaps(rangesOf(taken), rangeOf(subnet.cidr));
}

/** Pods and Services live here, in every cluster. */
const reserved = ['10.96.0.0/12', '10.244.0.0/16'];

function* candidates(): Generator<string> {
  for (const prefix of ['172.30', '10.90']) {
    for (let third = 0; third < 256; third++) yield `${prefix}.${third}`;
  }
}

interface Range {
  readonly first: number;
  readonly last: number;
}

const rangesOf = (cidrs: readonly string[]): readonly Range[] =>
  cidrs.map(rangeOf).filter((range) => range !== undefined);

const overlaps = (ranges: readonly Range[], range: Range | undefined): boolean =>
  range !== undefined && ranges.some((other) => other.first <= range.last && range.first <= other.last);

/** @returns undefined for IPv6 and for the default route, which overlaps with everything and means nothing here */
function rangeOf(cidr: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if (bits === 0) return undefined;
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}
