import type { Random } from '@wherry/daemon';
import { range } from '../mvcc/range.ts';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import { txn } from '../mvcc/txn.ts';
import { checkKey, checkPutShape, checkTxnShape, isReadOnly } from '../mvcc/validate.ts';
import { NOBODY } from '../raft/types.ts';
import type { Command, CommandResponse } from '../replica/command.ts';
import { LEASE_TTL_SECONDS_MAX } from '../replica/lease-timer.ts';
import type { Replica } from '../replica/replica.ts';
import type { Answer } from '../replica/waiters.ts';
import { encode } from '../schema/codec.ts';
import { requests } from '../schema/frames.ts';
import { LEADER_WAIT_MS, RESPONSE_BYTES_MAX } from '../schema/limits.ts';
import type {
  LeaseGrantRequest,
  LeaseId,
  LeaseKeepAliveResponse,
  LeaseTimeToLiveResponse,
  RangeRequest,
  RangeResponse,
  StatusResponse,
  TxnRequest,
} from '../schema/messages.ts';
import {
  leaseIdRequest,
  leaseKeepAliveResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
} from '../schema/other-codecs.ts';
import type { LeaseForwarding } from './lease-forwarding.ts';

/** This program's version, in `status`. */
export const STORE_VERSION = '0.1.0';

/**
 * The store's requests, whatever door they come through (our frames now, etcd's gRPC in issue 4): what is checked
 * before the log, what goes through it, and what is answered from the state.
 */
export class Requests {
  readonly #replica: Replica;
  readonly #random: Random;
  #forwarding: LeaseForwarding | undefined;

  constructor(replica: Replica, random: Random) {
    this.#replica = replica;
    this.#random = random;
  }

  /** A command whose request may have come over a wire as `encoded`. */
  command(command: Command, encoded: Buffer | undefined, answer: Answer<CommandResponse>): void {
    const refusal = checkCommand(command);
    if (refusal !== undefined) answer(refusal);
    else if (command.kind === 'txn' && isReadOnly(command.request)) this.#readTxn(command.request, answer);
    else this.#replica.propose(command, encoded, answer);
  }

