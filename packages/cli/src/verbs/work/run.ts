import { type ApiObject, type Pod, resources } from '@wherry/api';
import { objectPath, pollUntil } from '@wherry/client';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { durationMs } from '../../kube/durations.ts';
import { parseLabelPairs } from '../../kube/label-pairs.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { waitUntilGone } from '../../kube/wait-gone.ts';
import { parseOutput } from '../../printers/printer.ts';
import type { RunFlags } from '../run.ts';
import { wholeNumber } from './create-objects.ts';
import { attachTo } from './exec.ts';

const POLL_MS = 200;

export async function run(context: Context, name: string, args: readonly string[], flags: RunFlags): Promise<void> {
  const isAttached = flags.attach === true || flags.stdin === true;
  if (flags.rm === true && !isAttached) throw new VerbError('--rm should only be used for attached containers');
  if (flags.tty === true && flags.stdin !== true)
    throw new VerbError('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.expose === true && flags.port === undefined)
    throw new VerbError('--port must be set when exposing a service');
  if (!['Always', 'OnFailure', 'Never'].includes(flags.restart)) {
    throw new VerbError(`invalid restart policy: ${flags.restart}`);
  }
  const strategy = dryRunOf(flags.dryRun);
  if (isAttached && strategy !== 'none')
    throw new VerbError('--dry-run can’t be used with attached containers options (--attach, --stdin, or --tty)');
  await withSession(context, flags, async (session) => {
    const { namespace } = session;
    const options = { namespace, dryRun: strategy === 'server', fieldManager: 'wherry-run' };
    if (flags.expose === true) {
      const service = serviceOf(name, flags);
      const made = strategy === 'client' ? service : await session.client.create(resources.services, service, options);
      await report(context, flags, await session.discovery.find('services'), made, 'created');
      if (parseOutput(flags.output).kind === 'yaml') context.terminal.out('---');
    }
    const wanted = podOf(name, args, flags);
    const pod = strategy === 'client' ? wanted : await session.client.create(resources.pods, wanted, options);
    if (isAttached) await follow(context, session, pod, flags);
    else await report(context, flags, await session.discovery.find('pods'), pod, 'created');
  });
}

function podOf(name: string, args: readonly string[], flags: RunFlags): Pod {
  const words = args.length === 0 ? {} : flags.command === true ? { command: args } : { args };
  const variables = Object.entries(parseLabelPairs(flags.env ?? [])).map(([key, value]) => ({ name: key, value }));
  const container = {
    name,
    image: flags.image,
    ...words,
    ...(variables.length === 0 ? {} : { env: variables }),
    ...(flags.port === undefined ? {} : { ports: [{ containerPort: wholeNumber('--port', flags.port) }] }),
    ...(flags.imagePullPolicy === undefined ? {} : { imagePullPolicy: flags.imagePullPolicy }),
    ...(flags.stdin === true ? { stdin: true, stdinOnce: true } : {}),
    ...(flags.tty === true ? { tty: true } : {}),
    ...(flags.privileged === true ? { securityContext: { privileged: true } } : {}),
  };
  const annotations = parseLabelPairs(flags.annotations ?? []);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: labelsOf(name, flags),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { containers: [container], dnsPolicy: 'ClusterFirst', restartPolicy: flags.restart },
  } as Pod;
  return flags.overrides === undefined ? pod : (merged(pod, JSON.parse(flags.overrides)) as Pod);
}

function labelsOf(name: string, flags: RunFlags): Readonly<Record<string, string>> {
  return flags.labels === undefined ? { run: name } : parseLabelPairs(flags.labels);
}

function serviceOf(name: string, flags: RunFlags): ApiObject {
  const port = wholeNumber('--port', flags.port ?? '');
  const ports = [{ port, protocol: 'TCP', targetPort: port }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: labelsOf(name, flags), ports },
  } as ApiObject;
}

/** A JSON merge patch applied. */
function merged(base: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = {
    ...(typeof base === 'object' && base !== null && !Array.isArray(base) ? base : {}),
  };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** Joins the pod's streams, or prints its log when it has ended before that. */
async function follow(context: Context, session: Session, pod: Pod, flags: RunFlags): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata ?? {};
  const container = pod.spec?.containers[0]?.name ?? name;
  try {
    const started = await untilStarted(context, session, pod, flags);
    if (started.status?.phase === 'Running') {
      await attachTo(context, session, started, { ...flags, container });
    } else {
      const path = `${objectPath(resources.pods, name, namespace, 'log')}?container=${encodeURIComponent(container)}`;
      const response = await session.client.raw({ method: 'GET', path });
      for await (const chunk of response.body) await context.terminal.write(chunk);
    }
    if (flags.restart === 'Never') await takeExitCode(context, session, pod, container);
  } finally {
    if (flags.rm === true) {
      await session.client.delete(resources.pods, name, { namespace: namespace ?? '' });
      const resource = await session.discovery.find('pods');
      await waitUntilGone(context, session, { resource, namespace, name, uid }, undefined);
      if (flags.quiet !== true) context.terminal.out(`pod "${name}" deleted`);
    }
  }
}

async function untilStarted(context: Context, session: Session, pod: Pod, flags: RunFlags): Promise<Pod> {
  const { clock, signal } = context;
  const untilMs = clock.monotonicMs() + durationMs('--pod-running-timeout', flags.podRunningTimeout);
  let now = pod;
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    now = await session.client.get(resources.pods, pod.metadata?.name ?? '', { namespace: session.namespace });
    const phase = now.status?.phase;
    if (phase !== undefined && phase !== 'Pending') return true;
    if (clock.monotonicMs() >= untilMs) throw new VerbError('timed out waiting for the condition');
    return false;
  });
  if (!done) signal.throwIfAborted();
  return now;
}

/** A pod that runs once ends wherry with its own code. */
async function takeExitCode(context: Context, session: Session, pod: Pod, container: string): Promise<void> {
  const { clock, signal } = context;
  let code: number | undefined;
  await pollUntil(clock, POLL_MS, signal, async () => {
    const { status } = await session.client.get(resources.pods, pod.metadata?.name ?? '', {
      namespace: session.namespace,
    });
    code = status?.containerStatuses?.find(({ name }) => name === container)?.state?.terminated?.exitCode;
    return code !== undefined;
  });
  if (code !== undefined && code !== 0) process.exitCode = code;
}
