import { type ConfigMap, isAlreadyExists, isNotFound, resources } from '@wherry/api';
import type { Context } from '../context.ts';
import { describeError } from '../failure.ts';
import { durationMs } from '../kube/durations.ts';
import type { TargetFlags } from '../kube/options.ts';
import { type Session, withSession } from '../kube/session.ts';
import { VerbError } from '../kube/verb-error.ts';
import {
  type BootstrapToken,
  checkToken,
  newToken,
  parseToken,
  secretName,
  secretOf,
  TOKEN_NAMESPACE,
  TOKEN_TYPE,
  tokenId,
  tokenOf,
  tokenText,
} from './bootstrap-token.ts';
import { authorityHashes, CLUSTER_INFO, CONTENT_KEY, parseClusterInfo } from './cluster-info.ts';
import { tokenTable } from './token-table.ts';

export interface CreateTokenFlags extends TargetFlags {
  readonly ttl: string;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
  readonly description: string;
  readonly printJoinCommand?: true;
}

/** `wherry token create`: kubeadm's, with its defaults and its answers. */
export async function createToken(context: Context, text: string | undefined, flags: CreateTokenFlags): Promise<void> {
  const ttlMs = durationMs('--ttl', flags.ttl);
  if (ttlMs < 0) throw new VerbError(`invalid argument "${flags.ttl}" for "--ttl": must not be negative`);
  const token: BootstrapToken = {
    ...(text === undefined ? newToken(context.random) : parseToken(text)),
    expiresAtMs: ttlMs === 0 ? undefined : context.clock.now() + ttlMs,
    usages: flags.usages,
    groups: flags.groups,
    description: flags.description,
  };
  checkToken(token);
  await withSession(context, flags, async (session) => {
    try {
      await session.client.create(resources.secrets, secretOf(token), { signal: context.signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      throw new VerbError(`a token with id "${token.id}" already exists`, { cause: error });
    }
    const answer = flags.printJoinCommand === true ? await joinCommand(context, session, token) : tokenText(token);
    context.terminal.out(answer);
  });
}

/** What to type on the host that is to join. */
async function joinCommand(context: Context, session: Session, token: BootstrapToken): Promise<string> {
  const { server, authority } = await publishedInfo(context, session);
  const hashes = authorityHashes(authority).map((hash) => `--discovery-token-ca-cert-hash ${hash}`);
  const { host, port } = new URL(server);
  const endpoint = port === '' ? `${host}:443` : host;
  return `wherry join ${endpoint} --token ${tokenText(token)} ${hashes.join(' ')}`;
}

/** The kubeconfig may know the server by an address of this host alone; what is published is for all. */
async function publishedInfo(context: Context, { client }: Session) {
  const { namespace, name } = CLUSTER_INFO;
  let published: ConfigMap;
  try {
    published = await client.get(resources.configmaps, name, { namespace, signal: context.signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new VerbError(`there is no ${name} ConfigMap in ${namespace}: make it with "wherry addons apply"`, {
      cause: error,
    });
  }
  const info = parseClusterInfo(published.data?.[CONTENT_KEY] ?? '');
  if (info === undefined) throw new VerbError(`malformed kubeconfig in the ${name} ConfigMap`);
  return info;
}

/** `wherry token list` */
export async function listTokens(context: Context, flags: TargetFlags): Promise<void> {
  await withSession(context, flags, async ({ client }) => {
    const { items } = await client.list(resources.secrets, {
      namespace: TOKEN_NAMESPACE,
      fieldSelector: `type=${TOKEN_TYPE}`,
      signal: context.signal,
    });
    const tokens: BootstrapToken[] = [];
    for (const secret of items) {
      try {
        tokens.push(tokenOf(secret));
      } catch (error) {
        if (!(error instanceof VerbError)) throw error;
        context.terminal.err(error.text);
      }
    }
    context.terminal.out(tokenTable(tokens, context.clock.now()));
  });
}

/** `wherry token delete` */
export async function deleteTokens(context: Context, texts: readonly string[], flags: TargetFlags): Promise<void> {
  const ids = texts.map(tokenId);
  await withSession(context, flags, async ({ client }) => {
    for (const id of ids) {
      try {
        await client.delete(resources.secrets, secretName(id), { namespace: TOKEN_NAMESPACE, signal: context.signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        throw new VerbError(`failed to delete bootstrap token "${id}": ${describeError(error)}`, { cause: error });
      }
      context.terminal.out(`bootstrap token "${id}" deleted`);
    }
  });
}

/** `wherry token generate` */
export function generateToken(context: Context): void {
  context.terminal.out(tokenText(newToken(context.random)));
}
