import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Health, type Host, pause } from '@wherry/daemon';
import { load } from 'js-yaml';
import {
  type AdmissionConfiguration,
  defaultConfiguration,
  readAdmissionConfiguration,
} from '../admission/configuration.ts';
import { HttpServer } from '../http/server.ts';
import { KubeletClient } from '../proxying/kubelet-client.ts';
import type { Storage } from '../storage/port.ts';
import { type Apiserver, assemble } from './assemble.ts';
import { bootstrap } from './bootstrap.ts';
import { componentProbes } from './component-probes.ts';
import { OwnEndpoints } from './endpoints.ts';
import type { ApiserverFlags } from './flags.ts';
import { storeHealth } from './store-health.ts';
import { compactRegularly, repairRegularly } from './upkeep.ts';

/** Between attempts with a store that is not there yet, or that others are filling. */
const STORE_RETRY_MS = 100;

export interface StartOptions {
  readonly flags: ApiserverFlags;
  readonly host: Host;
  readonly storage: Storage;
  readonly defer: (fn: () => void) => void;
  readonly platform: string;
  readonly nodeVersion: string;
}

/** Brings an API server up: listens at once (health says what is missing), is ready when bootstrap is done. */
export async function startApiserver(options: StartOptions): Promise<HttpServer> {
  const { flags, host, storage } = options;
  const { scope, logger } = host;
  const health = new Health();
  const state = { bootstrapped: false };
  const files = await readFiles(flags);
  const server = assembleFrom(options, files, health);
  health.addReady('etcd', storeHealth(storage, host.clock));
  health.addReady('informer-sync', () => (server.watchCache.live ? undefined : 'the watch on the store does not run'));
  health.addReady('poststarthook/rbac/bootstrap-roles', () => (state.bootstrapped ? undefined : 'not finished'));
  health.addReady('shutdown', () => (scope.signal.aborted ? 'process is shutting down' : undefined));
  const http = await HttpServer.listen({
    handle: server.handle,
    host: flags['bind-address'],
    port: flags['secure-port'],
    certificate: files.certificate,
    key: files.key,
    clientAuthorities: [files.clientAuthority],
    logger,
  });
  scope.onClose(() => storage.close());
  scope.onClose(() => http.close());
  logger.info({ address: http.address }, 'listening');
  scope.run('start', async (signal) => {
    await untilLoaded(server, options, signal);
    await untilBootstrapped(server, options, http.address.port, files.clientAuthority, signal);
    state.bootstrapped = true;
    logger.info({ revision: server.watchCache.revision }, 'ready');
    background(server, options, http.address.port);
  });
  return http;
}

interface Files {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority: string;
  readonly signingKey: string;
  readonly verifyingKeys: readonly string[];
  readonly admission: AdmissionConfiguration;
  readonly kubelet:
    | { readonly certificate: string; readonly key: string; readonly authority: string | undefined }
    | undefined;
}

async function readFiles(flags: ApiserverFlags): Promise<Files> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const kubeletCertificate = flags['kubelet-client-certificate'];
  const kubeletKey = flags['kubelet-client-key'];
  const kubeletAuthority = flags['kubelet-certificate-authority'];
  const [certificate, key, clientAuthority, signingKey, verifyingKeys] = await Promise.all([
    read(flags['tls-cert-file']),
    read(flags['tls-private-key-file']),
    read(flags['client-ca-file']),
    read(flags['service-account-signing-key-file']),
    Promise.all(flags['service-account-key-file'].map(read)),
  ]);
  const kubelet =
    kubeletCertificate === undefined || kubeletKey === undefined
      ? undefined
      : {
          certificate: await read(kubeletCertificate),
          key: await read(kubeletKey),
          authority: kubeletAuthority === undefined ? undefined : await read(kubeletAuthority),
        };
  const admission = await admissionConfiguration(flags['admission-control-config-file']);
  return { certificate, key, clientAuthority, signingKey, verifyingKeys, admission, kubelet };
}

