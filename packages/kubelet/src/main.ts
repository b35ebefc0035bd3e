// The kubelet as a process.
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type FlagValues, type Host, pause, runDaemon, startOpsServer } from '@wherry/daemon';
import { connectToApi } from './certificates/client-credentials.ts';
import { type ServingCredentials, servingCredentials } from './certificates/serving-credentials.ts';
import { kubeletFlags } from './flags.ts';
import { runCommand } from './host/commands.ts';
import { startKubelet } from './kubelet.ts';
import type { KubeletAdapters, KubeletConfig } from './kubelet-config.ts';
import { KernelWiring } from './network/kernel-wiring.ts';
import { parseLabels, parseTaint } from './plan/node-flags.ts';
import { realProber } from './probes/prober.ts';
import { connectDocker } from './runtime/docker/connect.ts';
import { hollowProber, hollowWiring } from './runtime/hollow/hollow-node.ts';
import { HollowRuntime } from './runtime/hollow/hollow-runtime.ts';
import type { Runtime } from './runtime/port.ts';
import { KubeletServer } from './server/kubelet-server.ts';

type Flags = FlagValues<typeof kubeletFlags>;

runDaemon({ name: 'kubelet', flags: kubeletFlags, start });

/** How long to wait before an engine that does not answer is asked again. */
const engineRetryMs = 1_000;

function configOf(flags: Flags): KubeletConfig {
  return {
    nodeName: flags['hostname-override'],
    nodeIp: flags['node-ip'],
    labels: parseLabels(flags['node-labels']),
    taints: flags['register-with-taints'].map(parseTaint),
    register: flags['register-node'],
    rootDirectory: resolve(flags['root-dir']),
    resolvConf: flags['resolv-conf'],
    clusterDns: flags['cluster-dns'],
    clusterDomain: flags['cluster-domain'],
    clusterCidr: flags['cluster-cidr'],
    podCidr: flags['pod-cidr'],
    podsMax: flags['max-pods'],
    cpu: flags.cpu,
    memory: flags.memory,
    capacityDivisor: flags['capacity-divisor'],
    port: flags.port,
    statusCheckMs: flags['node-status-update-frequency'],
    leaseSeconds: flags['node-lease-duration-seconds'],
    drainMs: flags['service-drain-period'],
  };
}

/** The engine may be restarting: a kubelet waits for it. */
async function dockerRuntime(flags: Flags, host: Host): Promise<Runtime> {
  const owner = { cluster: flags['cluster-name'], node: flags['hostname-override'] };
  const options = {
    endpoint: flags['container-runtime-endpoint'],
    owner,
    nodeContainer: flags['node-container'],
    clock: host.clock,
    logger: host.logger,
  };
  for (;;) {
    try {
      return await connectDocker(options);
    } catch (error) {
      host.logger.error({ err: error, endpoint: options.endpoint }, 'the Docker engine does not answer, trying again');
      if (!(await pause(host.clock, engineRetryMs, host.scope.signal))) throw error;
    }
  }
}

async function adaptersOf(flags: Flags, host: Host): Promise<KubeletAdapters> {
  const { clock, random, logger, metrics, scope } = host;
  const client = await connectToApi({
    nodeName: flags['hostname-override'],
    kubeconfig: flags.kubeconfig,
    bootstrapKubeconfig: flags['bootstrap-kubeconfig'],
    certificateDirectory: certificateDirectory(flags),
    rotate: flags['rotate-certificates'],
    clock,
    random,
    logger,
    scope,
  });
  const common = { client, run: runCommand, clock, random, logger, metrics, scope };
  if (flags.runtime === 'hollow') {
    const runtime = new HollowRuntime({ clock, random });
    return { ...common, runtime, wiring: hollowWiring, prober: hollowProber(runtime), isHollow: true };
  }
  const runtime = await dockerRuntime(flags, host);
  return {
    ...common,
    runtime,
    wiring: new KernelWiring(runCommand),
    prober: realProber(runtime, clock),
    isHollow: false,
  };
}

function certificateDirectory(flags: Flags): string {
  return resolve(flags['cert-dir'] ?? join(flags['root-dir'], 'pki'));
}

function servingOf(
  flags: Flags,
  { client, clock, random, logger, scope }: KubeletAdapters,
): Promise<ServingCredentials> {
  const { 'tls-cert-file': cert, 'tls-private-key-file': key } = flags;
  return servingCredentials({
    nodeName: flags['hostname-override'],
    nodeIp: flags['node-ip'],
    certificateDirectory: certificateDirectory(flags),
    given: cert === undefined || key === undefined ? undefined : { cert, key },
    rotate: flags['rotate-server-certificates'],
    client,
    clock,
    random,
    logger,
    scope,
  });
}

async function start(flags: Flags, host: Host): Promise<void> {
  const config = configOf(flags);
  await mkdir(config.rootDirectory, { recursive: true });
  const clientCa = await readFile(flags['client-ca-file'], 'utf8');
  const adapters = await adaptersOf(flags, host);
  const serving = await servingOf(flags, adapters);
  const kubelet = await startKubelet(config, adapters);
  const { clock, logger, metrics, scope } = host;
  const server = new KubeletServer({
    address: flags.address,
    port: flags.port,
    tls: { ...serving.pair, clientCa },
    servedAt: () => ({
      nodeName: config.nodeName,
      directory: kubelet.directory,
      runtime: adapters.runtime,
      isHollow: adapters.isHollow,
    }),
    health: kubelet.health,
    metrics,
    clock,
    logger,
  });
  await server.listen();
  scope.onClose(() => server.close());
  serving.follow((pair) => server.useCertificate(pair));
  if (flags['healthz-port'] !== 0) {
    const ops = await startOpsServer({
      host: flags['healthz-bind-address'],
      port: flags['healthz-port'],
      health: kubelet.health,
      metrics,
    });
    scope.onClose(() => ops.close());
  }
  logger.info({ node: config.nodeName, ip: config.nodeIp, port: flags.port }, 'kubelet started');
}
