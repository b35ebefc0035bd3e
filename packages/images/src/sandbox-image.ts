import type { ImageSource } from './archive.ts';
import { pauseElf } from './pause/elf.ts';
import type { Architecture } from './pause/program.ts';

/**
 * The image of sandboxes and of the containers that hold a virtual node's network: one static executable that waits.
 * It plays the part of upstream's registry.k8s.io/pause, without a registry.
 */
export function sandboxImage(architecture: Architecture): ImageSource {
  return {
    reference: sandboxImageReference,
    contentKey: `pause-1-${architecture}`,
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    layers: async () => [[{ kind: 'file', path: 'pause', mode: 0o755, content: pauseElf(architecture) }]],
  };
}

export const sandboxImageReference = 'wherry/pause:1';
