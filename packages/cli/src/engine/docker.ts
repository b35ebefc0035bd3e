import Docker from 'dockerode';

export const usualDockerHost = 'unix:///var/run/docker.sock';

/** A client of the engine at DOCKER_HOST; the API version is the engine's own choice. */
export function dockerAt(host: string, timeoutMs?: number): Docker {
  const url = new URL(host);
  const limit = timeoutMs === undefined ? {} : { timeout: timeoutMs };
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname, ...limit });
  return new Docker({ host: url.hostname, port: url.port === '' ? 2375 : Number(url.port), ...limit });
}

const ANSWER_MS_MAX = 3000;

/** The engine's version, or undefined when none answers. */
export async function engineVersion(host: string): Promise<string | undefined> {
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
