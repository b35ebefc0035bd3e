import { describe, expect, it } from 'vitest';
import { fixtureCluster, zoneConfig } from '../testing/cluster-fixture.ts';
import { answerQuestion, type ZoneAnswer, type ZoneRecord } from './answer.ts';
import { labelsOf } from './names.ts';

const { view } = fixtureCluster();
const ask = (type: string, name: string) => answerQuestion({ name: labelsOf(name), type }, view, zoneConfig);

function recordText(record: ZoneRecord): string {
  const { type, name, ttl, data } = record;
  if (type === 'SRV') return `${name} ${ttl} SRV ${data.priority} ${data.weight} ${data.port} ${data.target}`;
  return `${name} ${ttl} ${type} ${typeof data === 'string' ? data : JSON.stringify(data)}`;
}

/** One line per record; aliases come with where they lead. */
function text(answer: ZoneAnswer): readonly string[] {
  switch (answer.kind) {
    case 'elsewhere':
      return ['elsewhere'];
    case 'records':
      return [...answer.answers.map(recordText), ...answer.additionals.map((record) => `+ ${recordText(record)}`)];
    case 'alias':
      return [...answer.answers.map(recordText), `ask upstream for ${answer.target.join('.')}`];
    case 'noData':
    case 'noName':
      return [...answer.answers.map(recordText), answer.kind];
  }
}

const svc = (name: string) => `${name}.svc.cluster.local`;
const web = svc('web.shop');
const db = svc('db.shop');

