import type { ApiObject } from '@wherry/api';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { withSession } from '../../kube/session.ts';
import { fetchTarget, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { AutoscaleFlags } from '../autoscale.ts';
import { wholeNumber } from './create-objects.ts';

export function autoscale(context: Context, args: readonly string[], flags: AutoscaleFlags): Promise<void> {
  const [min, max] = [wholeNumber('--min', flags.min ?? '-1'), wholeNumber('--max', flags.max)];
  if (max < 1) throw new VerbError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min)
    throw new VerbError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
  const strategy = dryRunOf(flags.dryRun);
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    const resource = await session.discovery.find('horizontalpodautoscalers');
    for (const target of await targetsOf(session, args, flags)) {
      await problems.attempt(async () => {
        const { apiVersion, kind } = await fetchTarget(session, target);
        const autoscaler = {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: flags.name ?? target.name },
          spec: {
            scaleTargetRef: { apiVersion, kind, name: target.name },
            ...(min > 0 ? { minReplicas: min } : {}),
            maxReplicas: max,
            ...(flags.cpuPercent === undefined
              ? {}
              : { metrics: [cpuMetric(wholeNumber('--cpu-percent', flags.cpuPercent))] }),
          },
        } as ApiObject;
        const options = { namespace: target.namespace ?? session.namespace, dryRun: strategy === 'server' };
        const made =
          strategy === 'client' ? autoscaler : await session.client.create<ApiObject>(resource, autoscaler, options);
        await report(context, flags, resource, made, 'autoscaled');
      });
    }
  });
}

function cpuMetric(averageUtilization: number) {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}
