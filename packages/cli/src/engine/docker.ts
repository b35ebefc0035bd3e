import Docker from 'dockerode';
import { Failure } from '../failure.ts';

export const usualDockerHost = 'unix:///var/run/docker.sock';

const SOCKET = 'unix://';

/**
 * A client of the engine at this address; the API version is the engine's own choice.
 * @throws Failure for engines on other machines: nodes live in this one's network namespaces
 */
export function dockerAt(host: string, timeoutMs?: number): Docker {
  if (!host.startsWith(SOCKET))
    throw new Failure(`Cannot use the Docker engine at ${host}: nodes need one on this machine (unix://…)`);
  const limit = timeoutMs === undefined ? {} : { timeout: timeoutMs };
  return new Docker({ socketPath: host.slice(SOCKET.length), ...limit });
}

const ANSWER_MS_MAX = 3000;

/** The engine's version, or undefined when none answers; one on another machine is not asked. */
export async function engineVersion(host: string): Promise<string | undefined> {
  if (!host.startsWith(SOCKET)) return undefined;
  try {
    const version = await dockerAt(host, ANSWER_MS_MAX).version();
    return version.Version;
  } catch (error) {
    if (isNoAnswer(error)) return undefined;
    throw error;
  }
}

function isNoAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return ['ENOENT', 'ECONNREFUSED', 'EACCES', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND'].includes(code);
}

/** Whether the engine answered with this HTTP status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === status;
}
