import type { ConfigMap } from '@wherry/api';
import { resources } from '@wherry/api';
import { objectPath, readBody, type ServerConnection, undiciTransport } from '@wherry/client';
import { isDetachedSignature } from '@wherry/pki';
import type { Context } from '../context.ts';
import { describeError, Failure, hasCode } from '../failure.ts';
import type { TokenText } from './bootstrap-token.ts';
import {
  authorityHashes,
  CLUSTER_INFO,
  type ClusterInfo,
  CONTENT_KEY,
  parseClusterInfo,
  signatureKey,
} from './cluster-info.ts';

export interface DiscoveryOptions {
  /** `host:port` of an API server. */
  readonly endpoint: string;
  readonly token: TokenText;
  /** `sha256:…` of authorities that may be trusted; empty: whatever the token's holder signed. */
  readonly pins: readonly string[];
  readonly timeoutMs: number;
  /** Told once why it is not done yet. */
  readonly waiting: (why: string) => void;
}

const RETRY_MS = 1_000;
/** Certificates begin this much before they are made; a clock that is further behind does not accept them. */
const CLOCK_SKEW_MS_MAX = 5 * 60_000;

/**
 * Finds out whom to trust, as kubeadm does: reads what the cluster publishes from whoever answers, checks that the
 * holder of the token has signed it and that its authority is one of those pinned, and reads it once more from a
 * server that this authority vouches for. The token itself is not sent.
 * @throws Failure in kubeadm's words
 */
export async function discover(context: Context, options: DiscoveryOptions): Promise<ClusterInfo> {
  const { endpoint, token, pins } = options;
  const server = `https://${endpoint}`;
  const published = await readSigned(context, { server, insecureSkipTlsVerify: true }, options);
  const content = checkSignature(published, token);
  const info = parseClusterInfo(content);
  if (info === undefined) throw new Failure(`malformed kubeconfig in the ${CLUSTER_INFO.name} ConfigMap`);
  if (pins.length === 0) return info;
  checkPins(info.authority, pins);
  const again = await readSigned(context, { server, ca: info.authority }, options);
  if (again.data?.[CONTENT_KEY] !== content) {
    throw new Failure(
      `the second kubeconfig from the ${CLUSTER_INFO.name} ConfigMap (using validated TLS) was different from the first`,
    );
  }
  return info;
}

/** @returns the text that the token's holder has signed */
function checkSignature({ data = {} }: ConfigMap, { id, secret }: TokenText): string {
  const content = data[CONTENT_KEY] ?? '';
  if (!isDetachedSignature(data[signatureKey(id)] ?? '', content, id, secret)) {
    throw new Failure("failed to verify JWS signature of received cluster info object, can't trust this API Server");
  }
  return content;
}

function checkPins(authority: string, pins: readonly string[]): void {
  const hashes = authorityHashes(authority);
  if (hashes.length === 0) throw new Failure(`failed to parse cluster CA from the ${CLUSTER_INFO.name} ConfigMap`);
  if (hashes.some((hash) => pins.includes(hash))) return;
  const found = hashes.map((hash) => `"${hash}"`).join(', ');
  throw new Failure(
    `cluster CA found in ${CLUSTER_INFO.name} ConfigMap is invalid: none of the public keys ${found} are pinned`,
  );
}

/** Tries until the object is there and the token has signed it: the signer may take a moment for a new token. */
async function readSigned(
  context: Context,
  connection: ServerConnection,
  options: DiscoveryOptions,
): Promise<ConfigMap> {
  const { clock, signal } = context;
  const { id } = options.token;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  let said = false;
  for (;;) {
    const outcome = await tryToRead(context, connection, id);
    if (outcome.kind === 'read') return outcome.map;
    signal.throwIfAborted();
    if (outcome.kind === 'hopeless' || clock.monotonicMs() + RETRY_MS > deadlineMs) throw new Failure(outcome.why);
    if (!said) options.waiting(outcome.why);
    said = true;
    await clock.sleep(RETRY_MS, signal);
  }
}

type Outcome =
  | { readonly kind: 'read'; readonly map: ConfigMap }
  | { readonly kind: 'again'; readonly why: string }
  /** Waiting does not help. */
  | { readonly kind: 'hopeless'; readonly why: string };

async function tryToRead(context: Context, connection: ServerConnection, tokenId: string): Promise<Outcome> {
  const { namespace, name } = CLUSTER_INFO;
  const transport = undiciTransport(connection);
  try {
    const path = objectPath(resources.configmaps, name, namespace);
    const response = await transport.request({ method: 'GET', path, signal: context.signal });
    const skew = clockProblem(context, response.headers['date']);
    const body = (await readBody(response)).toString('utf8');
    if (skew !== undefined) return { kind: 'hopeless', why: skew };
    if (response.status !== 200) return { kind: 'again', why: refusalText(connection.server, response.status) };
    return judge(JSON.parse(body), tokenId);
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'hopeless', why: `${connection.server} is no API server` };
    return connectionProblem(connection, error);
  } finally {
    await transport.close();
  }
}

function judge(map: ConfigMap, tokenId: string): Outcome {
  const { name } = CLUSTER_INFO;
  if (!map.data?.[CONTENT_KEY]) {
    const why = `there is no ${CONTENT_KEY} key in the ${name} ConfigMap. This API Server isn't set up for token bootstrapping, can't connect`;
    return { kind: 'hopeless', why };
  }
  if (map.data[signatureKey(tokenId)]) return { kind: 'read', map };
  const why = `could not find a JWS signature in the ${name} ConfigMap for token ID "${tokenId}": token id "${tokenId}" is invalid for this cluster or it has expired. Use "wherry token create" on the control-plane node to create a new valid token`;
  return { kind: 'again', why };
}

function refusalText(server: string, status: number): string {
  const { name } = CLUSTER_INFO;
  const what = `failed to request the ${name} ConfigMap from ${server}`;
  if (status === 401) return `${what}: it does not know bootstrap tokens (start it with --enable-bootstrap-token-auth)`;
  if (status === 403 || status === 404) return `${what}: the cluster does not publish it ("wherry addons apply" does)`;
  return `${what}: it answered ${status}`;
}

const clockCodes = ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'];
const trustCodes = [
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
];

function connectionProblem({ server }: ServerConnection, error: unknown): Outcome {
  const has = (codes: readonly string[]): boolean =>
    codes.some((code) => hasCode(error, code) || (error instanceof Error && hasCode(error.cause, code)));
  const said = describeError(error);
  if (has(clockCodes)) {
    return {
      kind: 'hopeless',
      why: `the certificate of ${server} is not valid now (${said}): is this host's clock right?`,
    };
  }
  if (has(trustCodes)) return { kind: 'hopeless', why: `the certificate of ${server} is not to be trusted: ${said}` };
  return {
    kind: 'again',
    why: `failed to request the ${CLUSTER_INFO.name} ConfigMap: cannot reach ${server}: ${said}`,
  };
}

/** Told by the server's own clock, before a certificate is refused for reasons that nobody would guess. */
function clockProblem({ clock }: Context, date: unknown): string | undefined {
  const serverMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  const aheadMs = clock.now() - serverMs;
  if (Number.isNaN(serverMs) || Math.abs(aheadMs) <= CLOCK_SKEW_MS_MAX) return undefined;
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  const way = aheadMs > 0 ? 'ahead of' : 'behind';
  return `this host's clock is ${minutes} minutes ${way} the API server's: set it right first, certificates allow for five`;
}
