import { startBootstrapSigner, startTokenCleaner } from './controllers/bootstrap-tokens/controller.ts';
import {
  startCertificateApproving,
  startCertificateCleaning,
  startCertificateSigning,
} from './controllers/certificates/controller.ts';
import { startClusterRoleAggregation } from './controllers/cluster-role-aggregation/controller.ts';
import { startCronJobs } from './controllers/cron-job/controller.ts';
import { startDaemonSets } from './controllers/daemon-set/controller.ts';
import { startDeployments } from './controllers/deployment/controller.ts';
import { startDisruption } from './controllers/disruption/controller.ts';
import { startEndpointSlices } from './controllers/endpoint-slice/controller.ts';
import { startEndpointSliceMirroring } from './controllers/endpoint-slice-mirroring/controller.ts';
import { startEndpoints } from './controllers/endpoints/controller.ts';
import { startGarbageCollector } from './controllers/garbage-collector/controller.ts';
import { startJobs } from './controllers/job/controller.ts';
import { startNamespaces } from './controllers/namespace/controller.ts';
import { startNodeIpam } from './controllers/node-ipam/controller.ts';
import { startNodeLifecycle } from './controllers/node-lifecycle/controller.ts';
import { startPodGc } from './controllers/pod-gc/controller.ts';
import { startPvProtection } from './controllers/pv-protection/controller.ts';
import { startPvcProtection } from './controllers/pvc-protection/controller.ts';
import { startReplicaSets } from './controllers/replica-set/controller.ts';
import { startReplicationControllers } from './controllers/replication-controller/controller.ts';
import { startResourceQuotas } from './controllers/resource-quota/controller.ts';
import { startRootCaPublisher } from './controllers/root-ca/controller.ts';
import { startServiceAccounts } from './controllers/service-account/controller.ts';
import { startStatefulSets } from './controllers/stateful-set/controller.ts';
import { startTaintEviction } from './controllers/taint-eviction/controller.ts';
import { startTtlAfterFinished } from './controllers/ttl-after-finished/controller.ts';
import type { StartController } from './spine/context.ts';

/** All controllers by upstream's names, in the order in which they start. */
const controllers: ReadonlyMap<string, StartController> = new Map<string, StartController>([
  ['serviceaccount-controller', startServiceAccounts],
  ['root-ca-certificate-publisher-controller', startRootCaPublisher],
  ['node-ipam-controller', startNodeIpam],
  ['node-lifecycle-controller', startNodeLifecycle],
  ['taint-eviction-controller', startTaintEviction],
  ['endpointslice-controller', startEndpointSlices],
  ['endpoints-controller', startEndpoints],
  ['endpointslice-mirroring-controller', startEndpointSliceMirroring],
  ['replicaset-controller', startReplicaSets],
  ['replicationcontroller-controller', startReplicationControllers],
  ['deployment-controller', startDeployments],
  ['statefulset-controller', startStatefulSets],
  ['daemonset-controller', startDaemonSets],
  ['job-controller', startJobs],
  ['cronjob-controller', startCronJobs],
  ['ttl-after-finished-controller', startTtlAfterFinished],
  ['disruption-controller', startDisruption],
  ['clusterrole-aggregation-controller', startClusterRoleAggregation],
  ['bootstrap-signer-controller', startBootstrapSigner],
  ['token-cleaner-controller', startTokenCleaner],
  ['certificatesigningrequest-approving-controller', startCertificateApproving],
  ['certificatesigningrequest-signing-controller', startCertificateSigning],
  ['certificatesigningrequest-cleaner-controller', startCertificateCleaning],
  ['resourcequota-controller', startResourceQuotas],
  ['persistentvolumeclaim-protection-controller', startPvcProtection],
  ['persistentvolume-protection-controller', startPvProtection],
  ['namespace-controller', startNamespaces],
  ['garbage-collector-controller', startGarbageCollector],
  ['pod-garbage-collector-controller', startPodGc],
]);

/** Upstream's: they run only where they are named, as kubeadm does. */
const offByDefault: ReadonlySet<string> = new Set(['bootstrap-signer-controller', 'token-cleaner-controller']);

/** Older names that upstream still takes; kubeadm uses these two. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['bootstrapsigner', 'bootstrap-signer-controller'],
  ['tokencleaner', 'token-cleaner-controller'],
]);

const nameOf = (wish: string): string => aliases.get(wish) ?? wish;

export function controllerNames(): readonly string[] {
  return [...controllers.keys()];
}

export function isKnownController(name: string): boolean {
  return controllers.has(nameOf(name));
}

/** Controllers that `--controllers` asks for: a name counts more than `*`. */
export function chosenControllers(wishes: readonly string[]): ReadonlyMap<string, StartController> {
  const named = new Set(wishes.filter((wish) => !wish.startsWith('-')).map(nameOf));
  const unwanted = new Set(wishes.filter((wish) => wish.startsWith('-')).map((wish) => nameOf(wish.slice(1))));
  const chosen = [...controllers].filter(([name]) => {
    if (unwanted.has(name)) return false;
    return named.has(name) || (named.has('*') && !offByDefault.has(name));
  });
  return new Map(chosen);
}
