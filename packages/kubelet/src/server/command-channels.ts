// exec and attach over a WebSocket with upstream's channel protocol: the first byte of a message names the stream.
// v4: 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize; v5 adds 255, which closes a stream.
import type { RawData, WebSocket } from 'ws';
import type { CommandClient, CommandInput, RemoteStreams } from './remote-command.ts';

export const commandChannelProtocols: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Bytes that may wait for a slow client before the process is held back. */
const bufferedBytesMax = 1 << 20;

export function send(socket: WebSocket, number: number, payload: Uint8Array): Promise<void> {
  const message = Buffer.allocUnsafe(payload.length + 1);
  message[0] = number;
  message.set(payload, 1);
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) {
      resolve();
      return;
    }
    const held = socket.bufferedAmount > bufferedBytesMax;
    // The callback comes once the bytes are with the kernel; waiting for each message would cost a turn each.
    socket.send(message, { binary: true }, held ? () => resolve() : undefined);
    if (!held) resolve();
  });
}

export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

/** Greets with an empty message, which tells the client that the connection stands, as upstream's server does. */
export async function channelClient(socket: WebSocket, streams: RemoteStreams): Promise<CommandClient> {
  const first = streams.stdout ? channel.stdout : streams.stderr ? channel.stderr : channel.error;
  const client: CommandClient = {
    get open() {
      return socket.readyState === socket.OPEN;
    },
    listen: (input) => listen(socket, input),
    resume: () => socket.resume(),
    send: (stream, payload) => send(socket, channel[stream], payload),
    close: () => Promise.resolve(socket.close(1000)),
  };
  await send(socket, first, new Uint8Array());
  return client;
}

function listen(socket: WebSocket, input: CommandInput): void {
  socket.on('message', (data: RawData) => {
    const message = bytesOf(data);
    const payload = message.subarray(1);
    switch (message[0]) {
      case channel.stdin:
        if (!input.stdin(payload)) socket.pause();
        break;
      case channel.resize:
        input.resize(payload);
        break;
      case channel.close:
        if (payload[0] === channel.stdin) input.stdinEnd();
        break;
      default:
        break;
    }
  });
  socket.on('close', () => input.gone());
}
