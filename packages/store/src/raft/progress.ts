import { next } from './log.ts';
import type { LogIndex, RaftConfig } from './types.ts';

/**
 * What a leader knows of a follower (etcd-io/raft's tracker.Progress).
 * `probe`: one message at a time until the logs are known to match; `replicate`: a pipeline of messages;
 * `snapshot`: nothing until the snapshot has arrived.
 */
export class Progress {
  readonly #config: RaftConfig;
  state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  match = 0 as LogIndex;
  next: LogIndex;
  /** Heard of since the last check-quorum. */
  active = false;
  /** Highest heartbeat round answered. */
  round = 0;
  #probeSent = false;
  #pendingSnapshot = 0;
  #inflight: { readonly lastIndex: LogIndex; readonly sizeBytes: number }[] = [];
  #inflightBytes = 0;

  constructor(config: RaftConfig, lastIndex: LogIndex) {
    this.#config = config;
    this.next = next(lastIndex);
  }

  get paused(): boolean {
    return this.state === 'snapshot' || (this.state === 'probe' ? this.#probeSent : this.full);
  }

  get full(): boolean {
    return (
      this.#inflight.length >= this.#config.inflightMessagesMax || this.#inflightBytes >= this.#config.inflightBytesMax
    );
  }

  /** A message with entries up to `lastIndex` (or none) leaves. */
  sent(lastIndex: LogIndex, count: number, sizeBytes: number): void {
    if (this.state === 'probe') {
      this.#probeSent = true;
      return;
    }
    if (count === 0) return;
    this.next = next(lastIndex);
    this.#inflight.push({ lastIndex, sizeBytes });
    this.#inflightBytes += sizeBytes;
  }

  /** The follower has everything up to `match`. Returns true if that was news. */
  acknowledge(match: LogIndex): boolean {
    const news = match > this.match;
    if (news) this.match = match;
    if (this.next <= match) this.next = next(match);
    this.#probeSent = false;
    if (this.state === 'replicate') this.#free(match);
    else if (this.state === 'probe' || match >= this.#pendingSnapshot) this.becomeReplicate();
    return news;
  }

  /** The follower refused an append after `prevIndex`; returns false if the refusal is stale. */
  reject(prevIndex: LogIndex, agreeAt: LogIndex): boolean {
    if (this.state === 'snapshot') return false;
    const stale = this.state === 'replicate' ? prevIndex <= this.match : prevIndex !== this.next - 1;
    if (stale) return false;
    const retry = this.state === 'replicate' ? this.match + 1 : Math.min(prevIndex, agreeAt + 1);
    this.becomeProbe();
    this.next = Math.max(retry, this.match + 1) as LogIndex;
    return true;
  }

  becomeProbe(): void {
    this.next = Math.max(this.match + 1, this.#pendingSnapshot + 1) as LogIndex;
    this.#enter('probe');
  }

  becomeReplicate(): void {
    this.next = next(this.match);
    this.#enter('replicate');
  }

  becomeSnapshot(index: LogIndex): void {
    this.#enter('snapshot');
    this.#pendingSnapshot = index;
  }

  /** The stream ended. Unless it arrived we start from what the follower had. */
  snapshotDone(delivered: boolean): void {
    if (this.state !== 'snapshot') return;
    if (!delivered) this.#pendingSnapshot = 0;
    this.becomeProbe();
    // Its reply to the snapshot, or the next heartbeat's, lets the probe go.
    this.#probeSent = true;
  }

  /** A heartbeat was answered: whatever was lost on the way may be tried again. */
  resume(): void {
    this.active = true;
    this.#probeSent = false;
    const first = this.#inflight[0];
    if (this.state === 'replicate' && this.full && first !== undefined) this.#free(first.lastIndex);
  }

  #enter(state: Progress['state']): void {
    this.state = state;
    this.#probeSent = false;
    this.#pendingSnapshot = 0;
    this.#inflight = [];
    this.#inflightBytes = 0;
  }

  #free(upTo: LogIndex): void {
    let count = 0;
    for (const { lastIndex, sizeBytes } of this.#inflight) {
      if (lastIndex > upTo) break;
      count++;
      this.#inflightBytes -= sizeBytes;
    }
    if (count > 0) this.#inflight.splice(0, count);
  }
}
