// Finds the engine and, on a virtual node, the container whose network namespace is the node's.
import { readFile } from 'node:fs/promises';
import type { Clock, Logger } from '@wherry/daemon';
import { sandboxImageReference } from '@wherry/images';
import Docker from 'dockerode';
import { DockerRuntime } from './docker-runtime.ts';
import type { Ownership } from './labels.ts';

export interface ConnectOptions {
  /** `unix:///path` or `tcp://host:port`. */
  readonly endpoint: string;
  readonly owner: Ownership;
  readonly nodeContainer: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

function engineAt(endpoint: string): Docker {
  const url = new URL(endpoint);
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname });
  if (url.protocol !== 'tcp:' && url.protocol !== 'http:') {
    throw new Error(`Cannot use container runtime endpoint "${endpoint}": only unix:// and tcp:// are supported`);
  }
  return new Docker({ protocol: 'http', host: url.hostname, port: Number(url.port || 2375) });
}

/** Bit of CAP_SYS_RESOURCE in a capability mask (linux/capability.h). */
const sysResourceBit = 24n;

/** Whether this process could lower an OOM score; the engine beside it is confined alike. */
async function mayLowerOomScores(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> sysResourceBit) & 1n) === 1n;
}

async function anchorOf(docker: Docker, options: ConnectOptions): Promise<string | undefined> {
  const { owner, nodeContainer } = options;
  if (nodeContainer !== undefined) return (await docker.getContainer(nodeContainer).inspect()).Id;
  const label = [`io.wherry.cluster=${owner.cluster}`, `io.wherry.node=${owner.node}`, 'io.wherry.role=anchor'];
  return (await docker.listContainers({ filters: { label } }))[0]?.Id;
}

/** @throws when the engine does not answer */
export async function connectDocker(options: ConnectOptions): Promise<DockerRuntime> {
  const docker = engineAt(options.endpoint);
  const negativeOomScores = await mayLowerOomScores();
  if (!negativeOomScores) {
    options.logger.warn(
      {},
      'no CAP_SYS_RESOURCE here: containers run without OOM scores below 0, so sandboxes and guaranteed pods are not protected from the kernel',
    );
  }
  const anchor = await anchorOf(docker, options);
  options.logger.info({ anchor, endpoint: options.endpoint }, 'using the Docker engine');
  const runtime = new DockerRuntime({
    docker,
    clock: options.clock,
    logger: options.logger,
    owner: options.owner,
    anchor,
    sandboxImage: sandboxImageReference,
    negativeOomScores,
  });
  await runtime.prepare();
  return runtime;
}
