import { describe, expect, it } from 'vitest';
import { upstreamsOf } from './upstreams.ts';

const gateway = { address: '172.18.0.1', port: 10_053 };

describe('upstreamsOf', () => {
  it.each<[string, string, { address: string; port: number }, readonly string[]]>([
    [
      'in order, once each',
      'nameserver 9.9.9.9\n nameserver 1.1.1.1 \nnameserver 9.9.9.9',
      gateway,
      ['9.9.9.9', '1.1.1.1'],
    ],
    ['loopback resolvers of the host', 'nameserver 127.0.0.53', gateway, ['127.0.0.53']],
    ["never Docker's", 'nameserver 127.0.0.11\nnameserver 10.0.0.2', gateway, ['10.0.0.2']],
    ['comments, options and nonsense', '# nameserver 1.1.1.1\nsearch a b\nnameserver here\nnameserver', gateway, []],
    ['IPv6 with a zone', 'nameserver fe80::1%eth0\nnameserver 2001:DB8::1', gateway, ['fe80::1%eth0', '2001:db8::1']],
    ['another port is another server', 'nameserver 172.18.0.1', gateway, ['172.18.0.1']],
    ['never itself', 'nameserver 172.18.0.1\nnameserver 1.1.1.1', { address: '172.18.0.1', port: 53 }, ['1.1.1.1']],
    ['never itself, on all addresses', 'nameserver 127.0.0.1\nnameserver ::1', { address: '0.0.0.0', port: 53 }, []],
  ])('%s', (_, file, self, expected) => {
    expect(upstreamsOf(file, [self]).map(({ address }) => address)).toEqual(expected);
  });
});
