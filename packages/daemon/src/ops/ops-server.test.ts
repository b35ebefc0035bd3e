import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Health } from './health.ts';
import { createMetrics } from './metrics.ts';
import { type OpsServer, startOpsServer } from './ops-server.ts';

describe('startOpsServer', () => {
  let server: OpsServer;
  let problem: string | undefined;
  beforeEach(async () => {
    problem = undefined;
    const health = new Health();
    health.addReady('store', () => problem);
    const metrics = createMetrics();
    metrics.counter('wherry_test_total', 'a count').inc(3);
    server = await startOpsServer({ host: '127.0.0.1', port: 0, health, metrics });
  });
  afterEach(() => server.close());

  const get = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${server.address.port}${path}`);
    return `${response.status} ${await response.text()}`;
  };

  it.each([
    ['/healthz', '200 ok'],
    ['/livez/ping', '200 ok'],
    ['/readyz/nothing', '404 404 page not found\n'],
    ['/other', '404 404 page not found\n'],
    ['/readyz?verbose', '200 [+]ping ok\n[+]store ok\nreadyz check passed\n'],
  ])('answers %s', async (path, expected) => expect(await get(path)).toBe(expected));

  it('says which check fails, and stays alive while not ready', async () => {
    problem = 'no leader';
    expect(await get('/readyz')).toBe('500 [+]ping ok\n[-]store failed: no leader\nreadyz check failed\n');
    expect(await get('/livez')).toBe('200 ok');
  });

  it('serves metrics', async () => expect(await get('/metrics')).toContain('wherry_test_total 3'));

  it('names the address when it cannot listen', async () => {
    const again = startOpsServer({
      host: '127.0.0.1',
      port: server.address.port,
      health: new Health(),
      metrics: createMetrics(),
    });
    await expect(again).rejects.toThrow(`Cannot listen on 127.0.0.1:${server.address.port}`);
  });
});
