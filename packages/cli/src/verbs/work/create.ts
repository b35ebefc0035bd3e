import type { ApiObject } from '@wherry/api';
import { annotated } from '../../apply/last-applied.ts';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { type Manifest, place, readManifests, scopeOf, withoutVersion } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { withSession } from '../../kube/session.ts';
import { fieldValidationOf } from '../../kube/validation.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { CreateFlags } from '../create.ts';

export async function createFromFiles(context: Context, flags: CreateFlags): Promise<void> {
  if (flags.filename === undefined) throw new VerbError('must specify one of -f and -k');
  const manifests = await readManifests(flags.filename, flags.recursive);
  if (manifests.length === 0) throw new VerbError('no objects passed to create');
  await createAll(context, flags, manifests);
}

/** Creates one object that was made from flags. */
export function createOne(context: Context, flags: CreateFlags, object: ApiObject): Promise<void> {
  return createAll(context, flags, [{ object, source: '' }]);
}

async function createAll(context: Context, flags: CreateFlags, manifests: readonly Manifest[]): Promise<void> {
  const strategy = dryRunOf(flags.dryRun);
  await withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    for (const { object: manifest, source } of manifests) {
      const placed = await problems.attempt(() => place(session, manifest, source));
      if (placed === undefined) continue;
      const { resource, namespace } = placed;
      const object = withoutVersion(flags.saveConfig === true ? annotated(placed.object) : placed.object);
      // A client dry run prints what was written, not where it would go.
      const shown =
        namespace !== undefined && !session.namespaceGiven ? { ...object, metadata: manifest.metadata } : object;
      const options = {
        ...scopeOf(namespace),
        dryRun: strategy === 'server',
        fieldManager: 'wherry-create',
        fieldValidation: fieldValidationOf(flags.validate ?? true),
      };
      const created = await problems.attempt(
        async () => (strategy === 'client' ? (shown as ApiObject) : session.client.create(resource, object, options)),
        source === '' ? undefined : `when creating "${source}"`,
      );
      if (created === undefined) continue;
      await report(context, flags, resource, created, 'created');
    }
  });
}
