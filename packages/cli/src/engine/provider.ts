import type { Context } from '../context.ts';
import { runProgram } from '../daemons/run-program.ts';
import { Failure } from '../failure.ts';
import { decideEngine } from './decide.ts';
import { dockerAt, engineVersion, usualDockerHost } from './docker.ts';
import { readHostFacts } from './host-facts.ts';
import { runtimeName, startEngine } from './start-engine.ts';

export interface Engine {
  /** For example "unix:///var/run/docker.sock". */
  readonly host: string;
  readonly version: string;
  readonly startedByUs: boolean;
}

export type EngineOutcome =
  | { readonly kind: 'ready'; readonly engine: Engine }
  /** Nodes can only pretend to run containers here, and why. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Where this user's Docker engine is. */
export function dockerHost(context: Context): string {
  return context.environment['DOCKER_HOST'] ?? usualDockerHost;
}

/**
 * Finds the Docker engine, or provides one: as root on Debian and Ubuntu, what is missing is installed and started.
 * @param say told what takes long, and what will not work
 * @throws Failure when installing or starting was tried and failed
 */
export async function ensureEngine(context: Context, say: (what: string) => void): Promise<EngineOutcome> {
  const host = dockerHost(context);
  const facts = readHostFacts(context);
  const version = await engineVersion(host);
  const decision = decideEngine(facts, { host, answers: version !== undefined });
  if (decision.kind === 'unavailable') return decision;
  if (decision.install.length > 0) {
    say(`installing ${decision.install.join(', ')}`);
    await install(context, decision.install);
  }
  if (version !== undefined) {
    if (facts.missingCapabilities.includes('SYS_RESOURCE') && !(await usesWrapper(host))) {
      say('this machine lacks CAP_SYS_RESOURCE, and its Docker engine does not know: privileged containers will fail');
    }
    return { kind: 'ready', engine: { host, version, startedByUs: false } };
  }
  if (host !== usualDockerHost) throw new Failure(`No Docker engine answers at DOCKER_HOST=${host}`);
  say('starting the Docker engine');
  await startEngine(context, facts);
  const started = await engineVersion(host);
  if (started === undefined) throw new Failure(`The Docker engine at ${host} stopped answering right after its start`);
  return { kind: 'ready', engine: { host, version: started, startedByUs: true } };
}

/** Whether the engine's containers go through our wrapper, which asks for no more than this machine has. */
async function usesWrapper(host: string): Promise<boolean> {
  const info: { readonly DefaultRuntime?: string } = await dockerAt(host).info();
  return info.DefaultRuntime === runtimeName;
}

async function install(context: Context, packages: readonly string[]): Promise<void> {
  // RUNLEVEL=1 keeps a Debian without systemd from starting the engine itself, without the runtime that it needs.
  const environment = { ...context.environment, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { environment, signal: context.signal };
  try {
    await runProgram('apt-get', ['-qq', 'update'], options);
    await runProgram('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...packages], options);
  } catch (error) {
    throw new Failure(`Cannot install ${packages.join(', ')}`, { cause: error });
  }
}