/** Files that it names are looked for beside it, as upstream does. */
async function admissionConfiguration(path: string | undefined): Promise<AdmissionConfiguration> {
  if (path === undefined) {
    return defaultConfiguration;
  }
  const parsed = async (file: string): Promise<unknown> => load(await readFile(file, 'utf8'));
  return readAdmissionConfiguration(await parsed(path), (other) => parsed(resolve(dirname(path), other)));
}

function assembleFrom(options: StartOptions, files: Files, health: Health): Apiserver {
  const { flags, host, storage } = options;
  const issuer = flags['service-account-issuer'];
  return assemble({
    storage,
    clock: host.clock,
    random: host.random,
    logger: host.logger,
    metrics: host.metrics,
    health,
    defer: options.defer,
    tokenKeys: {
      signingKey: files.signingKey,
      verifyingKeys: files.verifyingKeys,
      issuer,
      audiences: flags['api-audiences'] ?? [issuer],
    },
    bootstrapTokenAuth: flags['enable-bootstrap-token-auth'],
    kubelets:
      files.kubelet === undefined
        ? undefined
        : new KubeletClient({
            ...files.kubelet,
            clock: host.clock,
            addressTypes: flags['kubelet-preferred-address-types'],
          }),
    probes: componentProbes(storage, flags['scheduler-healthz-url'], flags['controller-manager-healthz-url']),
    serviceRange: flags['service-cluster-ip-range'],
    nodePortRange: flags['service-node-port-range'],
    authorizationModes: flags['authorization-mode'],
    tolerations: {
      notReady: flags['default-not-ready-toleration-seconds'],
      unreachable: flags['default-unreachable-toleration-seconds'],
    },
    admission: {
      enable: flags['enable-admission-plugins'],
      disable: flags['disable-admission-plugins'],
      configuration: files.admission,
    },
    eventTtlSeconds: Math.ceil(flags['event-ttl'] / 1000),
    inflight: { readOnly: flags['max-requests-inflight'], mutating: flags['max-mutating-requests-inflight'] },
    serverAddress: `${flags['advertise-address']}:${flags['secure-port']}`,
    platform: options.platform,
    nodeVersion: options.nodeVersion,
  });
}

/** The store may come up after us; until it does, only health answers. */
async function untilLoaded(server: Apiserver, { host }: StartOptions, signal: AbortSignal): Promise<void> {
  const { scope, clock, logger } = host;
  for (;;) {
    try {
      await server.watchCache.start(scope);
      return;
    } catch (error) {
      logger.warn({ err: error }, 'cannot load from the store yet');
      if (!(await pause(clock, STORE_RETRY_MS, signal))) {
        throw error;
      }
    }
  }
}

/**
 * Another server that starts at the same moment may be half-way through the same objects (an address of its Service is
 * taken before the Service is there), and the store may go away: what is left is done by the next attempt.
 */
async function untilBootstrapped(
  server: Apiserver,
  { flags, host }: StartOptions,
  securePort: number,
  clientAuthority: string,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = host;
  for (;;) {
    try {
      await bootstrap(server, {
        serviceRange: flags['service-cluster-ip-range'],
        securePort,
        clientAuthority,
        authorizationModes: flags['authorization-mode'],
      });
      return;
    } catch (error) {
      logger.warn({ err: error }, 'cannot lay down what every cluster has yet');
      if (!(await pause(clock, STORE_RETRY_MS, signal))) {
        throw error;
      }
    }
  }
}

function background(server: Apiserver, { flags, host, storage }: StartOptions, port: number): void {
  const { scope, clock, logger } = host;
  const { allocation } = server.registry;
  const endpoints = new OwnEndpoints(server, clock, flags['advertise-address'], port);
  scope.run('own endpoints', (signal) => endpoints.run(signal));
  scope.run('endpoints of others', (signal) => endpoints.followLeases(signal));
  scope.run('bookmarks', (signal) => server.bookmarks.run(signal));
  scope.run('allocation repair', (signal) => repairRegularly(allocation, clock, logger, signal));
  const everyMs = flags['etcd-compaction-interval'];
  if (everyMs > 0) {
    scope.run('compaction', (signal) => compactRegularly(storage, clock, logger, everyMs, signal));
  }
}
