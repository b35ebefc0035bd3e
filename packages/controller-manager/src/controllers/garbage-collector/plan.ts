import type { OwnerReference } from '@wherry/api';
import type { PropagationPolicy } from '@wherry/client';
import { FOREGROUND_FINALIZER, type GraphNode, ORPHAN_FINALIZER, waitsForDependents } from './graph.ts';

/** What is known of an owner: `waiting` means it goes once its dependents are gone. */
export type OwnerState = 'solid' | 'absent' | 'waiting';

export type Judgement =
  | { readonly kind: 'keep' }
  /** Drops references to owners that are gone or going; others still hold the object. */
  | { readonly kind: 'drop-owners'; readonly uids: readonly string[]; readonly why: string }
  /** `unblock`: it is part of a circle, so it must not hold its owner up. */
  | { readonly kind: 'delete'; readonly policy: PropagationPolicy; readonly unblock: boolean; readonly why: string }
  | { readonly kind: 'await-dependents'; readonly judge: readonly string[] }
  | { readonly kind: 'remove-finalizer'; readonly finalizer: string; readonly why: string };

/**
 * What becomes of an object, from its owners' states. Rules of upstream's garbage collector: it goes when its last
 * owner has gone, in the way its own finalizers ask for.
 */
export function judge(node: GraphNode, stateOf: (owner: OwnerReference) => OwnerState): Judgement {
  if (waitsForDependents(node)) return judgeWaiting(node);
  if (node.beingDeleted || node.owners.length === 0) return { kind: 'keep' };
  const states = node.owners.map((owner) => [owner.uid, stateOf(owner)] as const);
  const gone = states.filter(([, state]) => state !== 'solid').map(([uid]) => uid);
  if (gone.length < states.length) {
    return gone.length === 0 ? { kind: 'keep' } : { kind: 'drop-owners', uids: gone, why: 'another owner remains' };
  }
  const waiting = states.some(([, state]) => state === 'waiting');
  if (waiting && node.dependents.size > 0) {
    const unblock = [...node.dependents].some(waitsForDependents);
    return { kind: 'delete', policy: 'Foreground', unblock, why: 'its owner waits for it to go' };
  }
  return { kind: 'delete', policy: policyOf(node), unblock: false, why: 'its last owner is gone' };
}

function judgeWaiting(node: GraphNode): Judgement {
  const blocking = [...node.dependents].filter((dependent) =>
    dependent.owners.some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion === true),
  );
  if (blocking.length === 0) {
    return { kind: 'remove-finalizer', finalizer: FOREGROUND_FINALIZER, why: 'no dependent blocks it any more' };
  }
  return {
    kind: 'await-dependents',
    judge: blocking.filter((dependent) => !waitsForDependents(dependent)).map((dependent) => dependent.uid),
  };
}

function policyOf(node: GraphNode): PropagationPolicy {
  if (node.finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
  return node.finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : 'Background';
}
