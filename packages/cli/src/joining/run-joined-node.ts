import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { resources } from '@wherry/api';
import { createClient, loadKubeconfig } from '@wherry/client';
import type { ClusterLayout } from '../cluster/layout.ts';
import { startDaemons } from '../cluster/start-daemons.ts';
import { Undo } from '../cluster/undo.ts';
import type { Context } from '../context.ts';
import { observeDaemons } from '../daemons/records.ts';
import { lastWords } from '../daemons/start.ts';
import { describeError, Failure } from '../failure.ts';
import type { Progress } from '../terminal/progress.ts';
import { hasCertificate } from './bootstrap-files.ts';
import { type JoinedNode, joinedFiles, joinedSpecs } from './joined-node.ts';

/** kubeadm's; a person may have to approve the request. */
const BOOTSTRAP_MS_MAX = 5 * 60_000;
const READY_MS_MAX = 60_000;
const POLL_MS = 200;

/**
 * Makes the daemons of a joined node run, and waits until the node is Ready. They stay when that takes too long: a
 * request may wait for somebody's approval, and `wherry daemon logs` says why.
 */
export async function runJoinedNode(
  context: Context,
  layout: ClusterLayout,
  node: JoinedNode,
  progress: Progress,
): Promise<void> {
  const specs = joinedSpecs(node, layout);
  const { certificate } = joinedFiles(layout);
  await startDaemons(
    context,
    layout,
    specs.filter(({ kind }) => kind === 'kubelet'),
    new Map(),
    new Undo(),
  );
  await progress.step(
    'waiting for the kubelet to perform the TLS Bootstrap',
    () => until(context, layout, node, BOOTSTRAP_MS_MAX, 'its certificate', () => hasCertificate(context, certificate)),
    () => `certificate of system:node:${node.name}`,
  );
  await startDaemons(context, layout, specs, new Map(), new Undo());
  await progress.step(
    'waiting for the node',
    () => until(context, layout, node, READY_MS_MAX, 'the node to be Ready', () => isReady(context, layout, node)),
    () => `node ${node.name} is Ready`,
  );
}

async function isReady(context: Context, layout: ClusterLayout, { name }: JoinedNode): Promise<boolean> {
  const { kubeconfig } = joinedFiles(layout);
  const readBeside = (path: string): string => readFileSync(resolve(dirname(kubeconfig), path), 'utf8');
  const client = createClient(loadKubeconfig(readFileSync(kubeconfig, 'utf8'), readBeside).connection);
  try {
    const { status } = await client.get(resources.nodes, name, { signal: context.signal });
    return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
  } finally {
    await client.close();
  }
}

/** @throws Failure when it takes too long, or the kubelet ends meanwhile */
async function until(
  context: Context,
  layout: ClusterLayout,
  node: JoinedNode,
  msMax: number,
  what: string,
  done: () => Promise<boolean>,
): Promise<void> {
  const { clock, signal } = context;
  const deadlineMs = clock.monotonicMs() + msMax;
  const kubelet = `kubelet-${node.name}`;
  let problem = '';
  for (;;) {
    try {
      if (await done()) return;
    } catch (error) {
      signal.throwIfAborted();
      problem = `: ${describeError(error)}`;
    }
    const found = observeDaemons(layout).find(({ record }) => record.spec.name === kubelet);
    if (found === undefined || found.state === 'gone')
      throw new Failure(`${kubelet} ended: ${await lastWords(layout, kubelet)}`);
    if (clock.monotonicMs() > deadlineMs) {
      const words = await lastWords(layout, kubelet);
      throw new Failure(`Waited ${msMax / 1000} s for ${what}${problem}. The kubelet says: ${words}`);
    }
    await clock.sleep(POLL_MS, signal);
  }
}
