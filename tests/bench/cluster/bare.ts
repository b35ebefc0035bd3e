import type Docker from 'dockerode';
import { sleeper } from './images.ts';

/** As many creations and starts under way at once as our kubelet has. */
const AT_ONCE = 6;

/** What Docker itself needs for these containers, without anybody's orchestration. @returns milliseconds until all run */
export async function bareContainers(docker: Docker, count: number): Promise<number> {
  const made: Docker.Container[] = [];
  const startMs = performance.now();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const container = await docker.createContainer({ Image: sleeper.image, Cmd: [...sleeper.command] });
      made.push(container);
      await container.start();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const tookMs = performance.now() - startMs;
  await Promise.all(made.map((container) => container.remove({ force: true })));
  return tookMs;
}
