import type { ApiRequest, ApiResponse, Transport } from '../transport/transport.ts';

type Answer = (request: ApiRequest) => ApiResponse | Promise<ApiResponse> | undefined;

/** A transport that answers from a function and remembers what it was asked; for tests of this package. */
export class ScriptedTransport implements Transport {
  readonly requests: ApiRequest[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(request);
    const response = await this.#answer(request);
    if (response === undefined) throw new Error(`Connection refused: ${request.method} ${request.path}`);
    return response;
  }

  async close(): Promise<void> {}
}

export function json(value: unknown, status = 200): ApiResponse {
  return { status, headers: {}, body: chunksOf(JSON.stringify(value)) };
}

/** A watch stream that the test feeds event by event. */
export class FedStream {
  #wake = Promise.withResolvers<void>();
  readonly #chunks: Uint8Array[] = [];
  #ended = false;

  send(type: string, object: unknown): void {
    this.#chunks.push(Buffer.from(`${JSON.stringify({ type, object })}\n`));
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  response(signal?: AbortSignal): ApiResponse {
    signal?.addEventListener('abort', () => this.end());
    return { status: 200, headers: {}, body: this.#body() };
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (const chunk of this.#chunks.splice(0)) yield chunk;
      if (this.#ended) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
