import type { Socket } from 'node:net';
import { isHandshake } from './handshake.ts';

/** What a client says before it is answered: a ClientHello with long keys fits several times. */
const GREETING_BYTES_MAX = 16 * 1024;

export interface OpeningEvents {
  /** The two belong together from now on: the backend has spoken, or what was sent must not be sent twice. */
  readonly onCommitted: () => void;
  /** The backend went away without a word: another may be given `greeting`. */
  readonly onLost: (greeting: Buffer) => void;
}

export interface Opening {
  /** Stops listening, to both. @returns what the client has said so far */
  release(): Buffer;
}

/**
 * The time between the connection to a backend and its first byte. The kernel accepts for a server that is paused or about
 * to be killed, so being connected proves nothing; but as long as a client has sent no more than the beginning of a TLS
 * handshake, and has got nothing, no request can have been carried out and another backend may be asked instead.
 * @param greeting what an earlier backend was told in vain
 */
export function openWith(client: Socket, backend: Socket, greeting: Buffer, events: OpeningEvents): Opening {
  let said = greeting;
  const release = (): Buffer => {
    client.off('data', onSaid).off('end', commit).pause();
    backend.off('data', onFirst).off('end', onLost).off('error', onLost).pause();
    return said;
  };
  const commit = () => {
    release();
    events.onCommitted();
  };
  const onLost = () => events.onLost(release());
  const onFirst = (first: Buffer) => {
    backend.pause();
    backend.unshift(first);
    commit();
  };
  const onSaid = (more: Buffer) => {
    said = said.length === 0 ? more : Buffer.concat([said, more]);
    backend.write(more);
    if (said.length > GREETING_BYTES_MAX || !isHandshake(said)) commit();
  };
  backend.on('data', onFirst).on('end', onLost).on('error', onLost);
  client.on('data', onSaid).on('end', commit);
  if (said.length > 0) backend.write(said);
  client.resume();
  return { release };
}
