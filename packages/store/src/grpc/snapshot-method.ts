import type { Backup, BackupFacts } from '../bolt/backup.ts';
import type { Mvcc } from '../mvcc/mvcc.ts';
import { isRefusal } from '../mvcc/refusal.ts';
import type { Revision } from '../schema/messages.ts';
import type { CallHandler, GrpcCall } from './call.ts';
import { snapshotPart } from './codecs.ts';
import type { GrpcMethod } from './method.ts';
import type { ServiceParts } from './services.ts';
import { grpcCodes, OK, statusOf } from './status.ts';

/** Most of a snapshot that waits for a client to take it. */
const WAITING_BYTES_MAX = 1 << 20;
/** What a part takes beside its bytes. */
const PART_OVERHEAD_BYTES = 128;

/** etcd's Maintenance.Snapshot: the state as a file, in as many messages as its reader's pace allows. */
export function snapshotMethod(
  parts: ServiceParts,
  take: (mvcc: Mvcc, facts: BackupFacts) => Promise<Backup>,
): GrpcMethod {
  return (call) => new SnapshotStream(call, parts, take);
}

class SnapshotStream implements CallHandler {
  readonly #call: GrpcCall;
  readonly #parts: ServiceParts;
  readonly #take: (mvcc: Mvcc, facts: BackupFacts) => Promise<Backup>;
  #begun = false;
  #wake: (() => void) | undefined;

  constructor(call: GrpcCall, parts: ServiceParts, take: (mvcc: Mvcc, facts: BackupFacts) => Promise<Backup>) {
    this.#call = call;
    this.#parts = parts;
    this.#take = take;
  }

  message(): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#run();
  }

  drained(): void {
    this.#wake?.();
  }

  closed(): void {
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { replica, cluster, logger, clock } = this.#parts;
    try {
      const members = await cluster.memberList(false);
      if (isRefusal(members)) {
        this.#call.finish(statusOf(members));
        return;
      }
      const startedMs = clock.monotonicMs();
      const facts = { raftIndex: replica.applied, raftTerm: replica.raft.term, members };
      const backup = await this.#take(replica.mvcc, facts);
      await this.#send(backup);
      const tookMs = Math.round(clock.monotonicMs() - startedMs);
      logger.info(
        { revision: backup.revision, sizeBytes: backup.sizeBytes, tookMs, whole: this.#call.open },
        'backup sent',
      );
      this.#call.finish(OK);
    } catch (error) {
      logger.error({ err: error }, 'backup failed');
      this.#call.finish({ code: grpcCodes.internal, message: 'the backup failed, the log of the member says why' });
    }
  }

  async #send(backup: Backup): Promise<void> {
    const { clock, facts } = this.#parts;
    let remainingBytes = backup.sizeBytes;
    const revision = backup.revision as Revision;
    for (const blob of backup.chunks()) {
      if (!this.#call.open) return;
      remainingBytes -= blob.length;
      const part = { revision, remainingBytes, blob };
      this.#call.send((writer) => snapshotPart.write(writer, part, facts()), blob.length + PART_OVERHEAD_BYTES);
      await clock.sleep(0);
      while (this.#call.open && this.#call.waitingBytes > WAITING_BYTES_MAX) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
