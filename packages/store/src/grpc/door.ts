import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '@wherry/daemon';
import { GrpcCall } from './call.ts';
import { Connection } from './http2/connection.ts';
import { encodeHeaders } from './http2/hpack.ts';
import type { Stream } from './http2/stream.ts';
import type { GrpcMethod } from './method.ts';
import { PingPolicy } from './ping-policy.ts';
import type { ServiceParts } from './services.ts';
import { grpcCodes, statusOf } from './status.ts';
import { lacksLeader } from './watch-service.ts';

export interface GrpcDoorParts extends Pick<ServiceParts, 'replica'> {
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRequest: () => void;
}

const NOT_GRPC = encodeHeaders([[':status', '415']]);
const NOT_POST = encodeHeaders([[':status', '405']]);

/** One connection of etcd's gRPC API. */
export function serveGrpc(socket: Duplex, parts: GrpcDoorParts): void {
  const { logger, clock } = parts;
  const pings = new PingPolicy(clock);
  const onSent = () => pings.answered();
  new Connection(socket, {
    onStream: (stream) => serveCall(stream, parts, onSent),
    onPing: (busy) => pings.allows(busy),
    onError: (error) => logger.debug({ err: error }, 'gRPC connection failed'),
    nowMs: () => clock.monotonicMs(),
  });
}

function serveCall(stream: Stream, parts: GrpcDoorParts, onSent: () => void): void {
  parts.onRequest();
  const { headers } = stream;
  const verb = headers.get(':method');
  const path = headers.get(':path') ?? '';
  if (verb !== 'POST' || !/^application\/grpc($|[+;])/.test(headers.get('content-type') ?? '')) {
    stream.sendHeaders(verb === 'POST' ? NOT_GRPC : NOT_POST, true);
    return;
  }
  const call = new GrpcCall(stream, parts.logger, onSent);
  const encoding = headers.get('grpc-encoding') ?? 'identity';
  const method = parts.methods.get(path);
  if (encoding !== 'identity') {
    call.finish({ code: grpcCodes.unimplemented, message: `grpc: no decompressor for "${encoding}"` });
  } else if (method === undefined) call.finish({ code: grpcCodes.unimplemented, message: unknownPath(path, parts) });
  else if (lacksLeader(call, parts)) call.finish(statusOf({ refused: 'noLeader' }));
  else call.serve(method(call), parts.clock);
}

function unknownPath(path: string, { methods }: GrpcDoorParts): string {
  const [, service = '', method = ''] = path.split('/');
  const known = [...methods.keys()].some((each) => each.startsWith(`/${service}/`));
  return known ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
}
