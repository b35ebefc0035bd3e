import { type ControllerRevision, controllerOf, isAlreadyExists, isNotFound, objectKey, resources } from '@wherry/api';
import type { Informer } from '@wherry/client';
import { adoptionPatch, type Owner } from '../pods/ownership.ts';
import { canonicalJson } from '../pods/template-hash.ts';
import type { CurrentRevision } from '../revisions/revisions.ts';
import { actOnEach } from './batches.ts';
import type { ControllerContext } from './context.ts';
import type { Keyed } from './keyed.ts';
import type { Actor } from './pod-actions.ts';

/** Keeps a set's history of templates as ControllerRevisions. */
export class RevisionActions {
  readonly #context: ControllerContext;
  readonly #keyed: Keyed;
  readonly #cache: Informer<ControllerRevision>;

  constructor(context: ControllerContext, keyed: Keyed) {
    this.#context = context;
    this.#keyed = keyed;
    this.#cache = context.caches.of(resources.controllerrevisions);
  }

  /** @returns false when the revision's name is taken by another template: the owner must salt its hash anew */
  async ensure(actor: Actor, step: CurrentRevision['step'] & { readonly of: ControllerRevision }): Promise<boolean> {
    const { client } = this.#context;
    const { name = '', namespace = '' } = step.of.metadata ?? {};
    switch (step.kind) {
      case 'none':
        return true;
      case 'renumber': {
        const patch = { revision: step.number };
        const options = { namespace, signal: actor.signal };
        this.#wrote(actor, 'renumber', await client.patch(resources.controllerrevisions, name, patch, options));
        return true;
      }
      case 'create':
        try {
          const created = await client.create(resources.controllerrevisions, step.of, { signal: actor.signal });
          this.#wrote(actor, 'create', created);
          return true;
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
          const found = await client.get(resources.controllerrevisions, name, { namespace, signal: actor.signal });
          const ours = controllerOf(found.metadata)?.uid === controllerOf(step.of.metadata)?.uid;
          return ours && canonicalJson(found.data) === canonicalJson(step.of.data);
        }
    }
  }

  async adopt(actor: Actor, owner: Owner, revision: ControllerRevision): Promise<void> {
    const { name = '', namespace = '', uid = '' } = revision.metadata ?? {};
    const options = { namespace, type: 'strategic', signal: actor.signal } as const;
    const patch = adoptionPatch(owner, uid);
    this.#wrote(actor, 'adopt', await this.#context.client.patch(resources.controllerrevisions, name, patch, options));
  }

  async prune(actor: Actor, revisions: readonly ControllerRevision[]): Promise<void> {
    await actOnEach(revisions, async (revision) => {
      const { name = '', namespace = '', uid = '' } = revision.metadata ?? {};
      try {
        const options = { namespace, preconditions: { uid }, signal: actor.signal };
        await this.#context.client.delete(resources.controllerrevisions, name, options);
        this.#keyed.own.deleted(actor.key, this.#cache, objectKey(revision), uid);
        actor.done.push({ verb: 'delete', key: `controllerrevisions/${objectKey(revision)}` });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    });
  }

  #wrote(actor: Actor, verb: string, written: ControllerRevision): void {
    const { resourceVersion } = written.metadata ?? {};
    this.#keyed.own.wrote(actor.key, this.#cache, resourceVersion);
    actor.done.push({ verb, key: `controllerrevisions/${objectKey(written)}`, resourceVersion });
  }
}
