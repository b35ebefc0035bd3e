import { ApiClient } from './api/api-client.ts';
import { type ServerConnection, undiciTransport } from './transport/undici-transport.ts';

/** A client of the API server at `connection.server`; close it when done. */
export function createClient(connection: ServerConnection): ApiClient {
  return new ApiClient(undiciTransport(connection));
}
