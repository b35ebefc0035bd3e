import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { RuleChange } from '../plan/difference.ts';
import type { ServiceRule } from '../plan/service-rules.ts';

/** The node's own address on the wire to `outside`. */
export const NODE_IP = '172.31.250.2';
const OUTSIDE_IP = '172.31.250.3';
const GATEWAY_IP = '10.244.1.1';
export const POD_IPS = { pod1: '10.244.1.11', pod2: '10.244.1.12', pod3: '10.244.1.13' } as const;
export type Place = keyof typeof POD_IPS | 'node' | 'outside';

/** What runs inside the namespaces, as sources for `node -e`. */
export interface WorldScripts {
  /** Argument: its name. Answers on TCP and UDP port 8080, and prints a line when it does. */
  readonly server: string;
  /** Arguments: protocol, host, port, count, how long to wait in ms. Prints the answers as JSON. */
  readonly probe: string;
  /** Arguments: mode, folder of the data planes. Runs one and makes the calls on its standard input, a JSON line each. */
  readonly runner: string;
}

/** A node with three pods, wired as the kubelet does it, and a machine beside it; all in namespaces of their own. */
export class NetnsWorld {
  readonly #id: string;
  readonly #scripts: WorldScripts;
  readonly #children: ChildProcess[] = [];
  #runner:
    | { readonly child: ChildProcess; readonly lines: AsyncIterator<string>; readonly reader: Interface }
    | undefined;

  constructor(id: string, scripts: WorldScripts) {
    this.#id = id;
    this.#scripts = scripts;
  }

  /** @throws where network namespaces cannot be made: these tests need root and Linux */
  async build(mode: 'nftables' | 'userspace'): Promise<void> {
    const node = this.namespace('node');
    const outside = this.namespace('outside');
    for (const place of ['node', 'outside', 'pod1', 'pod2', 'pod3'] as const) {
      ip('netns', 'add', this.namespace(place));
      ip('-n', this.namespace(place), 'link', 'set', 'lo', 'up');
    }
    execFileSync('ip', [
      'netns',
      'exec',
      node,
      'sysctl',
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.all.send_redirects=0',
      'net.ipv4.conf.default.send_redirects=0',
    ]);
    ip('-n', node, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside);
    for (const [namespace, address] of [
      [node, NODE_IP],
      [outside, OUTSIDE_IP],
    ] as const) {
      ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
      ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    }
    ip('-n', node, 'route', 'add', 'default', 'via', OUTSIDE_IP);
    ip('-n', outside, 'route', 'add', 'default', 'via', NODE_IP);
    for (const [pod, address] of Object.entries(POD_IPS)) this.#wirePod(node, pod as Place, address);
    await Promise.all(Object.keys(POD_IPS).map((pod) => this.#startServer(pod as Place)));
    const argv = ['--input-type=module', '-e', this.#scripts.runner, mode, import.meta.dirname];
    const child = this.#spawn('node', argv, import.meta.dirname);
    if (child.stdout === null) throw new Error('The runner has no output');
    const reader = createInterface({ input: child.stdout });
    this.#runner = { child, reader, lines: reader[Symbol.asyncIterator]() };
  }

  namespace(place: Place): string {
    return `wp${this.#id}-${place}`;
  }

  async call(call: 'resync', rules: readonly ServiceRule[]): Promise<number>;
  async call(call: 'apply', changes: readonly RuleChange[]): Promise<number>;
  async call(call: 'cleanUp'): Promise<number>;
  /** Calls the data plane. @returns how long it took, in milliseconds */
  async call(call: string, argument?: unknown): Promise<number> {
    this.#runner?.child.stdin?.write(`${JSON.stringify({ call, argument })}\n`);
    const line = await this.#runner?.lines.next();
    if (line === undefined || line.done === true) throw new Error('The data plane has ended');
    const answer = JSON.parse(line.value) as { error?: string; ms: number };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.ms;
  }

  /** What clients at `from` get: `pod address-it-saw`, an error code or `timeout`. */
  async probe(
    from: Place,
    protocol: 'tcp' | 'udp',
    host: string,
    port: number,
    count = 1,
    waitMs = 1000,
  ): Promise<string[]> {
    const child = this.#spawn(from, ['-e', this.#scripts.probe, protocol, host, `${port}`, `${count}`, `${waitMs}`]);
    let text = '';
    for await (const chunk of child.stdout ?? []) text += String(chunk);
    return JSON.parse(text) as string[];
  }

  spawn(from: Place, script: string, ...argv: string[]): ChildProcess {
    return this.#spawn(from, ['-e', script, ...argv]);
  }

  async tearDown(): Promise<void> {
    const ended = this.#children.map(
      (child) =>
        new Promise<void>((done) =>
          child.exitCode === null && child.signalCode === null ? child.once('exit', () => done()) : done(),
        ),
    );
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
    for (const place of ['pod1', 'pod2', 'pod3', 'outside', 'node'] as const) {
      try {
        ip('netns', 'del', this.namespace(place));
      } catch {
        // Not all of them exist when building failed half-way.
      }
    }
  }

  #wirePod(node: string, pod: Place, address: string): void {
    const namespace = this.namespace(pod);
    ip('-n', node, 'link', 'add', pod, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', node, 'addr', 'add', `${GATEWAY_IP}/32`, 'dev', pod);
    ip('-n', node, 'link', 'set', pod, 'up');
    ip('-n', node, 'route', 'add', `${address}/32`, 'dev', pod);
    ip('-n', namespace, 'addr', 'add', `${address}/32`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'route', 'add', GATEWAY_IP, 'dev', 'eth0', 'scope', 'link');
    ip('-n', namespace, 'route', 'add', 'default', 'via', GATEWAY_IP);
  }

  async #startServer(pod: Place): Promise<void> {
    const child = this.#spawn(pod, ['-e', this.#scripts.server, pod]);
    await new Promise((up) => child.stdout?.once('data', up));
  }

  #spawn(place: Place, argv: readonly string[], cwd?: string): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace(place), process.execPath, ...argv], {
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#children.push(child);
    return child;
  }
}

function ip(...argv: string[]): void {
  execFileSync('ip', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
}
