// postStart and preStop: a command in the container, an HTTP request to it, or a pause.
import type { Container, LifecycleHandler } from '@wherry/api';
import type { Clock } from '@wherry/daemon';
import { type HttpGet, httpHeaders, httpUrl } from '../probes/http-probe.ts';
import type { Runtime } from '../runtime/port.ts';

/** The hook ran and said no, or could not be run. */
export class HookError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HookError';
  }
}

export interface HookTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** @throws HookError */
export async function runHook(
  handler: LifecycleHandler,
  target: HookTarget,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  environment: { readonly runtime: Runtime; readonly clock: Clock; readonly httpGet: HttpGet },
): Promise<void> {
  const { runtime, clock, httpGet } = environment;
  if (handler.sleep !== undefined) {
    await clock.sleep(Math.min(handler.sleep.seconds * 1000, limits.timeoutMs), limits.signal);
    return;
  }
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    const { exitCode, output } = await runtime.exec(target.containerId, command, limits.timeoutMs);
    if (exitCode === 0) return;
    throw new HookError(`command '${command.join(' ')}' exited with ${exitCode}: ${output}`);
  }
  if (handler.httpGet !== undefined) {
    const url = httpUrl(handler.httpGet, target.container, target.podIp);
    const expired = new AbortController();
    const timer = clock.setTimer(limits.timeoutMs, () => expired.abort(new HookError('the HTTP hook timed out')));
    try {
      const answer = await httpGet(url, httpHeaders(handler.httpGet), AbortSignal.any([limits.signal, expired.signal]));
      if (answer.status >= 200 && answer.status < 400) return;
      throw new HookError(`HTTP hook ${url.href} was answered with ${answer.status}`);
    } finally {
      timer.cancel();
    }
  }
  throw new HookError(`invalid handler: ${Object.keys(handler).join(', ') || 'empty'}`);
}
