import { type EndpointSlice, StatusError } from '@wherry/api';
import { ApiClient, type ApiRequest, type ApiResponse, InformerCache } from '@wherry/client';
import { Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { beforeEach, describe, expect, it } from 'vitest';
import { sliceCache } from '../cluster/informer-view.ts';
import { wantedSlice } from './endpoint-plan.ts';
import { EndpointPublisher } from './endpoint-publisher.ts';

const wanted = wantedSlice('kube-dns-wherry', { family: 'A', text: '172.18.0.1' }, 10_053);
const KEY = 'kube-system/kube-dns-wherry';

describe('EndpointPublisher', () => {
  let clock: VirtualClock;
  let slices: InformerCache<EndpointSlice>;
  let scope: Scope;
  let requests: string[];
  let revision: number;
  let answer: (request: ApiRequest) => ApiResponse | Promise<ApiResponse>;

  beforeEach(() => {
    clock = new VirtualClock();
    slices = new InformerCache<EndpointSlice>(sliceCache.indexers, sliceCache.project);
    scope = new Scope('test', silentLogger);
    requests = [];
    revision = 10;
    answer = ({ method, body }) => {
      if (method === 'DELETE') return json(200, { kind: 'Status', status: 'Success' });
      const object: EndpointSlice = JSON.parse(String(body));
      revision++;
      const stored = { ...object, metadata: { ...object.metadata, uid: 'u1', resourceVersion: String(revision) } };
      slices.upsert(stored);
      slices.progress(String(revision));
      return json(method === 'POST' ? 201 : 200, stored);
    };
    const client = new ApiClient({
      request: async (request) => {
        requests.push(`${request.method} ${request.path}`);
        return answer(request);
      },
      close: async () => {},
    });
    new EndpointPublisher({ client, slices, wanted, clock, logger: silentLogger }).run(scope);
  });

  const COLLECTION = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices';

  it('waits for the cache, then creates its endpoint once', async () => {
    await clock.advance(1000);
    expect(requests).toEqual([]);
    slices.replace([], '10');
    await clock.advance(1000);
    expect(requests).toEqual([`POST ${COLLECTION}`]);
    expect(slices.get(KEY)?.endpoints?.[0]?.addresses).toEqual(['172.18.0.1']);
    await scope.close();
  });

  it('creates it again when somebody deletes it', async () => {
    slices.replace([], '10');
    await clock.advance(10);
    slices.remove(KEY);
    slices.progress('20');
    revision = 20;
    await clock.advance(10);
    expect(requests).toEqual([`POST ${COLLECTION}`, `POST ${COLLECTION}`]);
    await scope.close();
  });

  it('tries again until the namespace exists', async () => {
    const store = answer;
    answer = () =>
      json(404, { kind: 'Status', status: 'Failure', code: 404, reason: 'NotFound', message: 'no namespace' });
    slices.replace([], '10');
    await clock.advance(5_000);
    expect(requests.length).toBeGreaterThan(3);
    answer = store;
    await clock.advance(5_000);
    expect(slices.get(KEY)).toBeDefined();
    await scope.close();
  });

  it('takes it back when it stops', async () => {
    slices.replace([], '10');
    await clock.advance(10);
    await scope.close();
    expect(requests.at(-1)).toBe(`DELETE ${COLLECTION}/kube-dns-wherry`);
  });

  it('stops in time when the API server does not answer', async () => {
    slices.replace([], '10');
    await clock.advance(10);
    answer = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new StatusError({ message: 'late' }))));
    let closed = false;
    const closing = scope.close().then(() => {
      closed = true;
    });
    await clock.advance(2_900);
    expect(closed).toBe(false);
    await clock.advance(200);
    await closing;
  });
});

function json(status: number, value: unknown): ApiResponse {
  async function* body() {
    yield Buffer.from(JSON.stringify(value));
  }
  return { status, headers: {}, body: body() };
}
