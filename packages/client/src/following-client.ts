import { type Clock, type Logger, pause, type Scope } from '@wherry/daemon';
import { ApiClient } from './api/api-client.ts';
import { SwitchingTransport } from './transport/switching-transport.ts';
import { type ServerConnection, undiciTransport } from './transport/undici-transport.ts';

/** Between two looks at the files. Whoever renews a certificate does so long before the old one ends. */
const LOOK_MS = 30_000;

export interface FollowingClientOptions {
  /** Reads the connection from its files. */
  readonly read: () => ServerConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
  readonly connect?: typeof undiciTransport;
}

/**
 * A client whose credentials lie in files that somebody else renews, as a node's kubelet does: it takes up what is new
 * there without a restart. Closes with the scope.
 * @throws what `read` throws, at first; later failures are logged, and what was read before stays
 */
export function createFollowingClient(options: FollowingClientOptions): ApiClient {
  const { read, clock, logger, scope } = options;
  let known = read();
  const transport = new SwitchingTransport(known, clock, options.connect ?? undiciTransport);
  scope.onClose(() => transport.close());
  scope.run('following credentials', async (signal) => {
    while (await pause(clock, LOOK_MS, signal)) {
      try {
        const next = read();
        if (JSON.stringify(next) === JSON.stringify(known)) continue;
        transport.use(next);
        known = next;
        logger.info({ server: next.server }, 'new credentials for the API server');
      } catch (error) {
        logger.warn({ err: error }, 'cannot read the credentials for the API server, keeping those in use');
      }
    }
  });
  return new ApiClient(transport);
}
