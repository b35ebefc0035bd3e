/** A TCP address as flags give it; `host` is a name or an address without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** As it is written in logs and metrics: `host:port`, IPv6 in brackets. */
  readonly text: string;
}

/** @returns undefined when the text is no `host:port` (`[host]:port` for IPv6) or the port is out of range */
export function parseAddress(text: string, portMin = 1): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < portMin || port > 65_535) return undefined;
  return { host, port, text: formatAddress(host, port) };
}

export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
