import type { ComponentProbe, ComponentProbes } from '../registry/component-status.ts';
import type { Storage } from '../storage/port.ts';

const ANSWER_MS_MAX = 5_000;

/** The components that `kubectl get componentstatuses` names. */
export function componentProbes(storage: Storage, schedulerUrl: string, controllerManagerUrl: string): ComponentProbes {
  return new Map<string, ComponentProbe>([
    ['scheduler', () => askHttp(schedulerUrl)],
    ['controller-manager', () => askHttp(controllerManagerUrl)],
    ['etcd-0', () => askStore(storage)],
  ]);
}

async function askHttp(url: string): ReturnType<ComponentProbe> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await response.text();
    return { healthy: response.ok, message: response.ok ? text.trim() : `${response.status}: ${text.trim()}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return {
      healthy: false,
      message: `Get ${JSON.stringify(url)}: ${cause instanceof Error ? cause.message : String(cause)}`,
    };
  }
}

async function askStore(storage: Storage): ReturnType<ComponentProbe> {
  try {
    await storage.currentRevision();
    return { healthy: true, message: 'ok' };
  } catch (error) {
    return { healthy: false, message: error instanceof Error ? error.message : String(error) };
  }
}
