import { type ApiObject, isConflict, isNotFound } from '@wherry/api';
import type { Placed } from '../kube/edit-objects.ts';
import { scopeOf } from '../kube/edit-objects.ts';
import type { Session } from '../kube/session.ts';
import { VerbError } from '../kube/verb-error.ts';
import { LAST_APPLIED } from './last-applied.ts';
import { migrationPatch } from './migrate.ts';

export interface ServerSide {
  readonly fieldManager: string;
  /** Manager of what was applied by the client before. */
  readonly before: string;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
}

/** A take-over from client-side apply that somebody interferes with is tried again as often. */
const MIGRATIONS_MAX = 5;

const help = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).`;

export async function applyServerSide(session: Session, placed: Placed, how: ServerSide): Promise<ApiObject> {
  const { resource, namespace, object } = placed;
  const { before, ...options } = how;
  if (!how.dryRun) await migrate(session, placed, before, how.fieldManager);
  try {
    return await session.client.apply(resource, object, { ...scopeOf(namespace), ...options });
  } catch (error) {
    throw isConflict(error) ? new VerbError(`${(error as Error).message}\n${help}`, { cause: error }) : error;
  }
}

async function migrate(session: Session, placed: Placed, from: string, to: string): Promise<void> {
  const { resource, namespace, object } = placed;
  const name = object.metadata?.name ?? '';
  for (let attempt = 0; attempt < MIGRATIONS_MAX; attempt += 1) {
    try {
      const live = await session.client.get(resource, name, scopeOf(namespace));
      const patch =
        live.metadata?.annotations?.[LAST_APPLIED] === undefined ? undefined : migrationPatch(live, from, to);
      if (patch !== undefined)
        await session.client.patch(resource, name, patch, { ...scopeOf(namespace), type: 'json' });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
    }
  }
}
