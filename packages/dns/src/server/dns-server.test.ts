import { createMetrics, type Metrics, seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import { decode } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createForwardMetrics } from '../forward/forward-metrics.ts';
import { Forwarder } from '../forward/forwarder.ts';
import type { Upstream } from '../forward/upstreams.ts';
import { askTcp, askUdp, opt, question, summary } from '../testing/ask.ts';
import {
  emptyCluster,
  type FixtureCluster,
  fixtureCluster,
  service,
  slice,
  zoneConfig,
} from '../testing/cluster-fixture.ts';
import { type FakeUpstream, startFakeUpstream, type UpstreamAnswer } from '../testing/fake-upstream.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { Handler } from './handler.ts';
import { createServerMetrics } from './server-metrics.ts';

const SOA_30 = 'SOA 30 cluster.local';
const WEB = 'web.shop.svc.cluster.local';

const answerA: UpstreamAnswer = ({ questions = [] }) => ({
  flags: 0x0180,
  answers: [{ type: 'A', name: questions[0]?.name ?? '', ttl: 20, data: '192.0.2.1' }],
});

describe('DNS over sockets', () => {
  let cluster: FixtureCluster;
  let upstream: FakeUpstream;
  let upstreams: readonly Upstream[];
  let server: DnsServer;
  let metrics: Metrics;

  async function start(inFlightMax = 1000): Promise<void> {
    metrics = createMetrics();
    const common = { clock: systemClock, random: seededRandom(1), logger: silentLogger };
    const forwarder = new Forwarder({
      ...common,
      upstreams: () => upstreams,
      metrics: createForwardMetrics(metrics, 'dns://:53'),
      inFlightMax,
      tryMsMax: 100,
    });
    const handler = new Handler({
      ...common,
      view: cluster.view,
      isComplete: () => cluster.view.isComplete,
      zone: zoneConfig,
      forwarder,
      metrics: createServerMetrics(metrics, 'dns://:53'),
    });
    server = await startDnsServer({
      host: '127.0.0.1',
      port: 0,
      handle: (request, protocol) => handler.handle(request, protocol),
      clock: systemClock,
      logger: silentLogger,
    });
  }

  beforeEach(async () => {
    cluster = fixtureCluster();
    upstream = await startFakeUpstream(answerA);
    upstreams = [upstream];
    await start();
  });
  afterEach(async () => {
    await server.close();
    await upstream.close();
  });

  const ask = async (...asked: Parameters<typeof question>) => summary(await askUdp(server.port, question(...asked)));

  describe("the cluster's names", () => {
    it('answers over UDP, in the case of the question', async () => {
      const response = decode(await askUdp(server.port, question('A', 'WEB.shop.svc.cluster.LOCAL')));
      expect(response.questions?.[0]?.name).toBe('WEB.shop.svc.cluster.LOCAL');
      expect(response.answers).toMatchObject([{ name: 'WEB.shop.svc.cluster.LOCAL', data: '10.96.0.20' }]);
    });

    it('answers over TCP, several questions on one connection', async () => {
      const requests = [question('A', WEB), question('A', 'gone.shop.svc.cluster.local', { id: 7 })];
      const responses = await askTcp(server.port, ...requests);
      expect(responses.map(summary).sort()).toEqual([
        `#7 NXDOMAIN aa rd ra |  | ${SOA_30}`,
        'NOERROR aa rd ra | A 30 10.96.0.20 | ',
      ]);
    });

    it('tells NODATA from NXDOMAIN', async () => {
      expect(await ask('AAAA', WEB)).toBe(`NOERROR aa rd ra |  | ${SOA_30}`);
      expect(await ask('AAAA', 'gone.shop.svc.cluster.local')).toBe(`NXDOMAIN aa rd ra |  | ${SOA_30}`);
      expect(upstream.asked).toEqual([]);
    });

    it('fails while it does not know the cluster, but forwards', async () => {
      await server.close();
      cluster = emptyCluster();
      await start();
      expect(await ask('A', WEB)).toBe('SERVFAIL rd ra |  | ');
      expect(await ask('PTR', '20.0.96.10.in-addr.arpa')).toBe('SERVFAIL rd ra |  | ');
      expect(await ask('A', 'example.com')).toBe('NOERROR rd ra | A 20 192.0.2.1 | ');
    });

    it('spreads clients over the addresses', async () => {
      const first = async () =>
        summary(await askUdp(server.port, question('A', 'db.shop.svc.cluster.local'))).split(',')[0];
      const seen = new Set<string | undefined>();
      for (let turn = 0; turn < 40; turn++) seen.add(await first());
      expect(seen.size).toBe(3);
    });
  });

  describe('sizes', () => {
    beforeEach(() => {
      const addresses = Array.from({ length: 200 }, (_, index) => `10.244.9.${index}`);
      cluster.services.upsert(service('shop', 'many', { clusterIP: 'None' }));
      cluster.slices.upsert(
        slice(
          'shop',
          'many',
          'IPv4',
          addresses.map((address) => ({ addresses: [address] })),
        ),
      );
    });

    it.each([
      [undefined, 512, 29],
      [1232, 1232, 73],
      [100, 512, 28],
      [65_000, 4096, 200],
    ])('with EDNS0 size %s', async (offered, sizeMax, records) => {
      const more = offered === undefined ? {} : { additionals: [opt(offered)] };
      const bytes = await askUdp(server.port, question('A', 'many.shop.svc.cluster.local', more));
      const response = decode(bytes);
      expect(bytes.length).toBeLessThanOrEqual(sizeMax);
      expect(response.answers?.length).toBe(records);
      expect(response.flag_tc).toBe(records < 200);
      expect(response.additionals?.map(({ type }) => type)).toEqual(offered === undefined ? [] : ['OPT']);
    });

    it('gives all over TCP', async () => {
      const [bytes = Buffer.alloc(12)] = await askTcp(server.port, question('A', 'many.shop.svc.cluster.local'));
      const response = decode(bytes);
      expect([response.flag_tc, response.answers?.length]).toEqual([false, 200]);
    });
  });

  describe('other names', () => {
    it('forwards, remembers, and counts the time down', async () => {
      expect(await ask('A', 'example.com')).toBe('NOERROR rd ra | A 20 192.0.2.1 | ');
      expect(await ask('A', 'EXAMPLE.com', { id: 9 })).toBe('#9 NOERROR rd ra | A 20 192.0.2.1 | ');
      expect(upstream.asked).toEqual(['udp A example.com']);
      const text = await metrics.registry.metrics();
      expect(text).toContain('coredns_cache_hits_total{server="dns://:53",zones=".",type="success"} 1');
      expect(text).toContain(`coredns_forward_requests_total{to="127.0.0.1:${upstream.port}"} 1`);
      expect(text).toMatch(/coredns_dns_requests_total\{server="dns:\/\/:53",zone=".",proto="udp",type="A"\} 2/);
    });

    it('asks once for equal questions under way', async () => {
      await Promise.all(Array.from({ length: 20 }, () => ask('A', 'example.com')));
      expect(upstream.asked.length).toBe(1);
    });

    it('fetches over TCP what does not fit', async () => {
      upstream.answer = (packet, protocol) => (protocol === 'udp' ? { flags: 0x0380 } : answerA(packet, protocol));
      expect(await ask('A', 'example.com')).toBe('NOERROR rd ra | A 20 192.0.2.1 | ');
      expect(upstream.asked).toEqual(['udp A example.com', 'tcp A example.com']);
    });

    it('goes on to the next upstream, and then asks the silent one last', async () => {
      const silent = await startFakeUpstream(() => undefined);
      upstreams = [silent, upstream];
      expect(await ask('A', 'a.example.com')).toBe('NOERROR rd ra | A 20 192.0.2.1 | ');
      expect(await ask('A', 'b.example.com')).toBe('NOERROR rd ra | A 20 192.0.2.1 | ');
      expect(silent.asked).toEqual(['udp A a.example.com']);
      await silent.close();
    });

    it('goes on when an upstream fails, and says so when all do', async () => {
      const failing = await startFakeUpstream(() => ({ flags: 0x0182 }));
      upstreams = [failing, upstream];
      expect(await ask('A', 'example.com')).toBe('NOERROR rd ra | A 20 192.0.2.1 | ');
      upstreams = [failing];
      expect(await ask('A', 'example.org')).toBe('SERVFAIL rd ra |  | ');
      await failing.close();
    });

    it('fails without upstreams and with dead ones', async () => {
      upstreams = [];
      expect(await ask('A', 'example.com')).toBe('SERVFAIL rd ra |  | ');
      upstreams = [{ address: '127.0.0.1', port: 1 }];
      expect(await ask('A', 'example.com')).toBe('SERVFAIL rd ra |  | ');
    });

    it('ignores answers to other questions', async () => {
      upstream.answer = (packet, protocol) => ({ ...answerA(packet, protocol), id: ((packet.id ?? 0) + 1) & 0xffff });
      expect(await ask('A', 'example.com')).toBe('SERVFAIL rd ra |  | ');
    });

    it('refuses more than it can ask at once', async () => {
      await server.close();
      await start(1);
      upstream.answer = () => undefined;
      const both = await Promise.all([ask('A', 'a.example.com'), ask('A', 'b.example.com')]);
      expect(both.sort()).toEqual(['REFUSED rd ra |  | ', 'SERVFAIL rd ra |  | ']);
    });

    it('chases an ExternalName', async () => {
      const name = 'away.shop.svc.cluster.local';
      expect(await ask('A', name)).toBe('NOERROR aa rd ra | CNAME 30 api.example.com, A 20 192.0.2.1 | ');
      upstreams = [];
      expect(await ask('AAAA', name)).toBe('NOERROR aa rd ra | CNAME 30 api.example.com | ');
      expect(await ask('CNAME', name)).toBe('NOERROR aa rd ra | CNAME 30 api.example.com | ');
    });

    it("asks upstream for addresses that are not the cluster's", async () => {
      upstream.answer = () => ({ flags: 0x0183 });
      expect(await ask('PTR', '1.2.0.192.in-addr.arpa')).toBe('NXDOMAIN rd ra |  | ');
      expect(await ask('PTR', '20.0.96.10.in-addr.arpa')).toBe(`NOERROR aa rd ra | PTR 30 ${WEB} | `);
      expect(upstream.asked).toEqual(['udp PTR 1.2.0.192.in-addr.arpa']);
    });
  });

  it('refuses what it does not do', async () => {
    expect(await ask('AXFR', 'cluster.local')).toBe('REFUSED rd |  | ');
    expect(await ask('A', WEB, { flags: 0x2800 })).toBe('NOTIMP  |  | ');
    const badVersion = decode(await askUdp(server.port, question('A', WEB, { additionals: [opt(1232, 1)] })));
    expect(badVersion.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }]);
  });

  it('names the address when it cannot listen', async () => {
    const again = startDnsServer({
      host: '127.0.0.1',
      port: server.port,
      handle: async () => undefined,
      clock: systemClock,
      logger: silentLogger,
    });
    await expect(again).rejects.toThrow(`Cannot listen on 127.0.0.1:${server.port}`);
  });
});
