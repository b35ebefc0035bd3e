import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join as joinPath, resolve } from 'node:path';
import { isNotFound, isUnauthorized, type Node, resources } from '@wherry/api';
import { type ApiClient, createClient } from '@wherry/client';
import { type ClusterLayout, clusterLayout } from '../cluster/layout.ts';
import { withLock } from '../cluster/lock.ts';
import { readConfig } from '../cluster/stored-config.ts';
import type { Context } from '../context.ts';
import { engineVersion } from '../engine/docker.ts';
import { dockerHost } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { durationMs } from '../kube/durations.ts';
import { Progress } from '../terminal/progress.ts';
import { hasCertificate, writeBootstrapFiles } from './bootstrap-files.ts';
import { parseToken, type TokenText, tokenText } from './bootstrap-token.ts';
import type { ClusterInfo } from './cluster-info.ts';
import { discover } from './discovery.ts';
import { addressTowards, checkNodeName, type Endpoint, parseEndpoint } from './host.ts';
import { type JoinedNode, joinedFiles, readJoined, writeJoined } from './joined-node.ts';
import { runJoinedNode } from './run-joined-node.ts';

export interface JoinFlags {
  /** Folder of this node's state below $WHERRY_HOME; also the label of its containers. */
  readonly name: string;
  readonly token: string;
  readonly discoveryTokenCaCertHash: readonly string[];
  readonly discoveryTokenUnsafeSkipCaVerification?: true;
  readonly discoveryTimeout: string;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly runtime: 'docker' | 'hollow';
  readonly containerRuntimeEndpoint?: string;
  readonly kubeletArg: readonly string[];
  readonly proxyArg: readonly string[];
  /** Write the files of a node that others start into this folder, and start nothing. */
  readonly out?: string;
}

const hashForm = /^sha256:[0-9a-f]{64}$/;

/**
 * `wherry join`: makes this host a node of a cluster, with nothing but a token. Running it again continues where an
 * earlier call failed, and leaves a node alone that is as it should be.
 */
export async function join(context: Context, target: string, flags: JoinFlags): Promise<void> {
  const endpoint = parseEndpoint(target);
  const token = parseToken(flags.token);
  checkPinning(flags);
  const name = checkNodeName(flags.nodeName ?? hostname().toLowerCase());
  const progress = new Progress(context.terminal, context.clock);
  const attempt: Attempt = { endpoint, token, name, flags, progress };
  if (flags.out !== undefined) {
    await joinByHand(context, attempt, resolve(flags.out));
    return;
  }
  const layout = clusterLayout(context.home, flags.name);
  if (readConfig(layout) !== undefined)
    throw new Failure(`${layout.folder} holds a cluster of this machine: choose another name with --name`);
  await withLock(layout, context.pid, () => joinHere(context, attempt, layout));
}

interface Attempt {
  readonly endpoint: Endpoint;
  readonly token: TokenText;
  readonly name: string;
  readonly flags: JoinFlags;
  readonly progress: Progress;
}

/** @throws Failure in kubeadm's words */
function checkPinning({
  discoveryTokenCaCertHash: pins,
  discoveryTokenUnsafeSkipCaVerification: unsafe,
}: JoinFlags): void {
  const wrong = pins.find((pin) => !hashForm.test(pin));
  if (wrong !== undefined)
    throw new Failure(
      `invalid discovery token CA certificate hash: "${wrong}" is not of the form sha256:<64 hex digits>`,
    );
  if (pins.length === 0 && unsafe !== true) {
    throw new Failure(
      'using token-based discovery without --discovery-token-ca-cert-hash can be unsafe: whoever knows the token could pose as the cluster. Pass --discovery-token-unsafe-skip-ca-verification to continue',
    );
  }
}

async function joinHere(context: Context, attempt: Attempt, layout: ClusterLayout): Promise<void> {
  const { name, flags, progress, token } = attempt;
  const files = joinedFiles(layout);
  const before = readJoined(layout);
  if (before !== undefined && before.name !== name)
    throw new Failure(`This host is node "${before.name}" already: "wherry reset" undoes that`);
  const engine = await checkEngine(context, flags);
  const isNode = before !== undefined && (await hasCertificate(context, files.certificate));
  const info = isNode ? undefined : await findCluster(context, attempt);
  if (info !== undefined) {
    await checkNameIsFree(context, info, attempt);
    await writeBootstrapFiles(files, info, token);
  }
  const node: JoinedNode = {
    name,
    address: flags.nodeIp ?? before?.address ?? (await addressTowards(attempt.endpoint)),
    server: info?.server ?? before?.server ?? '',
    runtime: flags.runtime,
    engine,
    kubeletArgs: flags.kubeletArg.map(asFlag),
    proxyArgs: flags.proxyArg.map(asFlag),
  };
  await writeJoined(layout, node);
  await runJoinedNode(context, layout, node, progress);
  // The token has done its work; the node renews its certificate by itself.
  await rm(files.bootstrap, { force: true });
  sayJoined(context, name, isNode);
}