  /** Nothing to put into the log. */
  #readTxn(request: TxnRequest, answer: Answer<CommandResponse>): void {
    this.#replica.read((refusal) => answer(refusal ?? txn(this.#replica.mvcc, request)));
  }

  range(request: RangeRequest, answer: Answer<RangeResponse>): void {
    const refusal = checkKey(request);
    if (refusal !== undefined) {
      answer(refusal);
      return;
    }
    if (this.#replica.cluster.hasAlarm('CORRUPT')) {
      answer({ refused: 'corrupt' });
      return;
    }
    const now = (outcome: Refusal | undefined) => answer(outcome ?? limited(range(this.#replica.mvcc, request)));
    if (request.serializable === true) now(undefined);
    else this.#replica.read(now);
  }

  leaseGrant(request: LeaseGrantRequest, answer: Answer<CommandResponse>): void {
    const { ttlSeconds } = request;
    if (ttlSeconds > LEASE_TTL_SECONDS_MAX) {
      answer({ refused: 'leaseTtlTooLarge' });
      return;
    }
    const { electionMs } = this.#replica.options;
    // A lease shorter than an election would end whenever the leader does (etcd's minimum).
    const minimum = Math.ceil((electionMs * 1.5) / 1000);
    const id = request.id !== undefined && request.id !== 0 ? request.id : 1 + this.#random.integer(2 ** 52);
    const granted = { id, ttlSeconds: Math.max(minimum, ttlSeconds) };
    this.#replica.propose({ kind: 'leaseGrant', request: granted }, undefined, answer);
  }

  /** Lets followers pass on what only the leader can answer. */
  forwardWith(forwarding: LeaseForwarding): void {
    this.#forwarding = forwarding;
  }

  leaseKeepAlive(id: number | bigint, answer: Answer<LeaseKeepAliveResponse>): void {
    if (this.#replica.isLeader || this.#forwarding === undefined) this.renewAsLeader(id, answer);
    else {
      const request = encode(leaseIdRequest, { id });
      this.#forwarding.forward(requests.leaseKeepAlive, request, leaseKeepAliveResponse, answer);
    }
  }

  leaseTimeToLive(id: number | bigint, withKeys: boolean, answer: Answer<LeaseTimeToLiveResponse>): void {
    if (this.#replica.isLeader || this.#forwarding === undefined) this.timeToLiveAsLeader(id, withKeys, answer);
    else {
      const request = encode(leaseTimeToLiveRequest, { id, keys: withKeys });
      this.#forwarding.forward(requests.leaseTimeToLive, request, leaseTimeToLiveResponse, answer);
    }
  }

  /** Only the leader counts lease time, and it must be sure that it still leads. */
  renewAsLeader(id: number | bigint, answer: Answer<LeaseKeepAliveResponse>): void {
    this.#asLeader(answer, () => {
      const { mvcc, leases } = this.#replica;
      const lease = mvcc.leases.get(id as LeaseId);
      const left = leases.leftSeconds(id as LeaseId);
      if (lease === undefined || left === undefined || left <= 0) return { refused: 'leaseNotFound' };
      leases.renew(lease.id, lease.ttlSeconds);
      return { revision: mvcc.revision, id: lease.id, ttlSeconds: lease.ttlSeconds };
    });
  }

  timeToLiveAsLeader(id: number | bigint, withKeys: boolean, answer: Answer<LeaseTimeToLiveResponse>): void {
    this.#asLeader(answer, () => {
      const { mvcc, leases } = this.#replica;
      const { revision } = mvcc;
      const lease = mvcc.leases.get(id as LeaseId);
      const left = leases.leftSeconds(id as LeaseId);
      if (lease === undefined || left === undefined) {
        return { revision, id: id as LeaseId, ttlSeconds: -1, grantedTtlSeconds: 0, keys: [] };
      }
      const keys = withKeys ? [...lease.keys].map(({ key }) => Buffer.from(key, 'latin1')) : [];
      const ttlSeconds = Math.max(0, Math.floor(left));
      return { revision, id: lease.id, ttlSeconds, grantedTtlSeconds: lease.ttlSeconds, keys };
    });
  }

  status(): StatusResponse {
    const { mvcc, raft, applied, options, hasSpace } = this.#replica;
    const alarms = this.#replica.cluster.alarms.map(({ alarm }) => alarm);
    const full = hasSpace || alarms.includes('NOSPACE') ? [] : ['NOSPACE'];
    const errors = [...alarms, ...full, ...(raft.leader === NOBODY ? ['etcdserver: no leader'] : [])];
    return {
      revision: mvcc.revision,
      version: STORE_VERSION,
      clusterId: options.clusterId,
      memberId: options.memberId,
      leader: raft.leader,
      raftIndex: raft.lastIndex,
      raftTerm: raft.term,
      raftAppliedIndex: applied,
      dbSizeBytes: mvcc.sizeBytes,
      isLearner: this.#replica.isLearner,
      errors,
    };
  }

  /** Answers as soon as a leader is known that is not `not`, at the latest after a while. */
  leaderOtherThan(not: number, answer: Answer<StatusResponse>): void {
    this.#replica.leaderOtherThan(not, LEADER_WAIT_MS, () => answer(this.status()));
  }

  #asLeader<T>(answer: Answer<T>, work: () => T | Refusal): void {
    if (!this.#replica.isLeader) {
      answer({ refused: 'notLeader' });
      return;
    }
    this.#replica.read((refusal) => answer(refusal ?? (this.#replica.isLeader ? work() : { refused: 'notLeader' })));
  }
}

function checkCommand(command: Command): Refusal | undefined {
  switch (command.kind) {
    case 'put':
      return checkPutShape(command.request);
    case 'deleteRange':
      return checkKey(command.request);
    case 'txn':
      return checkTxnShape(command.request);
    default:
      return undefined;
  }
}

function limited(outcome: RangeResponse | Refusal): RangeResponse | Refusal {
  if (isRefusal(outcome)) return outcome;
  let sizeBytes = 0;
  for (const kv of outcome.kvs) sizeBytes += kv.value.length;
  if (sizeBytes <= RESPONSE_BYTES_MAX) return outcome;
  return { refused: 'invalidArgument', detail: `the answer has ${sizeBytes} bytes, read it with a limit` };
}
