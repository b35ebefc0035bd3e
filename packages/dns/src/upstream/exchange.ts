import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock, Random } from '@wherry/daemon';
import { idOf, isTruncated, questionOf } from '../zone/wire.ts';

const PORT = 53;

export interface Server {
  readonly address: string;
  /** @default 53 */
  readonly port?: number;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
}

/** Asks one server over UDP, and again over TCP when the answer was cut short. @throws when no answer comes in time */
export async function exchange(query: Uint8Array, server: Server, options: ExchangeOptions): Promise<Uint8Array> {
  const message = query.slice();
  // An id of our own from a socket of its own: whoever wants to forge an answer must guess both.
  new DataView(message.buffer).setUint16(0, options.random.integer(0x10000));
  const answer = await overUdp(message, server, options);
  return isTruncated(answer) ? overTcp(message, server, options) : answer;
}

function overUdp(message: Uint8Array, server: Server, { clock, timeoutMs }: ExchangeOptions): Promise<Uint8Array> {
  const { address, port = PORT } = server;
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const end = (finish: () => void) => {
      timer.cancel();
      socket.close();
      finish();
    };
    const timer = clock.setTimer(timeoutMs, () =>
      end(() => reject(new Error(`No answer from ${address} in ${timeoutMs} ms`))),
    );
    socket.once('error', (cause) => end(() => reject(new Error(`Cannot ask ${address}: ${cause.message}`, { cause }))));
    socket.on('message', (answer) => {
      if (!answers(answer, message)) return;
      end(() => resolve(answer));
    });
    socket.connect(port, address, () => socket.send(message));
  });
}

function overTcp(message: Uint8Array, server: Server, { clock, timeoutMs }: ExchangeOptions): Promise<Uint8Array> {
  const { address, port = PORT } = server;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    let received = Buffer.alloc(0);
    const end = (finish: () => void) => {
      timer.cancel();
      socket.destroy();
      finish();
    };
    const fail = (why: string, cause?: Error) =>
      end(() => reject(new Error(`Cannot ask ${address} over TCP: ${why}`, { cause })));
    const timer = clock.setTimer(timeoutMs, () => fail(`no answer in ${timeoutMs} ms`));
    socket.once('error', (cause) => fail(cause.message, cause));
    socket.once('end', () => fail('connection ended early'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      if (answers(answer, message)) end(() => resolve(answer));
      else fail('the answer is to another question');
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.byteLength);
    socket.write(Buffer.concat([length, message]));
  });
}

/** Same id, same question, and marked as an answer. */
function answers(answer: Uint8Array, query: Uint8Array): boolean {
  const asked = questionOf(query);
  const answered = questionOf(answer);
  if (answer.byteLength < 12 || idOf(answer) !== idOf(query) || ((answer[2] ?? 0) & 0x80) === 0) return false;
  // Some servers leave the question out of a refusal.
  return answered === undefined || (answered.name === asked?.name && answered.type === asked.type);
}
