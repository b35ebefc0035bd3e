import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ruleChanges } from '../plan/difference.ts';
import type { Endpoint } from '../plan/endpoints.ts';
import type { ServiceRule, Target } from '../plan/service-rules.ts';
import { NetnsWorld, NODE_IP, type Place, POD_IPS } from './netns-world.test-support.ts';

/** Answers HTTP-less TCP (one line on connect) and UDP with `name client-address`. */
const SERVER = `
const [name] = process.argv.slice(1);
require('net').createServer((s) => { s.on('error', () => 0); s.write(name + ' ' + s.remoteAddress + '\\n'); s.on('data', (d) => s.write(name + ' ' + d)); s.on('end', () => s.end()); }).listen(8080, '0.0.0.0', () => console.log('up'));
const u = require('dgram').createSocket('udp4').on('message', (m, r) => u.send(name + ' ' + r.address, r.port, r.address)); u.bind(8080);`;

/** Asks count times, one new client each, and prints the answers as JSON. */
const PROBE = `
const [proto, host, port, count, waitMs] = process.argv.slice(1);
const tcp = () => new Promise((done) => { const s = require('net').connect({ host, port }); const t = setTimeout(() => { s.destroy(); done('timeout'); }, +waitMs);
  s.on('error', (e) => { clearTimeout(t); done(e.code === 'ECONNRESET' ? 'ECONNREFUSED' : e.code); }); s.on('data', (d) => { clearTimeout(t); s.destroy(); done(String(d).trim()); }); });
const udp = () => new Promise((done) => { const s = require('dgram').createSocket('udp4'); const t = setTimeout(() => { s.close(); done('timeout'); }, +waitMs);
  s.on('error', (e) => { clearTimeout(t); s.close(); done(e.code); }); s.on('message', (m) => { clearTimeout(t); s.close(); done(String(m)); }); s.connect(port, host, () => s.send('x')); });
(async () => { const a = []; for (let i = 0; i < +count; i++) a.push(await (proto === 'udp' ? udp() : tcp())); console.log(JSON.stringify(a)); })();`;

/** Runs a data plane inside the node's namespace and does what its standard input says, a JSON line at a time. */
const RUNNER = `
const [mode, folder] = process.argv.slice(1);
const { commandRunner } = await import(folder + '/run-command.ts');
const { systemClock, systemRandom, silentLogger, Scope } = await import('@wherry/daemon');
const { networkInterfaces } = await import('node:os');
const localAddresses = () => new Set(Object.values(networkInterfaces()).flat().map((a) => a.address));
const logger = { ...silentLogger, warn: (f, m) => console.error(m, f), error: (f, m) => console.error(m, f) };
const common = { run: commandRunner(), localAddresses, clock: systemClock, logger };
const plane = mode === 'nftables'
  ? new (await import(folder + '/nftables/nftables-dataplane.ts')).NftablesDataplane({ ...common, prefix: [], table: { clusterCidr: '10.244.0.0/16', nodePortCidrs: [] } })
  : new (await import(folder + '/userspace/userspace-dataplane.ts')).UserspaceDataplane({ ...common, random: systemRandom, clusterCidr: '10.244.0.0/16', nodePortCidrs: [], scope: new Scope('t', logger) });
const { createInterface } = await import('node:readline');
for await (const line of createInterface({ input: process.stdin })) {
  const { call, argument } = JSON.parse(line);
  const start = performance.now();
  let answer;
  try { answer = { value: await plane[call](argument) }; } catch (error) { answer = { error: String(error) }; }
  console.log(JSON.stringify({ ...answer, ms: performance.now() - start }));
}
await plane.close(); process.exit(0);`;

const SCRIPTS = { server: SERVER, probe: PROBE, runner: RUNNER };

const CLUSTER_IP = '10.96.7.7';
const EXTERNAL_IP = '198.51.100.7';
const GATEWAY = '10.244.1.1';

type Pod = keyof typeof POD_IPS;

function to(...pods: Pod[]): Target {
  const endpoints: readonly Endpoint[] = pods.map((pod) => ({ ip: POD_IPS[pod], port: 8080 }));
  return pods.length === 0 ? { kind: 'reject' } : { kind: 'forward', endpoints };
}

function rule(target: Target, more: Partial<ServiceRule> = {}): ServiceRule {
  return {
    key: `test/web:p/${more.protocol ?? 'tcp'}`,
    protocol: 'tcp',
    port: 80,
    clusterIp: CLUSTER_IP,
    nodePort: 30080,
    externalIps: [EXTERNAL_IP],
    affinitySeconds: 0,
    internal: target,
    external: target,
    keepsClientAddress: false,
    shortcut: target,
    ...more,
  };
}

const local = { keepsClientAddress: true, external: to('pod1'), shortcut: to('pod1', 'pod2') };
const nobodyHere = { keepsClientAddress: true, external: { kind: 'drop' }, shortcut: to('pod2') } as const;