function sayJoined({ terminal }: Context, name: string, before: boolean): void {
  if (before) {
    terminal.err(`Node "${name}" had joined the cluster before; its daemons run`);
    return;
  }
  terminal.err('This node has joined the cluster:');
  terminal.err('* Certificate signing request was sent to apiserver and a response was received.');
  terminal.err('* The Kubelet was informed of the new secure connection details.');
  terminal.err('');
  terminal.err("Run 'kubectl get nodes' on the control-plane to see this node join the cluster.");
}

/** For hosts whose daemons systemd runs: everything but starting them. */
async function joinByHand(context: Context, attempt: Attempt, folder: string): Promise<void> {
  const { name, token } = attempt;
  const info = await findCluster(context, attempt);
  await checkNameIsFree(context, info, attempt);
  const own = joinPath(folder, 'nodes', name);
  const files = { authority: joinPath(own, 'ca.crt'), bootstrap: joinPath(own, 'bootstrap-kubelet.conf') };
  await writeBootstrapFiles(files, info, token);
  for (const path of Object.values(files)) context.terminal.out(`${path}: written`);
  const address = attempt.flags.nodeIp ?? (await addressTowards(attempt.endpoint));
  context.terminal.err(
    `Now start the kubelet with --bootstrap-kubeconfig, for example: JOINED=1 ADDRESS=${address} sh deploy/systemd/install.sh ${name} kubelet proxy`,
  );
}

/** `name=value` and `--name=value` are the same. */
const asFlag = (text: string): string => (text.startsWith('--') ? text : `--${text}`);

async function checkEngine(context: Context, flags: JoinFlags): Promise<string> {
  const engine = flags.containerRuntimeEndpoint ?? dockerHost(context);
  if (flags.runtime === 'hollow') return engine;
  if (context.platform !== 'linux' || context.userId !== 0)
    throw new Failure(
      'Only root on Linux can be a node: kubelet and proxy change routes, rules and mounts of this host',
    );
  if ((await engineVersion(engine)) === undefined)
    throw new Failure(`No Docker engine answers at ${engine}: docs/three-hosts.md says how to set one up`);
  return engine;
}

function findCluster(context: Context, { endpoint, token, flags, progress }: Attempt): Promise<ClusterInfo> {
  const { host, port } = endpoint;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return progress.step(
    'reading what the cluster publishes',
    async () => {
      const info = await discover(context, {
        endpoint: address,
        token,
        pins: flags.discoveryTokenCaCertHash,
        timeoutMs: durationMs('--discovery-timeout', flags.discoveryTimeout),
        waiting: (why) => progress.note(why),
      });
      return { ...info, server: reachableServer(info.server, host, address) };
    },
    (info) => `cluster at ${info.server}, known by its authority`,
  );
}

/** A cluster that only knows itself by loopback is reached as it was reached now. */
function reachableServer(published: string, host: string, address: string): string {
  const isLoopback = (name: string): boolean => /^(127\.|localhost$|\[?::1\]?$)/.test(name);
  return isLoopback(new URL(published).hostname) && !isLoopback(host) ? `https://${address}` : published;
}

/** @throws Failure when somebody else is the node of this name, or the token lets nobody in */
async function checkNameIsFree(context: Context, info: ClusterInfo, { name, token }: Attempt): Promise<void> {
  const client = createClient({ server: info.server, ca: info.authority, token: tokenText(token) });
  try {
    const found = await findNode(context, client, name, token);
    const isReady = found?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    if (isReady !== true) return;
    throw new Failure(
      `a Node with name "${name}" and status "Ready" already exists in the cluster. You must delete the existing Node or change the name of this new joining Node`,
    );
  } finally {
    await client.close();
  }
}

/** Another API server than the one that was read may see a new token a moment later. */
const UNKNOWN_TOKEN_TRIES = 3;
const UNKNOWN_TOKEN_WAIT_MS = 500;

async function findNode(
  context: Context,
  client: ApiClient,
  name: string,
  token: TokenText,
): Promise<Node | undefined> {
  const { clock, signal } = context;
  for (let tries = 1; ; tries++) {
    try {
      return await client.get(resources.nodes, name, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isUnauthorized(error)) throw error;
      if (tries === UNKNOWN_TOKEN_TRIES) {
        throw new Failure(
          `The API server does not accept the token "${token.id}.…": it is not for authentication, or it has just expired`,
          { cause: error },
        );
      }
    }
    await clock.sleep(UNKNOWN_TOKEN_WAIT_MS, signal);
  }
}
