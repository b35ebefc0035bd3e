import { VirtualClock } from '@wherry/daemon';
import { encode, type Packet } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { AnswerCache } from './answer-cache.ts';

const soa = (ttl: number, minimum: number) => ({
  type: 'SOA' as const,
  name: 'example.com',
  ttl,
  data: { mname: 'ns.example.com', rname: 'admin.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});
const a = (ttl: number) => ({ type: 'A' as const, name: 'example.com', ttl, data: '192.0.2.1' });
const cname = (ttl: number) => ({ type: 'CNAME' as const, name: 'example.com', ttl, data: 'example.net' });
const NXDOMAIN = 3;

function response(packet: Packet): Buffer {
  return encode({ type: 'response', questions: [{ type: 'A', name: 'example.com' }], ...packet });
}

describe('AnswerCache', () => {
  it.each<[string, Packet, number]>([
    ['data for its TTL', { answers: [a(12)] }, 12],
    ['data for the smallest TTL', { answers: [cname(7), a(12)] }, 7],
    ['nothing for longer than 30 s', { answers: [a(86_400)] }, 30],
    ['TTL 0 not at all', { answers: [a(0)] }, 0],
    ['NXDOMAIN for the SOA minimum', { flags: NXDOMAIN, authorities: [soa(20, 10)] }, 10],
    ['NXDOMAIN for the TTL of its SOA', { flags: NXDOMAIN, authorities: [soa(5, 10)] }, 5],
    ['NODATA for the SOA minimum', { authorities: [soa(20, 10)] }, 10],
    ['an alias to nothing as a denial', { answers: [cname(4)], authorities: [soa(20, 10)] }, 4],
    ['a denial without SOA not at all', { flags: NXDOMAIN }, 0],
    ['an alias that leads nowhere not at all', { answers: [cname(7)] }, 0],
    ['SERVFAIL not at all', { flags: 2, authorities: [soa(20, 10)] }, 0],
  ])('keeps %s', async (_, packet, seconds) => {
    const clock = new VirtualClock();
    const cache = new AnswerCache(clock);
    cache.put('key', response(packet));
    if (seconds > 0) {
      await clock.advance(seconds * 1000 - 1);
      expect(cache.get('key')?.ageSeconds).toBe(seconds - 1);
    }
    await clock.advance(1);
    expect(cache.get('key')).toBeUndefined();
  });

  it('makes room by what was used longest ago', () => {
    const cache = new AnswerCache(new VirtualClock(), 2);
    cache.put('a', response({ answers: [a(10)] }));
    cache.put('b', response({ answers: [a(10)] }));
    cache.get('a');
    cache.put('c', response({ answers: [a(10)] }));
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true]);
    expect(cache.size).toBe(2);
  });
});
