// Images of the engine. On a shared engine they belong to everybody: the kubelet only reads and adds.
import type Docker from 'dockerode';
import type { ImageFacts, RegistryAuth } from '../port.ts';
import { asRuntimeError, statusOf } from './errors.ts';

interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null | undefined;
  readonly RepoDigests?: readonly string[] | null | undefined;
  readonly Size: number;
}

function factsOf(image: InspectedImage, user: string): ImageFacts {
  const digests = (image.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>'));
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  return {
    id: image.Id,
    reference: digests[0] ?? image.Id,
    names: [...digests, ...tags],
    sizeBytes: image.Size,
    user,
  };
}

export async function findImage(docker: Docker, reference: string): Promise<ImageFacts | undefined> {
  try {
    const image = await docker.getImage(reference).inspect();
    return factsOf(image, image.Config?.User ?? '');
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw asRuntimeError(error, 'refused');
  }
}

export async function listImages(docker: Docker): Promise<readonly ImageFacts[]> {
  const images = await docker.listImages();
  return images.map((image) => factsOf(image, '')).filter((image) => image.names.length > 0);
}

/** Pulls to the end. Failures inside the progress stream are thrown with the engine's words. */
export async function pull(
  docker: Docker,
  reference: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<void> {
  let stream: NodeJS.ReadableStream;
  try {
    stream = await docker.pull(reference, { ...(auth !== undefined && { authconfig: auth }), abortSignal: signal });
  } catch (error) {
    throw asRuntimeError(error, 'refused');
  }
  await new Promise<void>((resolve, reject) => {
    // The response is of no use to anyone once the pod is gone; the engine ends the pull with it.
    const stop = () => {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    docker.modem.followProgress(stream, (error) => {
      signal.removeEventListener('abort', stop);
      if (error) reject(asRuntimeError(error, 'refused'));
      else resolve();
    });
    stream.once('error', (error) => reject(asRuntimeError(error, 'refused')));
  });
}
