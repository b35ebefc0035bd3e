/** Says why something is unhealthy, or nothing when it is well. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

/** The three probes' checks by name: `healthz` is the union that older clients ask for. */
export class Health {
  readonly #live = new Map<string, HealthCheck>([['ping', () => undefined]]);
  readonly #ready = new Map<string, HealthCheck>();

  addLive(name: string, check: HealthCheck): void {
    this.#live.set(name, check);
  }

  addReady(name: string, check: HealthCheck): void {
    this.#ready.set(name, check);
  }

  /**
   * Answers `/healthz`, `/livez`, `/readyz` (each also with `/<check>`) as upstream: `ok`, or a line for every check
   * when asked verbosely or when one fails.
   * @returns undefined when the path is no health path
   */
  async answer(
    path: string,
    verbose: boolean,
  ): Promise<{ readonly status: number; readonly body: string } | undefined> {
    const [, probe = '', only, ...rest] = path.split('/');
    if (!['healthz', 'livez', 'readyz'].includes(probe) || rest.length > 0) return undefined;
    const checks = probe === 'livez' ? this.#live : new Map([...this.#live, ...this.#ready]);
    const chosen = only === undefined ? checks : new Map([...checks].filter(([name]) => name === only));
    if (chosen.size === 0) return { status: 404, body: '404 page not found\n' };
    const lines: string[] = [];
    let failed = false;
    for (const [name, check] of chosen) {
      const problem = await runCheck(check);
      failed ||= problem !== undefined;
      lines.push(problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`);
    }
    if (!failed && !verbose) return { status: 200, body: 'ok' };
    return {
      status: failed ? 500 : 200,
      body: `${lines.join('\n')}\n${probe} check ${failed ? 'failed' : 'passed'}\n`,
    };
  }
}

async function runCheck(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
