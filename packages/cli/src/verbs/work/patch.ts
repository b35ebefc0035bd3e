import { readFileSync } from 'node:fs';
import type { ApiObject } from '@wherry/api';
import { loadYamlDocuments, yamlProblem } from '@wherry/client';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { PatchFlags } from '../patch.ts';

type PatchType = 'json' | 'merge' | 'strategic';

export function patch(context: Context, args: readonly string[], flags: PatchFlags): Promise<void> {
  const { type } = flags;
  if (type !== 'json' && type !== 'merge' && type !== 'strategic') {
    throw new VerbError(`--type must be one of [json merge strategic], not "${type}"`);
  }
  const changes = readPatch(flags);
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    for (const target of await targetsOf(session, args, flags)) {
      await problems.attempt(() => patchOne(context, session, target, changes, type, flags));
    }
  });
}

function readPatch(flags: PatchFlags): unknown {
  if (flags.patch !== undefined && flags.patchFile !== undefined) {
    throw new VerbError('cannot specify --patch and --patch-file together');
  }
  const text = flags.patchFile === undefined ? flags.patch : readFileSync(flags.patchFile, 'utf8');
  if (text === undefined || text === '') {
    throw new VerbError('must specify --patch or --patch-file containing the contents of the patch');
  }
  try {
    return loadYamlDocuments(text)[0];
  } catch (cause) {
    throw new VerbError(`unable to parse "${text}": ${yamlProblem(cause)}`, {
      cause,
    });
  }
}

async function patchOne(
  context: Context,
  session: Session,
  target: Target,
  changes: unknown,
  type: PatchType,
  flags: PatchFlags,
): Promise<void> {
  const { resource, namespace, name } = target;
  const strategy = dryRunOf(flags.dryRun);
  const { subresource } = flags;
  const before = await fetchTarget(session, target);
  const options = {
    ...scopeOf(namespace),
    ...(subresource === undefined ? {} : { subresource }),
    type,
    dryRun: strategy !== 'none',
    fieldManager: 'wherry-patch',
  };
  const after = await session.client.patch<ApiObject>(resource, name, changes, options);
  const isSame = before.metadata?.resourceVersion === after.metadata?.resourceVersion && strategy === 'none';
  const shown = subresource === 'scale' ? await session.discovery.scale() : resource;
  await report(context, flags, shown, after, isSame ? 'patched (no change)' : 'patched');
}
