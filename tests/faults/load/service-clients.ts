import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A request without an answer. */
export interface LostRequest {
  readonly kind: 'lost';
  /** Name of the node that the client is on. */
  readonly from: string;
  readonly sentMs: number;
  readonly tookMs: number;
  readonly reason: string;
  /** Pod IP that the node's rules had led it to, as far as the kernel still knew. */
  readonly endpoint?: string;
}

/** A request whose answer came late. */
interface SlowRequest {
  readonly kind: 'slow';
  readonly from: string;
  readonly sentMs: number;
  readonly tookMs: number;
  readonly pod: string;
}

interface CountLine {
  readonly kind: 'count';
  readonly answered: number;
  readonly longestMs: number;
}

/** Where a client is: the network namespace of a pod. */
export interface ClientPlace {
  readonly node: string;
  readonly podPid: number;
  readonly anchorPid: number;
}

const EVERY_MS = 50;

/** Clients of a Service, one in a pod on each node, each opening twenty connections a second. */
export class ServiceClients {
  readonly lost: LostRequest[] = [];
  answered = 0;
  /** Answered, but only after the kernel had sent something again. */
  readonly slow: SlowRequest[] = [];
  longestMs = 0;
  readonly #children: ChildProcess[] = [];
  readonly #ended: string[] = [];
  #stopping = false;

  start(url: string, places: readonly ClientPlace[]): void {
    for (const place of places) this.#start(url, place);
  }

  get sent(): number {
    return this.answered + this.lost.length;
  }

  /** Clients that ended before they were told to. */
  get endedEarly(): readonly string[] {
    return this.#ended;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }),
    );
  }

  #start(url: string, { node, podPid, anchorPid }: ClientPlace): void {
    const program = fileURLToPath(new URL('client-program.mjs', import.meta.url));
    const args = [
      `--net=/proc/${podPid}/ns/net`,
      '--',
      process.execPath,
      program,
      url,
      String(EVERY_MS),
      `${anchorPid}`,
    ];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    child.on('exit', (code, signal) => {
      if (!this.#stopping) this.#ended.push(`client on ${node} ended with ${code ?? signal}`);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as LostRequest | CountLine | SlowRequest;
      if (said.kind === 'lost') this.lost.push({ ...said, from: node });
      if (said.kind === 'slow') this.slow.push({ ...said, from: node });
      if (said.kind !== 'count') return;
      this.answered += said.answered;
      this.longestMs = Math.max(this.longestMs, said.longestMs);
    });
  }
}
