import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubectlUser } from './kubectl-user.ts';
import { repository } from './repository.ts';
import { type Finished, type RunOptions, run } from './run.ts';

export interface ClusterOptions {
  /** Also names its folder and its Docker objects: an earlier run that was killed half-way is found and removed. */
  readonly name: string;
  readonly nodes: number;
  readonly port: number;
  readonly flags?: readonly string[];
}

/** A cluster started as a user starts it, by `./wherry up`, and driven through the official kubectl. */
export class Cluster extends KubectlUser {
  readonly name: string;
  override readonly home: string;
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    super();
    this.#options = options;
    this.name = options.name;
    this.home = join(tmpdir(), `wherry-test-${options.name}`);
  }

  override get kubeconfig(): string {
    return join(this.home, this.name, 'kubeconfig');
  }

  async up(): Promise<string> {
    mkdirSync(this.home, { recursive: true });
    await this.down();
    const { nodes, port, flags = [] } = this.#options;
    return this.wherryOk(['up', '--nodes', String(nodes), '--port', String(port), ...flags], { timeoutMs: 300_000 });
  }

  /** Ends the cluster and removes all that it left, also what an earlier, killed run left. */
  async down(): Promise<void> {
    await this.wherryOk(['down', '--delete'], { timeoutMs: 180_000 });
  }

  wherry(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const [verb = '', ...rest] = args;
    const named = ['up', 'down', 'status', 'daemon', 'node'].includes(verb) ? withName(verb, rest, this.name) : args;
    const environment = { WHERRY_HOME: this.home, KUBECONFIG: this.kubeconfig, ...options.environment };
    return run('sh', [join(repository, 'wherry'), ...named], { ...options, environment });
  }

  async wherryOk(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.wherry(args, options);
    if (code !== 0) throw new Error(`wherry ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`);
    return stdout;
  }

  /** Connection facts for requests that no kubectl would send. */
  credentials(): { readonly server: string; readonly ca: string; readonly cert: string; readonly key: string } {
    const text = readFileSync(this.kubeconfig, 'utf8');
    const value = (name: string): string => new RegExp(`${name}:\\s*"?([^\\s"]+)`).exec(text)?.[1] ?? '';
    const pem = (name: string): string => Buffer.from(value(`${name}-data`), 'base64').toString('utf8');
    return {
      server: value('server'),
      ca: pem('certificate-authority'),
      cert: pem('client-certificate'),
      key: pem('client-key'),
    };
  }
}

function withName(verb: string, rest: readonly string[], name: string): readonly string[] {
  return [verb, ...rest, '--name', name];
}
