import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { BackendBehaviour, BackendOrder } from './backend-process.ts';
import type { TestAuthority } from './certificates.ts';

/** A stand-in for an API server that can be killed, paused and started again on its port. */
export class FakeBackend {
  readonly name: string;
  readonly #authority: TestAuthority;
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(name: string, authority: TestAuthority) {
    this.name = name;
    this.#authority = authority;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async start(authority = this.#authority): Promise<this> {
    const pair = await authority.issue('kubernetes');
    this.#child = fork(new URL('./backend-process.ts', import.meta.url));
    const settings = { ...pair, name: this.name, port: this.#port, ca: this.#authority.cert };
    const { port } = await this.#order({ kind: 'start', settings });
    this.#port = port ?? 0;
    return this;
  }

  async answerReadyz(readyz: BackendBehaviour['readyz']): Promise<void> {
    await this.#order({ kind: 'behave', readyz });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #order(order: BackendOrder): Promise<{ readonly port?: number }> {
    if (this.#child === undefined) throw new Error(`Backend ${this.name} was not started`);
    this.#child.send(order);
    const [answer] = await once(this.#child, 'message');
    return answer;
  }
}
