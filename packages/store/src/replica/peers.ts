import type { Message, MessageOf, NodeId } from '../raft/types.ts';
import type { ClusterState } from './cluster-state.ts';

/**
 * How a member reaches the others. Two implementations: connections (`server/peer-hub.ts`) and the simulated network.
 * Messages may be lost, doubled or late; what matters is sent again by raft.
 */
export interface Peers {
  send(message: Message): void;
  /** Sends a snapshot and the message that announces it; true once the receiver has it durable. */
  sendSnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<boolean>;
  /** Called once, before anything is sent. */
  start(events: PeerEvents): void;
  /** Who there is and where. Called before `start`, and whenever that may have changed. */
  know(cluster: ClusterState): void;
}

export interface PeerEvents {
  message(message: Message): void;
  /** A connection to a peer is there, or broke and could not be made again at once. */
  connection(peer: NodeId, up: boolean): void;
  /** A snapshot arrives; resolves once it is durable and taken over, rejects if it could not be. */
  snapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<void>;
  /** Whether this member's log is empty, as a new member's is. */
  isEmpty(): boolean;
  /** The others will never talk to this member again, and say why. */
  shunned(reason: string): void;
}

/** A member alone. */
export const noPeers: Peers = {
  send() {},
  sendSnapshot: async () => false,
  start() {},
  know() {},
};
