import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProxyHealth, startHealthServer } from './health-server.ts';

describe('startHealthServer', () => {
  let health: ProxyHealth;
  let server: Awaited<ReturnType<typeof startHealthServer>>;
  beforeEach(async () => {
    health = { healthy: true, nodeEligible: true, lastUpdated: 'a', currentTime: 'b' };
    server = await startHealthServer('127.0.0.1', 0, () => health);
  });
  afterEach(() => server.close());

  it.each([
    ['/healthz', true, true, 200],
    ['/healthz', true, false, 503],
    ['/livez', true, false, 200],
    ['/healthz', false, true, 503],
    ['/livez', false, true, 503],
    ['/other', true, true, 404],
  ])('%s when healthy=%s and eligible=%s: %d', async (path, healthy, nodeEligible, status) => {
    health = { ...health, healthy, nodeEligible };
    expect((await fetch(`http://127.0.0.1:${server.address.port}${path}`)).status).toBe(status);
  });

  it('says when rules were last brought up to date', async () => {
    const response = await fetch(`http://127.0.0.1:${server.address.port}/healthz`);
    expect(await response.json()).toEqual({ lastUpdated: 'a', currentTime: 'b', nodeEligible: true });
  });
});
