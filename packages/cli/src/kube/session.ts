import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import {
  ApiClient,
  type Kubeconfig,
  loadKubeconfig,
  type ServerConnection,
  type Transport,
  undiciTransport,
} from '@wherry/client';
import type { Context } from '../context.ts';
import { Discovery } from './discovery.ts';
import type { TargetFlags } from './options.ts';
import { VerbError } from './verb-error.ts';
import { warningsOf } from './warnings.ts';

/** One verb's connection to a cluster. */
export interface Session {
  readonly client: ApiClient;
  readonly discovery: Discovery;
  readonly connection: ServerConnection;
  /** Sent with every request: whom to act as. */
  readonly headers: Readonly<Record<string, string>>;
  /** From --namespace, else of the kubeconfig's context, else `default`. */
  readonly namespace: string;
  /** Whether --namespace was given: then a manifest may not name another. */
  readonly namespaceGiven: boolean;
}

/** Runs `work` with a connection, and closes it. */
export async function withSession<T>(
  context: Context,
  flags: TargetFlags,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const configured = readKubeconfig(kubeconfigFile(context, flags), flags.context);
  const { server, token } = flags;
  const connection: ServerConnection = {
    ...configured.connection,
    ...(server === undefined ? {} : { server }),
    // A token is shown instead of the certificate, not beside it: the server would take the certificate's name.
    ...(token === undefined ? {} : { token, cert: undefined, key: undefined }),
  } as ServerConnection;
  const headers = impersonation(flags);
  const client = new ApiClient(
    attentive(undiciTransport({ ...connection, userAgent: 'wherry' }), headers, (warning) =>
      context.terminal.err(`Warning: ${warning}`),
    ),
  );
  try {
    return await work({
      client,
      discovery: new Discovery(client),
      connection,
      headers,
      namespace: flags.namespace ?? configured.namespace,
      namespaceGiven: flags.namespace !== undefined,
    });
  } finally {
    await client.close();
  }
}

/** A transport that adds headers to requests, and passes on each of the server's warnings once. */
function attentive(
  inner: Transport,
  headers: Readonly<Record<string, string>>,
  warn: (text: string) => void,
): Transport {
  const said = new Set<string>();
  return {
    async request(request) {
      const response = await inner.request({ ...request, headers: { ...request.headers, ...headers } });
      for (const warning of warningsOf(response.headers['warning'])) {
        if (!said.has(warning)) warn(warning);
        said.add(warning);
      }
      return response;
    },
    close: () => inner.close(),
  };
}

function impersonation({ as, asGroup = [] }: TargetFlags): Readonly<Record<string, string>> {
  if (as === undefined) {
    if (asGroup.length > 0) throw new VerbError('requesting groups without impersonating a user: add --as');
    return {};
  }
  return { 'impersonate-user': as, ...(asGroup.length === 0 ? {} : { 'impersonate-group': asGroup.join(',') }) };
}

/** The kubeconfig that a verb means. @throws VerbError when there is none */
export function kubeconfigFile(context: Context, flags: TargetFlags): string {
  if (flags.kubeconfig !== undefined) return flags.kubeconfig;
  const named = context.environment['KUBECONFIG']?.split(delimiter).filter((path) => path !== '') ?? [];
  const first = named.find((path) => existsSync(path));
  if (first !== undefined) return first;
  if (named.length > 0) throw new VerbError(`KUBECONFIG names ${named.join(', ')}, which does not exist`);
  const places = [
    join(context.home, 'default', 'kubeconfig'),
    join(context.environment['HOME'] ?? '/', '.kube', 'config'),
  ];
  const found = places.find((path) => existsSync(path));
  if (found === undefined)
    throw new VerbError('No cluster is configured: start one with "wherry up", or set KUBECONFIG');
  return found;
}

function readKubeconfig(file: string, contextName: string | undefined): Kubeconfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new VerbError(`Cannot read the kubeconfig ${file}`, { cause });
  }
  const readBeside = (path: string): string => readFileSync(resolve(dirname(file), path), 'utf8');
  try {
    return loadKubeconfig(text, readBeside, contextName);
  } catch (cause) {
    throw new VerbError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