describe('answerQuestion', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['the API server', 'A', svc('kubernetes.default'), [`${svc('kubernetes.default')} 30 A 10.96.0.1`]],
    ['a cluster IP', 'A', web, [`${web} 30 A 10.96.0.20`]],
    ['names in any case', 'A', 'WEB.Shop.SVC.Cluster.Local', [`${web} 30 A 10.96.0.20`]],
    ['no IPv6 address', 'AAAA', web, ['noData']],
    ['both families: IPv4', 'A', svc('dual.shop'), [`${svc('dual.shop')} 30 A 10.96.0.21`]],
    ['both families: IPv6', 'AAAA', svc('dual.shop'), [`${svc('dual.shop')} 30 AAAA fd00::21`]],
    ['a type that services never have', 'MX', web, ['noData']],
    ['no such service', 'A', svc('gone.shop'), ['noName']],
    ['no such service, other type', 'TXT', svc('gone.shop'), ['noName']],
    ['a namespace', 'A', svc('shop'), ['noData']],
    ['no such namespace', 'A', svc('web.nowhere'), ['noName']],
    ['what search domains make of outside names', 'A', svc('example.com.shop'), ['noName']],
    ['too deep', 'A', svc('a.b.c.web.shop'), ['noName']],
    ['the tree of services', 'A', 'svc.cluster.local', ['noData']],
    ['no such tree', 'A', 'web.shop.cluster.local', ['noName']],
    ['other domains', 'A', 'example.com', ['elsewhere']],
    ['a domain that only ends alike', 'A', 'mycluster.local', ['elsewhere']],
    ['an endpoint behind a cluster IP', 'A', `10-244-1-2.${web}`, [`10-244-1-2.${web} 30 A 10.244.1.2`]],
    [
      'a headless service: ready endpoints only',
      'A',
      db,
      [`${db} 30 A 10.244.1.5`, `${db} 30 A 10.244.2.5`, `${db} 30 A 10.244.3.6`],
    ],
    ['a headless service: IPv6', 'AAAA', db, [`${db} 30 AAAA fd00::5`]],
    ['a pod of a StatefulSet', 'A', `db-0.${db}`, [`db-0.${db} 30 A 10.244.1.5`]],
    ['a pod that is not ready', 'A', `db-2.${db}`, ['noName']],
    ['an endpoint without hostname', 'A', `10-244-3-6.${db}`, [`10-244-3-6.${db} 30 A 10.244.3.6`]],
    ['nobody ready', 'A', svc('idle.shop'), ['noName']],
    ['publishNotReadyAddresses', 'A', svc('early.shop'), [`${svc('early.shop')} 30 A 10.244.1.9`]],
    ['SRV without ports', 'SRV', svc('early.shop'), ['noData']],
    [
      'SRV of a named port',
      'SRV',
      `_http._tcp.${web}`,
      [`_http._tcp.${web} 30 SRV 0 100 80 ${web}`, `+ ${web} 30 A 10.96.0.20`],
    ],
    [
      'SRV of all ports',
      'SRV',
      web,
      [`${web} 30 SRV 0 50 80 ${web}`, `${web} 30 SRV 0 50 9090 ${web}`, `+ ${web} 30 A 10.96.0.20`],
    ],
    ['SRV of another protocol', 'SRV', `_http._udp.${web}`, ['noName']],
    ['SRV of no such port', 'SRV', `_ftp._tcp.${web}`, ['noName']],
    [
      'SRV of a headless service',
      'SRV',
      `_sql._tcp.${db}`,
      [
        `_sql._tcp.${db} 30 SRV 0 25 5432 db-0.${db}`,
        `_sql._tcp.${db} 30 SRV 0 25 5432 db-1.${db}`,
        `_sql._tcp.${db} 30 SRV 0 25 5432 10-244-3-6.${db}`,
        `+ db-0.${db} 30 A 10.244.1.5`,
        `+ db-1.${db} 30 A 10.244.2.5`,
        `+ 10-244-3-6.${db} 30 A 10.244.3.6`,
        `+ db-0.${db} 30 AAAA fd00::5`,
      ],
    ],
    ['ExternalName', 'CNAME', svc('away.shop'), [`${svc('away.shop')} 30 CNAME api.example.com`]],
    [
      'ExternalName, chased',
      'A',
      svc('away.shop'),
      [`${svc('away.shop')} 30 CNAME api.example.com`, 'ask upstream for api.example.com'],
    ],
    ['below an ExternalName', 'A', svc('x.away.shop'), ['noName']],
    ['ExternalName within', 'A', svc('alias.shop'), [`${svc('alias.shop')} 30 CNAME ${web}`, `${web} 30 A 10.96.0.20`]],
    [
      'ExternalName to nothing',
      'A',
      svc('dangling.shop'),
      [`${svc('dangling.shop')} 30 CNAME ${svc('gone.shop')}`, 'noName'],
    ],
    ['ExternalName to itself', 'A', svc('loop.shop'), [`${svc('loop.shop')} 30 CNAME ${svc('loop.shop')}`, 'noData']],
    ['ExternalName that is an address', 'A', svc('address.shop'), ['noName']],
    [
      'a pod by its address',
      'A',
      '10-244-1-2.shop.pod.cluster.local',
      ['10-244-1-2.shop.pod.cluster.local 30 A 10.244.1.2'],
    ],
    [
      'a pod by its IPv6 address',
      'AAAA',
      'fd00--5.shop.pod.cluster.local',
      ['fd00--5.shop.pod.cluster.local 30 AAAA fd00::5'],
    ],
    ['a pod of the other family', 'AAAA', '10-244-1-2.shop.pod.cluster.local', ['noData']],
    ['no address', 'A', '10-244-1-999.shop.pod.cluster.local', ['noName']],
    ['the version', 'TXT', 'dns-version.cluster.local', ['dns-version.cluster.local 28800 TXT 1.1.0']],
    [
      'name servers',
      'NS',
      'cluster.local',
      ['cluster.local 30 NS ns.dns.cluster.local', '+ ns.dns.cluster.local 30 A 172.18.0.1'],
    ],
    ['this server', 'A', 'ns.dns.cluster.local', ['ns.dns.cluster.local 30 A 172.18.0.1']],
    ['a service by address', 'PTR', '20.0.96.10.in-addr.arpa', [`20.0.96.10.in-addr.arpa 30 PTR ${web}`]],
    ['an endpoint by address', 'PTR', '5.1.244.10.in-addr.arpa', [`5.1.244.10.in-addr.arpa 30 PTR db-0.${db}`]],
    ['an endpoint that is not ready', 'PTR', '5.3.244.10.in-addr.arpa', ['elsewhere']],
    ['an unknown address', 'PTR', '1.2.0.192.in-addr.arpa', ['elsewhere']],
    ['half an address', 'PTR', '96.10.in-addr.arpa', ['elsewhere']],
    [
      'an IPv6 service by address',
      'PTR',
      `1.2.${'0.'.repeat(26)}0.0.d.f.ip6.arpa`,
      [`1.2.${'0.'.repeat(26)}0.0.d.f.ip6.arpa 30 PTR ${svc('dual.shop')}`],
    ],
  ])('%s', (_, type, name, expected) => expect(text(ask(type, name))).toEqual(expected));

  it('says how long to remember that there is nothing', () => {
    const answer = ask('A', svc('gone.shop'));
    expect(answer.kind === 'noName' && answer.soa).toEqual({
      type: 'SOA',
      name: 'cluster.local',
      ttl: 30,
      data: {
        mname: 'ns.dns.cluster.local',
        rname: 'hostmaster.cluster.local',
        serial: 1_700_000_000,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: 30,
      },
    });
    expect(ask('SOA', 'cluster.local')).toMatchObject({ kind: 'records', answers: [{ type: 'SOA' }] });
  });

  it('ends chains of aliases', () => {
    const cluster = fixtureCluster();
    for (let link = 0; link < 20; link++) {
      cluster.services.upsert({
        metadata: { namespace: 'chain', name: `l${link}`, uid: `l${link}` },
        spec: { type: 'ExternalName', externalName: `l${link + 1}.chain.svc.cluster.local` },
      });
    }
    const answer = answerQuestion({ name: labelsOf(svc('l0.chain')), type: 'A' }, cluster.view, zoneConfig);
    expect(answer).toMatchObject({ kind: 'noData' });
    expect(answer.kind === 'noData' && answer.answers.length).toBe(8);
  });

  it('follows the caches', () => {
    const cluster = fixtureCluster();
    cluster.services.remove('shop/web');
    const gone = answerQuestion({ name: labelsOf(web), type: 'A' }, cluster.view, zoneConfig);
    expect(gone.kind).toBe('noName');
  });
});