interface Case {
  readonly name: string;
  readonly rule: ServiceRule;
  readonly from: Place;
  readonly host: string;
  readonly port: number;
  /** Who answers, sorted; an error code when nobody does. */
  readonly answers: readonly string[];
  /** The client's address as the kernel's rules leave it; user space always shows the node's. */
  readonly seenAs?: readonly string[];
  /** What user space does instead. */
  readonly userspaceAnswers?: readonly string[];
}

/** What every data plane must do. */
const CASES: readonly Case[] = [
  {
    name: 'cluster IP from a pod',
    rule: rule(to('pod2', 'pod3')),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['pod2', 'pod3'],
    seenAs: [POD_IPS.pod1],
  },
  {
    name: 'cluster IP from the node',
    rule: rule(to('pod2', 'pod3')),
    from: 'node',
    host: CLUSTER_IP,
    port: 80,
    answers: ['pod2', 'pod3'],
    seenAs: [GATEWAY],
  },
  {
    name: 'a pod that reaches itself',
    rule: rule(to('pod1')),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['pod1'],
    seenAs: [GATEWAY],
  },
  {
    name: 'all three pods, itself among them',
    rule: rule(to('pod1', 'pod2', 'pod3')),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['pod1', 'pod2', 'pod3'],
  },
  {
    name: 'node port from outside',
    rule: rule(to('pod1', 'pod2')),
    from: 'outside',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1', 'pod2'],
    seenAs: [GATEWAY],
  },
  {
    name: 'node port from the node',
    rule: rule(to('pod1', 'pod2')),
    from: 'node',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1', 'pod2'],
  },
  {
    name: 'node port from a pod',
    rule: rule(to('pod1', 'pod2')),
    from: 'pod1',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1', 'pod2'],
  },
  {
    name: 'external IP from outside',
    rule: rule(to('pod1', 'pod2')),
    from: 'outside',
    host: EXTERNAL_IP,
    port: 80,
    answers: ['pod1', 'pod2'],
    seenAs: [GATEWAY],
  },
  {
    name: 'UDP by cluster IP',
    rule: rule(to('pod2', 'pod3'), { protocol: 'udp' }),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['pod2', 'pod3'],
    seenAs: [POD_IPS.pod1],
  },
  {
    name: 'UDP by node port from outside',
    rule: rule(to('pod1', 'pod2'), { protocol: 'udp' }),
    from: 'outside',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1', 'pod2'],
  },
  {
    name: 'no endpoints: refused, from a pod',
    rule: rule(to()),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['ECONNREFUSED'],
  },
  {
    name: 'no endpoints: refused, from the node',
    rule: rule(to()),
    from: 'node',
    host: CLUSTER_IP,
    port: 80,
    answers: ['ECONNREFUSED'],
  },
  {
    name: 'no endpoints: refused, node port',
    rule: rule(to()),
    from: 'outside',
    host: NODE_IP,
    port: 30080,
    answers: ['ECONNREFUSED'],
  },
  {
    name: 'no endpoints: refused, UDP',
    rule: rule(to(), { protocol: 'udp' }),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['ECONNREFUSED'],
  },
  {
    name: 'a port the service has not',
    rule: rule(to('pod2')),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 81,
    answers: ['ECONNREFUSED'],
  },
  {
    name: 'internal Local without one: dropped',
    rule: rule(to('pod2'), { internal: { kind: 'drop' } }),
    from: 'pod1',
    host: CLUSTER_IP,
    port: 80,
    answers: ['timeout'],
    userspaceAnswers: ['ECONNREFUSED'],
  },
  {
    name: 'external Local from outside',
    rule: rule(to('pod1', 'pod2'), local),
    from: 'outside',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1'],
    seenAs: ['172.31.250.3'],
  },
  {
    name: 'external Local from outside, external IP',
    rule: rule(to('pod1', 'pod2'), local),
    from: 'outside',
    host: EXTERNAL_IP,
    port: 80,
    answers: ['pod1'],
    seenAs: ['172.31.250.3'],
  },
  {
    name: 'external Local from a pod: all endpoints',
    rule: rule(to('pod1', 'pod2'), local),
    from: 'pod3',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1', 'pod2'],
  },
  {
    name: 'external Local from the node: all endpoints',
    rule: rule(to('pod1', 'pod2'), local),
    from: 'node',
    host: NODE_IP,
    port: 30080,
    answers: ['pod1', 'pod2'],
  },
  {
    name: 'external Local without one, from outside: dropped',
    rule: rule(to('pod2'), nobodyHere),
    from: 'outside',
    host: NODE_IP,
    port: 30080,
    answers: ['timeout'],
    userspaceAnswers: ['ECONNREFUSED'],
  },
  {
    name: 'external Local without one, from the node',
    rule: rule(to('pod2'), nobodyHere),
    from: 'node',
    host: NODE_IP,
    port: 30080,
    answers: ['pod2'],
  },
];

