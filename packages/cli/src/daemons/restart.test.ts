import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clusterLayout } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { restartDaemon } from './restart.ts';
import type { DaemonSpec } from './spec.ts';

test('restartDaemon does not wait for an engine that hangs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-restart-'));
  const socket = join(folder, 'docker.sock');
  const silent = createServer(() => {}).listen(socket);
  await once(silent, 'listening');
  try {
    const given: Pick<Context, 'environment'> = { environment: { DOCKER_HOST: `unix://${socket}` } };
    const spec: Pick<DaemonSpec, 'name' | 'kind' | 'namespace'> = {
      name: 'proxy-node-1',
      kind: 'proxy',
      namespace: 'node-1',
    };
    await expect(restartDaemon(given as Context, clusterLayout(folder, 'test'), spec as DaemonSpec)).rejects.toThrow(
      `Cannot enter node node-1: no Docker engine answers at unix://${socket}`,
    );
  } finally {
    silent.close();
    await rm(folder, { recursive: true });
  }
});
