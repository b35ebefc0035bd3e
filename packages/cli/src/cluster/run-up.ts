import type { Node } from '@wherry/api';
import type { Context } from '../context.ts';
import type { DaemonAction } from '../daemons/plan.ts';
import { ensureSampleImages } from '../images/samples.ts';
import { hollowWarning } from '../program.ts';
import { Progress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';
import type { ClusterConfig, UpFlags } from './config.ts';
import { type ClusterLayout, clusterLayout } from './layout.ts';
import { withLock } from './lock.ts';
import { up } from './up.ts';

/** `wherry up`: the work, and what is said about it. */
export async function runUp(context: Context, name: string, flags: UpFlags): Promise<void> {
  const { terminal, clock } = context;
  const layout = clusterLayout(context.home, name);
  const startedMs = clock.monotonicMs();
  terminal.err(`Cluster "${name}" in ${layout.folder}`);
  const progress = new Progress(terminal, clock);
  const { config, nodes, actions, unhealthy } = await withLock(layout, context.pid, async () => {
    const result = await up(context, layout, flags, progress);
    if (result.config.runtime === 'docker' && result.config.nodes > 0) await ensureSampleImages(context, progress);
    return result;
  });
  for (const line of describeActions(actions)) terminal.err(`  ✓ ${line}`);
  if (unhealthy.length > 0) terminal.err(`  ! not healthy yet: ${unhealthy.join(', ')} (see "wherry daemon logs")`);
  const seconds = ((clock.monotonicMs() - startedMs) / 1000).toFixed(1);
  terminal.err(`Cluster "${name}" is up (${seconds} s)\n`);
  if (config.hollowReason !== undefined) terminal.err(hollowWarning(config.hollowReason));
  showNodes(context, nodes);
  if (config.hollowNodes !== undefined) terminal.out(`${config.hollowNodes} hollow nodes: docs/hollow-nodes.md\n`);
  showNextSteps(context, config, layout);
}

function describeActions(actions: readonly DaemonAction[]): readonly string[] {
  const started = actions.filter((action) => action.kind === 'start').length;
  const others = actions.map(describeChange).filter((line) => line !== undefined);
  if (actions.length === 0) return ['everything runs already'];
  return [...(started === 0 ? [] : [`${started} daemons started`]), ...others];
}

/** @returns nothing for plain starts, which are only counted */
function describeChange(action: DaemonAction): string | undefined {
  switch (action.kind) {
    case 'start':
      return undefined;
    case 'replace':
      return `restarted ${action.daemon.spec.name}: ${action.why}`;
    case 'resume':
      return `resumed ${action.running.record.spec.name}: ${action.why}`;
    case 'stop':
      return `stopped ${action.running.record.spec.name}: ${action.why}`;
  }
}

function showNodes({ terminal }: Context, nodes: readonly Node[]): void {
  if (nodes.length === 0) return;
  const rows = nodes.map(({ metadata, status }) => [
    metadata?.name ?? '',
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
      ? 'Ready'
      : 'NotReady',
    status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '<none>',
    status?.nodeInfo?.kubeletVersion ?? '',
    status?.nodeInfo?.containerRuntimeVersion ?? '',
  ]);
  terminal.out(table(['NAME', 'STATUS', 'INTERNAL-IP', 'VERSION', 'CONTAINER-RUNTIME'], rows));
  terminal.out('');
}

function showNextSteps({ terminal }: Context, config: ClusterConfig, layout: ClusterLayout): void {
  const name = config.name === 'default' ? '' : ` --name ${config.name}`;
  terminal.out('Next:');
  terminal.out(`  export KUBECONFIG=${layout.kubeconfig}`);
  if (config.nodes > 0) {
    terminal.out('  ./wherry apply -f examples/echo.yaml    # or: kubectl apply -f examples/echo.yaml');
    terminal.out('  ./wherry get pods -o wide');
  } else if (config.hollowNodes !== undefined) {
    terminal.out('  ./wherry create deployment many --image=any --replicas=100');
    terminal.out('  ./wherry get nodes -l type=hollow');
  } else {
    terminal.out('  ./wherry get namespaces                 # or: kubectl get namespaces');
    terminal.out(`  ./wherry status${name}`);
  }
}