describe.each(['nftables', 'userspace'] as const)('%s', (mode) => {
  const world = new NetnsWorld(`${process.pid}${mode[0]}`, SCRIPTS);
  beforeAll(() => world.build(mode));
  afterAll(() => world.tearDown());

  it.each(CASES)('$name', async (one) => {
    await world.call('resync', [one.rule]);
    const expected = (mode === 'userspace' ? one.userspaceAnswers : undefined) ?? one.answers;
    const refused = /^[A-Z]|timeout/.test(expected[0] ?? '');
    const answers = await world.probe(
      one.from,
      one.rule.protocol as 'tcp',
      one.host,
      one.port,
      refused ? 1 : 40,
      refused ? 300 : 1000,
    );
    expect([...new Set(answers.map((answer) => answer.split(' ')[0]))].sort()).toEqual(expected);
    if (mode === 'nftables' && one.seenAs !== undefined) {
      expect([...new Set(answers.map((answer) => answer.split(' ')[1]))]).toEqual(one.seenAs);
    }
  });

  it('keeps a client with affinity on its endpoint, and gives it another one when that is gone', async () => {
    const before = rule(to('pod1', 'pod2', 'pod3'), { affinitySeconds: 60 });
    await world.call('resync', [before]);
    const names = async () =>
      (await world.probe('outside', 'tcp', NODE_IP, 30080, 12)).map((answer) => answer.split(' ')[0] as Pod);
    const first = await names();
    expect(new Set(first).size).toBe(1);
    const left = (['pod1', 'pod2', 'pod3'] as const).filter((pod) => pod !== first[0]);
    await world.call('apply', ruleChanges([before], [rule(to(...left), { affinitySeconds: 60 })]));
    const second = await names();
    expect(new Set(second).size).toBe(1);
    expect(left).toContain(second[0]);
  });

  it('leaves a connection alone when its endpoint goes, and sends new ones elsewhere', async () => {
    const before = rule(to('pod1'));
    await world.call('resync', [before]);
    const script = `const s = require('net').connect(80, '${CLUSTER_IP}'); s.on('data', (d) => process.stdout.write(d)); process.stdin.on('data', (d) => s.write(d));`;
    const client = world.spawn('pod3', script);
    const heard = () =>
      new Promise<string>((done) => client.stdout?.once('data', (data: Buffer) => done(String(data))));
    expect(await heard()).toContain('pod1');
    await world.call('apply', ruleChanges([before], [rule(to('pod2'))]));
    client.stdin?.write('still there?');
    expect(await heard()).toContain('pod1 still there?');
    expect((await world.probe('pod3', 'tcp', CLUSTER_IP, 80, 3)).map((answer) => answer.split(' ')[0])).toEqual([
      'pod2',
      'pod2',
      'pod2',
    ]);
  });

  it('moves a UDP client that keeps its port when its endpoint goes, and when the first one comes', async () => {
    const step = [
      rule(to('pod1'), { protocol: 'udp' }),
      rule(to('pod2'), { protocol: 'udp' }),
      rule(to(), { protocol: 'udp' }),
    ];
    const script = `const s = require('dgram').createSocket('udp4'); s.bind(40000); s.on('message', (m) => process.stdout.write(String(m) + '\\n')); s.on('error', () => 0);
      process.stdin.on('data', () => s.send('x', 80, '${CLUSTER_IP}'));`;
    await world.call('resync', [step[0] as ServiceRule]);
    const client = world.spawn('pod3', script);
    const ask = async (): Promise<string> => {
      const answer = new Promise<string>((done) => client.stdout?.once('data', (data: Buffer) => done(String(data))));
      const silence = new Promise<string>((done) => setTimeout(done, 400, 'silence'));
      client.stdin?.write('go');
      return (await Promise.race([answer, silence])).split(' ')[0] ?? '';
    };
    const heard: string[] = [];
    await new Promise((done) => setTimeout(done, 300));
    heard.push(await ask());
    for (const [from, next] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      await world.call('apply', ruleChanges([step[from] as ServiceRule], [step[next] as ServiceRule]));
      heard.push(await ask());
    }
    expect(heard).toEqual(['pod1', 'pod2', 'silence', 'pod1']);
  });

  it('serves without a gap while endpoints change', async () => {
    let current = rule(to('pod1', 'pod2', 'pod3'));
    await world.call('resync', [current]);
    const probing = world.probe('pod1', 'tcp', CLUSTER_IP, 80, 1500);
    let done = false;
    void probing.then(() => {
      done = true;
    });
    const turns = [to('pod1'), to('pod2', 'pod3'), to('pod1', 'pod3'), to('pod1', 'pod2', 'pod3')];
    let changes = 0;
    while (!done) {
      const next = rule(turns[changes++ % turns.length] as Target);
      await world.call('apply', ruleChanges([current], [next]));
      current = next;
      await new Promise((wait) => setTimeout(wait, 2));
    }
    const answers = await probing;
    expect(answers.filter((answer) => !answer.startsWith('pod'))).toEqual([]);
    expect(changes).toBeGreaterThan(20);
  });

  it('leaves nothing behind when cleaned up', async () => {
    await world.call('resync', [rule(to('pod1'))]);
    await world.call('cleanUp');
    const inNode = (...argv: string[]) =>
      execFileSync('ip', ['netns', 'exec', world.namespace('node'), ...argv]).toString();
    expect(inNode('nft', 'list', 'tables')).not.toContain('wherry');
    expect(inNode('ip', '-4', '-o', 'addr', 'show', 'dev', 'lo')).not.toContain('10.96');
  });
});
