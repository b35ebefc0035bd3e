import { readFile } from 'node:fs/promises';
import { ensureImages, type ImageEngine } from '@wherry/images';
import type Docker from 'dockerode';

/** Busybox alone: a workload that costs nothing, so that what is measured is the way to it. */
export const sleeper = {
  image: 'wherry-bench/busybox:1',
  /** As the first process it would not hear SIGTERM otherwise, and its end would be a grace period. */
  command: ['/bin/busybox', 'sh', '-c', 'trap "exit 0" TERM; while :; do /bin/busybox sleep 3600 & wait $!; done'],
} as const;

/** A static one, as Debian's busybox-static installs it. */
const BUSYBOX = '/bin/busybox';

/** Loads the bench's image into an engine that may have no registry in reach. */
export async function loadSleeper(docker: Docker): Promise<void> {
  const content = await readFile(BUSYBOX);
  await ensureImages(docker as ImageEngine, [
    {
      reference: sleeper.image,
      contentKey: String(content.length),
      config: { Entrypoint: [], Env: ['PATH=/bin'] },
      layers: async () => [[{ kind: 'file', path: 'bin/busybox', mode: 0o755, content }]],
    },
  ]);
}
