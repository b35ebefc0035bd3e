// At most so many requests under way: each holds a connection, which costs the API server more memory than a node does.
import type { Transport } from '@wherry/client';
import { Gate } from '../runtime/gate.ts';

/** A watch counts until its answer begins. */
export function boundedTransport(transport: Transport, requestsMax: number): Transport {
  const gate = new Gate(requestsMax);
  return {
    request: (request) => gate.run(() => transport.request(request)),
    close: () => transport.close(),
  };
}
