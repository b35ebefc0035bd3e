// A resolver on loopback that answers from a function; for tests of this package.
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet';
import { firstMessage, framed } from '../forward/exchange.ts';
import type { Upstream } from '../forward/upstreams.ts';

export type UpstreamAnswer = (question: DecodedPacket, protocol: 'udp' | 'tcp') => Packet | undefined;

export interface FakeUpstream extends Upstream {
  /** Each question as `protocol type name`. */
  readonly asked: string[];
  answer: UpstreamAnswer;
  close(): Promise<void>;
}

export async function startFakeUpstream(answer: UpstreamAnswer): Promise<FakeUpstream> {
  const asked: string[] = [];
  const respond = (bytes: Buffer, protocol: 'udp' | 'tcp'): Buffer | undefined => {
    const question = decode(bytes);
    asked.push(`${protocol} ${question.questions?.[0]?.type} ${question.questions?.[0]?.name}`);
    const packet = upstream.answer(question, protocol);
    if (packet === undefined) return undefined;
    return encode({ questions: question.questions, id: question.id, type: 'response', ...packet });
  };
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const message = firstMessage(chunk);
      const response = message === undefined ? undefined : respond(message, 'tcp');
      if (response !== undefined) socket.write(framed(response));
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4');
  udp.on('message', (bytes, from) => {
    const response = respond(bytes, 'udp');
    if (response !== undefined) udp.send(response, from.port, from.address);
  });
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', () => resolve()));
  const upstream: FakeUpstream = {
    address: '127.0.0.1',
    port,
    asked,
    answer,
    close: async () => {
      await new Promise<void>((resolve) => udp.close(resolve));
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
  return upstream;
}
