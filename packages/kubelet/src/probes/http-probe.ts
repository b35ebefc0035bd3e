// HTTP requests of probes and lifecycle hooks: no connection is kept, no certificate checked (upstream).
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Container, HTTPGetAction } from '@wherry/api';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;

/** Number of a port given by number or by the name of one of the container's ports. @throws Error if there is none */
export function portNumber(container: Container, port: number | string): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((one) => one.name === port)?.containerPort;
  const value = named ?? Number(port);
  if (!Number.isInteger(value) || value <= 0 || value > 65_535) throw new Error(`couldn't find port: ${port}`);
  return value;
}

export type HttpGet = typeof httpGet;

export function httpUrl(action: HTTPGetAction, container: Container, podIp: string): URL {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const host = action.host ? action.host : podIp;
  const path = action.path ?? '/';
  const base = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${portNumber(container, action.port)}`;
  return new URL(path.startsWith('/') ? base + path : `${base}/${path}`);
}

export function httpHeaders(action: HTTPGetAction): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.35', accept: '*/*', connection: 'close' };
  for (const header of action.httpHeaders ?? []) headers[header.name.toLowerCase()] = header.value;
  return headers;
}

function getOnce(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, { headers, signal, agent: false, rejectUnauthorized: false }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).subarray(0, bodyBytesMax).toString('utf8'),
          location: response.headers.location,
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < bodyBytesMax) return;
        done();
        response.destroy();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}

/** GET that follows redirects on the same host; one that leads elsewhere is an answer in itself. */
export async function httpGet(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let current = url;
  for (let hop = 0; ; hop++) {
    const answer = await getOnce(current, headers, signal);
    if (answer.status < 300 || answer.status >= 400 || answer.location === undefined) return answer;
    const next = new URL(answer.location, current);
    if (next.hostname !== url.hostname) return answer;
    if (hop >= redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
    current = next;
  }
}
