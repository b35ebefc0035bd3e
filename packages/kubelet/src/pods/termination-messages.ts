// A container's last words: the file it may have written, or the end of its log if it failed without.
import { open } from 'node:fs/promises';
import type { Container } from '@wherry/api';
import type { RuntimeContainer, RuntimePod } from '../plan/runtime-state.ts';
import type { Runtime } from '../runtime/port.ts';
import { podPaths } from '../volumes/paths.ts';
import type { PodState } from './pod-environment.ts';

/** Upstream's limits. */
const fileBytesMax = 4096;
const logBytesMax = 2048;
const logLines = 80;

async function readFilePart(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(fileBytesMax), 0, fileBytesMax, 0);
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

async function logTail(runtime: Runtime, id: string): Promise<string> {
  const options = { follow: false, timestamps: false, tailLines: logLines, sinceMs: undefined };
  const chunks: Buffer[] = [];
  for await (const chunk of (await runtime.logs(id, options, new AbortController().signal)) as AsyncIterable<Buffer>)
    chunks.push(chunk);
  const text = Buffer.concat(chunks);
  return text.subarray(Math.max(0, text.length - logBytesMax)).toString('utf8');
}

async function messageOf(
  container: RuntimeContainer,
  spec: Container | undefined,
  runtime: Runtime,
  rootDirectory: string,
): Promise<string> {
  const path = podPaths(rootDirectory, container.podUid).terminationLog(container.name, container.attempt);
  const written = await readFilePart(path);
  const failed = (container.exitCode ?? 0) !== 0;
  if (written !== '' || !failed || spec?.terminationMessagePolicy !== 'FallbackToLogsOnError') return written;
  return logTail(runtime, container.id);
}

/** The pod with the messages of its ended containers. */
export async function withTerminationMessages(
  state: PodState,
  pod: RuntimePod,
  runtime: Runtime,
  rootDirectory: string | undefined,
): Promise<RuntimePod> {
  if (rootDirectory === undefined) return pod;
  const specs = [...(state.pod?.spec?.containers ?? []), ...(state.pod?.spec?.initContainers ?? [])];
  const containers = await Promise.all(
    pod.containers.map(async (container) => {
      if (container.phase !== 'exited' || container.message !== undefined) return container;
      let message = state.messages.get(container.id);
      if (message === undefined) {
        const spec = specs.find((one) => one.name === container.name);
        message = await messageOf(container, spec, runtime, rootDirectory);
        state.messages.set(container.id, message);
      }
      return message === '' ? container : { ...container, message };
    }),
  );
  for (const id of state.messages.keys()) if (!pod.containers.some((one) => one.id === id)) state.messages.delete(id);
  return { ...pod, containers };
}
