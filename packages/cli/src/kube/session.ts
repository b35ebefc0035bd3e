import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { type ApiClient, createClient, loadKubeconfig, type ServerConnection } from '@wherry/client';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { Discovery } from './discovery.ts';

/** Flags of every verb that speaks to an API server. */
export interface TargetFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** One verb's connection to a cluster. */
export interface Session {
  readonly client: ApiClient;
  readonly discovery: Discovery;
  readonly connection: ServerConnection;
  /** From --namespace, else of the kubeconfig's context, else `default`. */
  readonly namespace: string;
  /** Whether --namespace was given: then a manifest may not name another. */
  readonly namespaceGiven: boolean;
}

export function withTarget(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, else the default cluster of this machine)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace of the request');
}

/** Runs `work` with a connection, and closes it. */
export async function withSession<T>(
  context: Context,
  flags: TargetFlags,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const file = kubeconfigFile(context, flags);
  const { connection, namespace } = read(file, flags.context);
  const client = createClient({ ...connection, userAgent: 'wherry' });
  try {
    return await work({
      client,
      discovery: new Discovery(client),
      connection,
      namespace: flags.namespace ?? namespace,
      namespaceGiven: flags.namespace !== undefined,
    });
  } finally {
    await client.close();
  }
}

function kubeconfigFile(context: Context, flags: TargetFlags): string {
  if (flags.kubeconfig !== undefined) return flags.kubeconfig;
  const named = context.environment['KUBECONFIG']?.split(delimiter).filter((path) => path !== '') ?? [];
  const first = named.find((path) => existsSync(path));
  if (first !== undefined) return first;
  if (named.length > 0) throw new Failure(`KUBECONFIG names ${named.join(', ')}, which does not exist`);
  const places = [
    join(context.home, 'default', 'kubeconfig'),
    join(context.environment['HOME'] ?? '/', '.kube', 'config'),
  ];
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw new Failure('No cluster is configured: start one with "wherry up", or set KUBECONFIG');
  return found;
}

function read(file: string, contextName: string | undefined) {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure(`Cannot read the kubeconfig ${file}`, { cause });
  }
  const readBeside = (path: string): string => readFileSync(resolve(dirname(file), path), 'utf8');
  try {
    return loadKubeconfig(text, readBeside, contextName);
  } catch (cause) {
    throw new Failure(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
