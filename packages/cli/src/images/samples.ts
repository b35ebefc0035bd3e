import { ensureImages } from '@wherry/images';
import type { Context } from '../context.ts';
import { dockerAt } from '../engine/docker.ts';
import { dockerHost } from '../engine/provider.ts';
import { describeError } from '../failure.ts';
import type { Progress } from '../terminal/progress.ts';
import { echoImages } from './echo-image.ts';

/** Makes the images of the tour. A cluster is of use without them, so a failure is told and no more. */
export async function ensureSampleImages(context: Context, progress: Progress): Promise<void> {
  try {
    await progress.step(
      'making sample images',
      async () => ensureImages(dockerAt(dockerHost(context)), await echoImages(context)),
      (made) => (made.length === 0 ? undefined : `images ${made.join(', ')} made from files on this machine`),
    );
  } catch (error) {
    context.terminal.err(`  ! no sample images (wherry/echo:1, :2): ${describeError(error)}`);
  }
}
