// The node's heartbeat: a Lease in kube-node-lease that is renewed four times in its duration (KEP-589).
import { isConflict, isNotFound, type Lease, type Node, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { type Clock, type Logger, pause, rfc3339Micro } from '@wherry/daemon';

const namespace = 'kube-node-lease';
const renewalsPerDuration = 4;
const retryMsDefault = 1_000;

export interface NodeLeaseOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly durationSeconds: number;
  /** The registered node, whose lease goes with it. */
  readonly node: () => Node | undefined;
  /**
   * Wait after the first renewal; spread over the period where many nodes begin together.
   * @default the period
   */
  readonly firstWaitMs?: number;
  /**
   * Wait after a failure, at most the period.
   * @default 1 s
   */
  readonly retryMs?: number;
}

function spec(options: NodeLeaseOptions) {
  return {
    holderIdentity: options.nodeName,
    leaseDurationSeconds: options.durationSeconds,
    renewTime: rfc3339Micro(options.clock.now()),
  };
}

/** Takes over the lease that is there, or makes one that goes with the node. */
async function acquire(options: NodeLeaseOptions): Promise<Lease> {
  const { client, nodeName } = options;
  try {
    return await client.patch(resources.leases, nodeName, { spec: spec(options) }, { namespace });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const uid = options.node()?.metadata?.uid;
  const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: uid ?? '' };
  const ownerReferences = uid === undefined ? {} : { ownerReferences: [owner] };
  return client.create(resources.leases, {
    metadata: { name: nodeName, namespace, ...ownerReferences },
    spec: spec(options),
  });
}

async function renew(options: NodeLeaseOptions, held: Lease | undefined): Promise<Lease | undefined> {
  if (held === undefined) return forgetManagers(await acquire(options));
  try {
    return forgetManagers(await options.client.update(resources.leases, { ...held, spec: spec(options) }));
  } catch (error) {
    // Somebody else changed or deleted it: read it again next time.
    if (isConflict(error) || isNotFound(error)) return undefined;
    throw error;
  }
}

/** Who set which field is the larger part of a lease; the server keeps it when it is not sent. */
function forgetManagers(lease: Lease): Lease {
  const { managedFields: _, ...metadata } = lease.metadata ?? {};
  return { ...lease, metadata };
}

/** Renews until the signal aborts. */
export async function keepNodeLease(options: NodeLeaseOptions, signal: AbortSignal): Promise<void> {
  const periodMs = (options.durationSeconds * 1000) / renewalsPerDuration;
  let lease: Lease | undefined;
  let isFirst = true;
  while (!signal.aborted) {
    let waitMs = periodMs;
    try {
      lease = await renew(options, lease);
      if (lease === undefined) waitMs = Math.min(periodMs, 200);
      else if (isFirst) waitMs = options.firstWaitMs ?? periodMs;
      if (lease !== undefined) isFirst = false;
    } catch (error) {
      options.logger.warn({ err: error }, 'cannot renew the node lease');
      waitMs = Math.min(periodMs, options.retryMs ?? retryMsDefault);
    }
    if (!(await pause(options.clock, waitMs, signal))) return;
  }
}
