// The sample workload: says which pod answered. `wherry up` makes the images wherry/echo:1 and wherry/echo:2 of it.
import { createServer } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const port = Number(process.env.PORT ?? 8080);
const version = process.env.VERSION ?? 'none';
const address = Object.values(networkInterfaces())
  .flat()
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const greeting = `Hello from ${hostname()} (${address ?? 'no address'})${process.env.NODE_NAME ? ` on ${process.env.NODE_NAME}` : ''}, version ${version}\n`;

/** After SIGTERM, new connections are taken for this long: every proxy needs a moment to learn that this pod is leaving. */
const LINGER_MS = 5000;
/** Then, what is still being answered may take this long. */
const DRAIN_MS_MAX = 15000;

let leaving = false;

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://echo');
  // Tells a client that keeps its connection to open the next one elsewhere, instead of cutting it off.
  if (leaving) response.setHeader('connection', 'close');
  if (url.pathname === '/healthz') {
    response.writeHead(leaving ? 503 : 200).end(leaving ? 'leaving\n' : 'ok\n');
    return;
  }
  const delayMs = Number(url.searchParams.get('delay') ?? 0);
  if (delayMs > 0) await sleep(delayMs);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(greeting);
});
// Longer than clients keep theirs: the side that sends requests should be the one that closes.
server.keepAliveTimeout = 120_000;
server.listen(port, () => console.log(JSON.stringify({ msg: 'listening', port, version })));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    leaving = true;
    console.log(JSON.stringify({ msg: 'leaving', signal }));
    await sleep(LINGER_MS);
    server.close(() => process.exit(0));
    await sleep(DRAIN_MS_MAX, undefined, { ref: false });
    server.closeAllConnections();
  });
}
