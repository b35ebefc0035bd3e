import { WebSocket } from 'ws';
import type { Session } from './session.ts';
import { VerbError } from './verb-error.ts';

/** Opens a WebSocket to the API server as the session's user. Refusals are for `refusalOf` to read. */
export function openSocket({ connection, headers }: Session, path: string, protocols: readonly string[]): WebSocket {
  const { ca, cert, key, token, tlsServerName } = connection;
  return new WebSocket(connection.server.replace(/^http/, 'ws') + path, [...protocols], {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
  });
}

/** Calls back with the reason when the server does not open the socket. */
export function onRefused(socket: WebSocket, refuse: (error: Error) => void): void {
  socket.on('unexpected-response', (_, response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => refuse(refusalOf(text, response.statusCode ?? 0)));
  });
  socket.on('error', (cause) => refuse(new VerbError(`error dialing the server: ${cause.message}`, { cause })));
}

function refusalOf(text: string, code: number): Error {
  try {
    const status = JSON.parse(text) as { readonly kind?: string; readonly message?: string; readonly reason?: string };
    if (status.kind === 'Status') {
      const reason = status.reason === undefined ? '' : ` (${status.reason})`;
      return new VerbError(`Error from server${reason}: ${status.message ?? text}`, { plain: true });
    }
  } catch {
    // Not a Status: the text itself is shown.
  }
  // A kubelet says what is wrong in plain text.
  return new VerbError(`Error from server: ${text === '' ? `status ${code}` : text}`, { plain: true });
}
