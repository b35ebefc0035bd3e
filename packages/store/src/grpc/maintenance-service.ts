import { Backup } from '../bolt/backup.ts';
import { hashKv } from '../bolt/kv-hash.ts';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import type { Revision } from '../schema/messages.ts';
import type { Alarm, AlarmAction } from '../server/cluster-operations.ts';
import {
  type AlarmRequest,
  alarmAnswer,
  alarmRequest,
  empty,
  type HashAnswer,
  hashAnswer,
  hashRequest,
  memberIdRequest,
  nothing,
  type StatusAnswer,
  statusAnswer,
} from './codecs.ts';
import { type GrpcMethod, settle, unary } from './method.ts';
import type { ServiceParts } from './services.ts';
import { snapshotMethod } from './snapshot-method.ts';

/**
 * The version of etcd whose API we answer as: clients decide by it what they may ask for (an API server, whether
 * progress of watches can be requested). Ours stands behind it.
 */
export const ETCD_VERSION = '3.5.21';
const KEYS_PER_SLICE = 2000;

export function maintenanceMethods(parts: ServiceParts): Readonly<Record<string, GrpcMethod>> {
  const { cluster, facts, logger, replica, clock } = parts;
  const turn = () => clock.sleep(0);
  const hash = async (revision: number): Promise<HashAnswer | Refusal> => {
    const hashed = await hashKv(replica.mvcc, revision, turn);
    return isRefusal(hashed) ? hashed : { revision: replica.mvcc.revision, ...hashed };
  };
  return {
    Status: unary(facts, nothing, statusAnswer, (_, answer) => answer(statusOf(parts))),
    Alarm: unary(facts, alarmRequest, alarmAnswer, (request, answer) => {
      const act = async () => {
        const action = alarmAction(request);
        const alarms = isRefusal(action) ? action : await cluster.alarm(action);
        return isRefusal(alarms) ? alarms : { revision: replica.mvcc.revision, alarms: alarms as readonly Alarm[] };
      };
      return settle(act(), answer, logger);
    }),
    Defragment: unary(facts, nothing, empty, (_, answer) => {
      const defragment = async () => {
        while (!replica.mvcc.defragment(KEYS_PER_SLICE)) await turn();
        return { revision: replica.mvcc.revision };
      };
      return settle(defragment(), answer, logger);
    }),
    Hash: unary(facts, nothing, hashAnswer, (_, answer) => settle(hash(0), answer, logger)),
    HashKV: unary(facts, hashRequest, hashAnswer, ({ revision }, answer) => settle(hash(revision), answer, logger)),
    MoveLeader: unary(facts, memberIdRequest, empty, ({ id }, answer) => {
      const move = async () => (await cluster.moveLeader(id)) ?? { revision: replica.mvcc.revision };
      return settle(move(), answer, logger);
    }),
    Snapshot: snapshotMethod(parts, (mvcc, backupFacts) => Backup.take(mvcc, backupFacts, turn)),
  };
}

function statusOf({ cluster, replica }: ServiceParts): StatusAnswer {
  const { version, dbSizeBytes, ...status } = cluster.status();
  const revision: Revision = replica.mvcc.revision;
  return {
    ...status,
    revision,
    version: `${ETCD_VERSION}+wherry.${version}`,
    dbSizeBytes,
    dbSizeInUseBytes: dbSizeBytes,
  };
}

function alarmAction({ action, memberId, alarm }: AlarmRequest): AlarmAction | Refusal {
  if (action === 'get') return { action };
  if (alarm === 'NONE') return { refused: 'invalidArgument', detail: 'name an alarm' };
  return { action, memberId, alarm };
}
