// An API that knows certificate signing requests and nothing else, and decides on them as a test says.
import { type CertificateSigningRequest, type Status, unauthorized } from '@wherry/api';
import { ApiClient, type ApiRequest, type ApiResponse, type Transport } from '@wherry/client';
import type { Clock } from '@wherry/daemon';
import type { TestAuthority } from './certificates.ts';

export type Decision = 'sign' | 'deny' | 'wait' | 'refuse';

export class SigningApi implements Transport {
  readonly requests: CertificateSigningRequest[] = [];
  readonly client = new ApiClient(this);
  decision: Decision = 'sign';
  lifeMs = 1_000_000;
  readonly #authority: TestAuthority;
  readonly #clock: Clock;

  constructor(authority: TestAuthority, clock: Clock) {
    this.#authority = authority;
    this.#clock = clock;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    if (this.decision === 'refuse') return answer(unauthorized().status, 401);
    if (request.method === 'POST') {
      const created: CertificateSigningRequest = JSON.parse(String(request.body));
      this.requests.push({ ...created, metadata: { name: `csr-${this.requests.length}` } });
      return answer(this.requests.at(-1) ?? {}, 201);
    }
    const name = request.path.split('/').at(-1);
    const found = this.requests.find(({ metadata }) => metadata?.name === name);
    return answer({ ...found, status: await this.#decide(found) });
  }

  async close(): Promise<void> {}

  async #decide(request: CertificateSigningRequest | undefined): Promise<CertificateSigningRequest['status']> {
    if (this.decision === 'wait' || request === undefined) return {};
    if (this.decision === 'deny') {
      return { conditions: [{ type: 'Denied', status: 'True', reason: 'Unknown', message: 'nobody knows it' }] };
    }
    const nowMs = Math.floor(this.#clock.now() / 1000) * 1000;
    const text = Buffer.from(request.spec.request, 'base64').toString('utf8');
    const certificate = await this.#authority.sign(text, nowMs, nowMs + this.lifeMs);
    return { certificate: Buffer.from(certificate).toString('base64') };
  }
}

function answer(value: CertificateSigningRequest | Status | object, status = 200): ApiResponse {
  return { status, headers: {}, body: chunk(JSON.stringify(value)) };
}

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
