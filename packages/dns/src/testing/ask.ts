// A DNS client over real sockets, for tests of this package.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode, type Packet, type RecordType } from 'dns-packet';
import { firstMessage, framed } from '../forward/exchange.ts';
import { rcodeName } from '../wire/types.ts';

export function question(type: RecordType, name: string, more: Packet = {}): Buffer {
  return encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ type, name, class: 'IN' }], ...more });
}

export function opt(udpPayloadSize: number, ednsVersion = 0): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

export function askUdp(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.on('message', (response) => {
      socket.close();
      resolve(response);
    });
    socket.send(request, port, '127.0.0.1');
  });
}

/** Sends all requests at once. @returns as many responses, in the order they came */
export function askTcp(port: number, ...requests: readonly Buffer[]): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const responses: Buffer[] = [];
    let received = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => socket.end(Buffer.concat(requests.map(framed))));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let next = firstMessage(received); next !== undefined; next = firstMessage(received)) {
        responses.push(next);
        received = received.subarray(2 + next.length);
      }
    });
    socket.on('close', () => resolve(responses));
  });
}

/** `RCODE flags | answers | authorities`, and `#id` when it is not the usual one. */
export function summary(bytes: Buffer): string {
  const packet: DecodedPacket = decode(bytes);
  const flags = [packet.flag_aa && 'aa', packet.flag_tc && 'tc', packet.flag_rd && 'rd', packet.flag_ra && 'ra'];
  const id = packet.id === 4711 ? '' : `#${packet.id} `;
  const status = `${id}${rcodeName((packet.flags ?? 0) & 0xf)} ${flags.filter((flag) => flag !== false).join(' ')}`;
  return [status, sectionText(packet.answers), sectionText(packet.authorities)].join(' | ');
}

function sectionText(records: readonly Answer[] = []): string {
  return records
    .filter(({ type }) => type !== 'OPT')
    .map((record) => {
      if (!('data' in record)) return record.type;
      const ttl = record.ttl ?? 0;
      return `${record.type} ${ttl} ${typeof record.data === 'string' ? record.data : record.name}`;
    })
    .join(', ');
}
