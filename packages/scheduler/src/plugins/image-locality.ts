import type { ScorePlugin } from '../framework/plugin.ts';
import { SCORE_MAX } from '../framework/plugin.ts';

const MIB = 1024 * 1024;
/** Smaller images are fetched so fast that having them is no advantage. */
const SIZE_BYTES_MIN = 23 * MIB;
const CONTAINER_BYTES_MAX = 1000 * MIB;

/** Nodes that have the pod's images are better, the more nodes have an image the more: one node must not get all. */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  prepare(pod, { table }) {
    const known = pod.images.filter((image) => table.images.has(image));
    if (known.length === 0) return undefined;
    const totalNodes = table.order.length;
    const values = known.map((image) => {
      const { sizeBytes, nodes } = table.images.get(image) ?? { sizeBytes: 0, nodes: 0 };
      return [image, Math.floor(sizeBytes * (nodes / totalNodes))] as const;
    });
    const bytesMax = CONTAINER_BYTES_MAX * pod.images.length;
    return {
      score(row) {
        const images = table.imagesOf[row];
        let sum = 0;
        for (const [image, value] of values) if (images?.has(image) === true) sum += value;
        const bounded = Math.min(Math.max(sum, SIZE_BYTES_MIN), bytesMax);
        return Math.floor((SCORE_MAX * (bounded - SIZE_BYTES_MIN)) / (bytesMax - SIZE_BYTES_MIN));
      },
    };
  },
};
