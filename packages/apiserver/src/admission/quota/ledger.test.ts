import { isConflict, quotaEvaluatorOf, type ResourceQuota } from '@wherry/api';
import { systemClock } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { startTestServer } from '../../testing/test-server.ts';
import type { QuotaRequest } from './charge.ts';
import { QuotaLedger } from './ledger.ts';

const request: QuotaRequest = {
  evaluator: quotaEvaluatorOf({ group: '', resource: 'configmaps' }),
  resource: '/configmaps',
  operation: 'CREATE',
  subresource: '',
  object: {},
  old: undefined,
};

it('several servers together reserve no more than there is', async () => {
  await using api = await startTestServer();
  const { reader, store } = api.server.registry;
  const { stored: quotas } = api.server.kinds.storedVersion('', 'resourcequotas');
  if (quotas === undefined) throw new Error('resourcequotas are not stored');
  const base = '/api/v1/namespaces/default/resourcequotas';
  const quota: ResourceQuota = { metadata: { name: 'q' }, spec: { hard: { configmaps: '20' } } };
  await api.request('POST', base, { body: quota });
  const status = { hard: { configmaps: '20' }, used: { configmaps: '0' } };
  await api.request('PUT', `${base}/q/status`, { body: { ...quota, status } });
  await store.fresh();
  const servers = [1, 2, 3].map(
    () => new QuotaLedger({ reader, store, quotas, clock: systemClock, limitedResources: [] }),
  );
  const outcomes = await Promise.all(
    servers.flatMap((ledger) =>
      Array.from({ length: 15 }, () =>
        ledger.reserve('default', request, false).catch((error: unknown) => {
          if (!isConflict(error)) throw error;
          return 'conflict';
        }),
      ),
    ),
  );
  const reserved = outcomes.filter((reason) => reason === '').length;
  const found = await api.request('GET', `${base}/q`);
  expect(found.json.status).toMatchObject({ used: { configmaps: String(reserved) } });
  expect(reserved).toBeLessThanOrEqual(20);
  expect(reserved).toBeGreaterThan(10);
});
