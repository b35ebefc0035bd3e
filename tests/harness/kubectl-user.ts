import { officialKubectl } from './official-kubectl.ts';
import { type Finished, type RunOptions, run } from './run.ts';

/** A cluster as the official kubectl sees it, however it was started. */
export abstract class KubectlUser {
  /** The administrator's. */
  abstract readonly kubeconfig: string;
  /** $HOME of kubectl, which keeps caches there. */
  abstract readonly home: string;

  async kubectl(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const environment = { KUBECONFIG: this.kubeconfig, HOME: this.home, ...options.environment };
    return run(await officialKubectl(), args, { ...options, environment });
  }

  async kubectlOk(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`);
    return stdout;
  }

  async get<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectlOk(['get', ...args, '-o', 'json'])) as T;
  }

  apply(manifest: string, args: readonly string[] = []): Promise<string> {
    return this.kubectlOk(['apply', '-f', '-', ...args], { input: manifest });
  }
}
