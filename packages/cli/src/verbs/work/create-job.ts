import type { ApiObject, CronJob } from '@wherry/api';
import { resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import { withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { CreateFlags } from '../create.ts';
import { createOne } from './create.ts';

interface JobFlags extends CreateFlags {
  readonly image?: string;
  readonly from?: string;
}

export async function createJob(
  context: Context,
  name: string,
  command: readonly string[],
  flags: JobFlags,
): Promise<void> {
  if ((flags.image === undefined) === (flags.from === undefined)) {
    throw new VerbError('either --image or --from must be specified');
  }
  if (flags.from !== undefined && command.length > 0) throw new VerbError('cannot specify --from and command');
  const job =
    flags.from === undefined
      ? ofImage(name, flags.image ?? '', command)
      : await ofCronJob(context, name, flags.from, flags);
  await createOne(context, flags, job);
}

function ofImage(name: string, image: string, command: readonly string[]): ApiObject {
  const container = { name, image, ...(command.length > 0 ? { command } : {}) };
  const spec = { template: { spec: { containers: [container], restartPolicy: 'Never' } } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec } as ApiObject;
}

function ofCronJob(context: Context, name: string, from: string, flags: JobFlags): Promise<ApiObject> {
  return withSession(context, flags, async ({ client, discovery, namespace }) => {
    const [type = '', cronJobName = ''] = from.split('/');
    const { resource } = await discovery.find(type);
    if (resource !== 'cronjobs') throw new VerbError(`unknown object type ${type}: from must be an existing cronjob`);
    const { metadata, spec }: CronJob = await client.get(resources.cronjobs, cronJobName, { namespace });
    const template = spec?.jobTemplate;
    const owner = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      name: metadata?.name ?? '',
      uid: metadata?.uid ?? '',
      controller: true,
    };
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        ...(template?.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
        annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...template?.metadata?.annotations },
        ownerReferences: [owner],
      },
      spec: template?.spec,
    } as ApiObject;
  });
}
