/** RFC 8446, section 5.1: type, version and length come before each record. */
const HEADER_BYTES = 5;
const HANDSHAKE = 22;

/** Whether these are only (parts of) handshake records of TLS, so that no application data can be among them. */
export function isHandshake(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== HANDSHAKE) return false;
    at += HEADER_BYTES + ((bytes[at + 3] ?? 0) << 8) + (bytes[at + 4] ?? 0);
  }
  return true;
}
