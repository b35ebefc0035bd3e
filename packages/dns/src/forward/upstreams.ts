import { parseAddress } from '../zone/names.ts';

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** Docker's resolver inside containers answers only there, and forwards to the host's resolvers anyway. */
const DOCKER_RESOLVER = '127.0.0.11';
const DNS_PORT = 53;
/** CoreDNS's limit. */
const UPSTREAMS_MAX = 15;

/** @returns what is written there that can be asked: neither ourselves nor Docker's resolver */
export function upstreamsOf(resolvConf: string, own: readonly Upstream[]): readonly Upstream[] {
  const upstreams: Upstream[] = [];
  for (const line of resolvConf.split('\n')) {
    const [keyword, value = ''] = line.trim().split(/\s+/);
    if (keyword !== 'nameserver') continue;
    // A zone index (fe80::1%eth0) belongs to the address for the socket, but not for comparing.
    const address = parseAddress(value.replace(/%.*$/, ''))?.text;
    if (address === undefined || address === DOCKER_RESOLVER) continue;
    const upstream = { address: value.includes('%') ? value : address, port: DNS_PORT };
    if (own.some((self) => reaches(self, address))) continue;
    if (upstreams.every((known) => known.address !== upstream.address)) upstreams.push(upstream);
  }
  return upstreams.slice(0, UPSTREAMS_MAX);
}

/** Whether `address`:53 is the server that listens at `self`. */
function reaches(self: Upstream, address: string): boolean {
  if (self.port !== DNS_PORT) return false;
  const everywhere = self.address === '0.0.0.0' || self.address === '::';
  return self.address === address || (everywhere && (address.startsWith('127.') || address === '::1'));
}
