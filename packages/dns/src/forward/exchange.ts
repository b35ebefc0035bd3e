import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '@wherry/daemon';
import type { Upstream } from './upstreams.ts';

export interface ExchangeOptions {
  readonly upstream: Upstream;
  readonly request: Buffer;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Says whether a message is the answer; others are skipped over UDP and end the exchange over TCP. */
  readonly accepts: (response: Buffer) => boolean;
}

/** One question over UDP, from a socket (and so a port) of its own: guessing both port and id is hard. */
export function exchangeUdp({ upstream, request, timeoutMs, clock, accepts }: ExchangeOptions): Promise<Buffer> {
  const where = `${upstream.address}:${upstream.port}`;
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(upstream.address.replace(/%.*$/, '')) ? 'udp6' : 'udp4');
    let ended = false;
    const end = (act: () => void) => {
      if (ended) return;
      ended = true;
      timer.cancel();
      socket.close();
      act();
    };
    const fail = (why: string, cause?: Error) =>
      end(() => reject(new Error(`Cannot ask ${where} over UDP: ${why}`, { cause })));
    const timer = clock.setTimer(timeoutMs, () => fail(`no answer in ${timeoutMs} ms`));
    socket.on('error', (cause) => fail(cause.message, cause));
    socket.on('message', (response) => {
      if (accepts(response)) end(() => resolve(response));
    });
    // Connected: the kernel drops what others send, and reports an upstream that refuses at once.
    socket.once('connect', () => socket.send(request));
    socket.connect(upstream.port, upstream.address);
  });
}

/** One question over a TCP connection of its own, for answers too large for UDP. */
export function exchangeTcp({ upstream, request, timeoutMs, clock, accepts }: ExchangeOptions): Promise<Buffer> {
  const where = `${upstream.address}:${upstream.port}`;
  return new Promise((resolve, reject) => {
    const socket = connect(upstream.port, upstream.address);
    const fail = (why: string, cause?: Error) => {
      timer.cancel();
      socket.destroy();
      reject(new Error(`Cannot ask ${where} over TCP: ${why}`, { cause }));
    };
    const timer = clock.setTimer(timeoutMs, () => fail(`no answer in ${timeoutMs} ms`));
    let received = Buffer.alloc(0);
    socket.on('error', (cause) => fail(cause.message, cause));
    socket.on('end', () => fail('connection closed'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      // A length of two bytes bounds what is collected here.
      const message = firstMessage(received);
      if (message === undefined) return;
      if (!accepts(message)) {
        fail('the answer is to another question');
        return;
      }
      timer.cancel();
      socket.destroy();
      resolve(message);
    });
    socket.on('connect', () => socket.write(framed(request)));
  });
}

/** A message as TCP carries it: with its length before it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The first complete message in a TCP stream's bytes; `2 + length` of them are used up. */
export function firstMessage(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 2) return undefined;
  const end = 2 + bytes.readUInt16BE(0);
  return bytes.length < end ? undefined : bytes.subarray(2, end);
}
