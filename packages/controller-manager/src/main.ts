import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type ApiClient, createClient, LeaderElector, loadKubeconfig } from '@wherry/client';
import { Health, type Host, runDaemon, startOpsServer } from '@wherry/daemon';
import { chosenControllers } from './controllers.ts';
import { type Files, type Flags, flags, optionsOf } from './flags.ts';
import { startControllers } from './manager.ts';

const NAME = 'kube-controller-manager';

runDaemon({ name: NAME, flags, start });

async function start(given: Flags, host: Host): Promise<void> {
  const { scope, logger, metrics } = host;
  const options = optionsOf(given, readFiles(given));
  const client = connect(given.kubeconfig);
  scope.onClose(() => client.close());
  const health = new Health();
  const leading = metrics.gauge('leader_election_master_status', 'Whether this process leads', ['name']);
  leading.set({ name: NAME }, 0);
  const tls = servingPair(given);
  const ops = await startOpsServer({
    host: given['bind-address'],
    port: given['secure-port'],
    health,
    metrics,
    ...(tls !== undefined && { tls }),
  });
  scope.onClose(() => ops.close());
  logger.info({ address: ops.address }, 'serving health and metrics');
  const controllers = chosenControllers(given.controllers);
  const lead = (): void => {
    leading.set({ name: NAME }, 1);
    startControllers({ ...host, client, options, controllers });
  };
  if (!given['leader-elect']) {
    lead();
    return;
  }
  elect(given, host, client, lead);
}

/** On a lost lease everything ends at once and the process with it: another leader may be at work already. */
function elect(given: Flags, host: Host, client: ApiClient, lead: () => void): void {
  const { clock, random, logger, scope } = host;
  const elector = new LeaderElector({
    client,
    clock,
    random,
    logger,
    namespace: given['leader-elect-resource-namespace'],
    name: given['leader-elect-resource-name'],
    identity: `${hostname()}_${random.uuid()}`,
    leaseDurationMs: given['leader-elect-lease-duration'],
    renewDeadlineMs: given['leader-elect-renew-deadline'],
    retryPeriodMs: given['leader-elect-retry-period'],
  });
  elector.run(scope, lead, (reason) => host.exit(1, `leader election lost: ${reason}`));
}

function connect(path: string): ApiClient {
  const folder = dirname(path);
  const read = (file: string): string => readFileSync(resolve(folder, file), 'utf8');
  const { connection } = loadKubeconfig(readFileSync(path, 'utf8'), read);
  return createClient({ ...connection, userAgent: NAME });
}

function readFiles(given: Flags): Files {
  const text = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8'));
  const cert = text(given['cluster-signing-cert-file']);
  const key = text(given['cluster-signing-key-file']);
  return {
    rootCa: text(given['root-ca-file']),
    clusterSigning: cert === undefined || key === undefined ? undefined : { cert, key },
  };
}

function servingPair(given: Flags): { readonly cert: string; readonly key: string } | undefined {
  const { 'tls-cert-file': cert, 'tls-private-key-file': key } = given;
  if (cert === undefined || key === undefined) return undefined;
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
