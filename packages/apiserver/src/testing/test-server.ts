import { generateKeyPairSync } from 'node:crypto';
import { type ListMeta, type ObjectMeta, requestEntityTooLarge } from '@wherry/api';
import { createMetrics, Health, Scope, seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import { createMemoryStore } from '@wherry/store/client';
import { defaultConfiguration } from '../admission/configuration.ts';
import type { AdmissionOptions } from '../admission/plugins.ts';
import { type Apiserver, assemble } from '../boot/assemble.ts';
import { bootstrap } from '../boot/bootstrap.ts';
import type { ApiRequest, ApiResponse, PeerCertificate, StreamOutput } from '../http/exchange.ts';
import type { KubeletClient } from '../proxying/kubelet-client.ts';
import { StoreStorage } from '../storage/store-storage.ts';

/** An API server in this process on the memory store, spoken to through `handle`. */
export interface TestServer extends AsyncDisposable {
  readonly server: Apiserver;
  readonly storage: StoreStorage;
  request(method: string, target: string, options?: RequestOptions): Promise<TestResponse>;
  /** Starts a watch; events are read one by one. */
  watch(target: string, options?: RequestOptions): Promise<TestWatch>;
  /** Any request, answered as the core answers it. */
  handle(method: string, target: string, options?: RequestOptions): Promise<ApiResponse>;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly rawBody?: string | Buffer;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Common name and organizations of the client certificate; undefined: none. */
  readonly user?: { readonly name: string; readonly groups: readonly string[] } | null;
}

/** Any object of the API, for looking into. */
export interface Peek {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: ObjectMeta & ListMeta;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly items?: readonly Peek[];
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: ApiResponse['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed body; compare it with toMatchObject. */
  readonly json: Peek;
}

export interface TestWatch {
  next(): Promise<{ readonly type: string; readonly object: Peek } | undefined>;
  readonly pending: number;
  close(): void;
}

const admin = { name: 'kubernetes-admin', groups: ['system:masters'] };

export interface TestServerOptions {
  readonly kubelets?: KubeletClient;
  readonly admission?: Partial<AdmissionOptions>;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const scope = new Scope('test', silentLogger);
  const storage = new StoreStorage(createMemoryStore({ clock: systemClock }), systemClock);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = assemble({
    storage,
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: createMetrics(),
    health: new Health(),
    defer: (fn) => void systemClock.setTimer(0, fn),
    tokenKeys: {
      signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      verifyingKeys: [publicKey.export({ type: 'spki', format: 'pem' }).toString()],
      issuer: 'https://kubernetes.default.svc.cluster.local',
      audiences: ['https://kubernetes.default.svc.cluster.local'],
    },
    bootstrapTokenAuth: true,
    kubelets: options.kubelets,
    probes: new Map([['etcd-0', async () => ({ healthy: true, message: 'ok' })]]),
    serviceRange: '10.96.0.0/12',
    nodePortRange: '30000-32767',
    authorizationModes: ['Node', 'RBAC'],
    tolerations: { notReady: 300, unreachable: 300 },
    admission: { enable: [], disable: [], configuration: defaultConfiguration, ...options.admission },
    eventTtlSeconds: 3600,
    inflight: { readOnly: 400, mutating: 200 },
    serverAddress: '127.0.0.1:6443',
    platform: 'linux/amd64',
    nodeVersion: 'v24',
  });
  await server.watchCache.start(scope);
  const setUp = {
    serviceRange: '10.96.0.0/12',
    securePort: 6443,
    clientAuthority: 'PEM',
    authorizationModes: ['Node', 'RBAC'],
  };
  await bootstrap(server, setUp);
  return {
    server,
    storage,
    request: async (method, target, about = {}) => {
      const response = await server.handle(makeRequest(method, target, about), scope.signal);
      return collect(response);
    },
    handle: (method, target, about = {}) => server.handle(makeRequest(method, target, about), scope.signal),
    watch: async (target, about = {}) => {
      const response = await server.handle(makeRequest('GET', target, about), scope.signal);
      if (response.kind !== 'stream') {
        throw new Error(`No watch but ${response.status}: ${(await collect(response)).text}`);
      }
      return follow(response.run.bind(response));
    },
    [Symbol.asyncDispose]: async () => {
      await scope.close();
      await storage.close();
    },
  };
}

function makeRequest(method: string, target: string, options: RequestOptions): ApiRequest {
  const [path = '', query = ''] = target.split('?');
  const body = bodyOf(options);
  const headers = new Map<string, readonly string[]>();
  if (body.length > 0) {
    headers.set('content-type', [options.contentType ?? 'application/json']);
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers.set(name, typeof value === 'string' ? [value] : value);
  }
  const user = options.user === undefined ? admin : options.user;
  const certificate: PeerCertificate =
    user === null ? { kind: 'none' } : { kind: 'trusted', commonName: user.name, organizations: user.groups };
  return {
    method,
    path,
    query,
    header: (name) => headers.get(name)?.join(', '),
    headers: (name) => headers.get(name) ?? [],
    headerNames: () => headers.keys(),
    readBody: async (bytesMax) => {
      if (body.length > bytesMax) {
        throw requestEntityTooLarge(`limit is ${bytesMax}`);
      }
      return body;
    },
    bodyStream: async function* () {
      yield body;
    },
    peer: { address: '127.0.0.1', certificate },
  };
}

function bodyOf({ body, rawBody }: RequestOptions): Buffer {
  if (rawBody !== undefined) {
    return Buffer.from(rawBody);
  }
  return body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
}

async function collect(response: ApiResponse): Promise<TestResponse> {
  const parts: Uint8Array[] = [];
  if (response.kind === 'bytes') {
    parts.push(response.body);
  } else if (response.kind === 'chunks') {
    for await (const chunk of response.chunks) {
      parts.push(chunk);
    }
  } else {
    throw new Error(`A ${response.kind} cannot be collected`);
  }
  const bytes = Buffer.concat(parts);
  const text = bytes.toString();
  const isJson = String(response.headers['content-type'] ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text,
    json: isJson && text !== '' ? (JSON.parse(text) as Peek) : {},
  };
}

function follow(run: (output: StreamOutput, signal: AbortSignal) => void): TestWatch {
  const controller = new AbortController();
  const lines: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let ended = false;
  const deliver = (line: string | undefined): void => {
    const waiter = waiting.shift();
    if (waiter !== undefined) {
      waiter(line);
    } else if (line !== undefined) {
      lines.push(line);
    }
  };
  run(
    {
      write: (chunk) => {
        for (const line of Buffer.from(chunk).toString().split('\n')) {
          if (line !== '') {
            deliver(line);
          }
        }
        return true;
      },
      end: () => {
        ended = true;
        for (const waiter of waiting.splice(0)) {
          waiter(undefined);
        }
      },
      onDrain: () => {},
    },
    controller.signal,
  );
  return {
    next: async () => {
      const line =
        lines.shift() ??
        (ended ? undefined : await new Promise<string | undefined>((resolve) => waiting.push(resolve)));
      return line === undefined ? undefined : JSON.parse(line);
    },
    get pending() {
      return lines.length;
    },
    close: () => controller.abort(),
  };
}
