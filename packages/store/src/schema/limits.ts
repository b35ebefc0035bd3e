/** Largest request, etcd's --max-request-bytes. */
export const REQUEST_BYTES_MAX = 1.5 * 1024 * 1024;
/** What a request frame may take beside its payload. */
export const REQUEST_FRAME_BYTES_MAX = REQUEST_BYTES_MAX + 512 * 1024;
/** Largest response; beyond it a range is refused and has to be read with a limit. */
export const RESPONSE_BYTES_MAX = 128 << 20;
/** Requests of one connection that wait for their answer. */
export const CONNECTION_REQUESTS_MAX = 8192;
/** Watches on one connection. */
export const CONNECTION_WATCHES_MAX = 10_000;
/** Batches sent to a watch that its reader has not taken: beyond it the watch waits and catches up from history. */
export const WATCH_WINDOW_BATCHES = 64;
/** Bytes waiting in a connection's socket above which watches wait and no more requests are read. */
export const CONNECTION_OUT_BYTES_MAX = 8 << 20;
/** How long a member keeps a client waiting that asks for a new leader. */
export const LEADER_WAIT_MS = 250;
/** How often a watch that asked for it hears that nothing happened. */
export const PROGRESS_INTERVAL_MS = 5_000;
/** Name of our door in the TLS handshake (ALPN); leaves `h2` for etcd's gRPC API on the same port. */
export const CLIENT_PROTOCOL = 'wherry-store/1';
export const PEER_PROTOCOL = 'wherry-peer/2';
/** The same in etcd's gRPC API. */
export const GRPC_PROTOCOL = 'h2';
/** Calls open at once on one gRPC connection. */
export const GRPC_CALLS_MAX = 8192;
/** Bytes waiting in one gRPC call above which its watches wait. */
export const GRPC_CALL_OUT_BYTES_MAX = 2 << 20;
/** A gRPC client may not ping more often than this (etcd's --grpc-keepalive-min-time). */
export const GRPC_PING_INTERVAL_MS_MIN = 5_000;
