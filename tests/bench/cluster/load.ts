/**
 * A client process: `load.ts HOST PORT RATE`. It sends so many requests a second, whether or not the ones before were
 * answered, until SIGTERM; then it prints what became of them. HOST may be a name of Docker's DNS.
 */
import { Resolver } from 'node:dns/promises';
import { Agent, request } from 'node:http';
import { isIP } from 'node:net';

const TICK_MS = 5;
const ANSWER_MS_MAX = 5_000;
/** One of so many requests ends its connection: new ones and kept ones both meet the update. */
const REQUESTS_PER_CONNECTION = 20;
/** Docker's answer changes with the update; asked this often, it is never much older than its client's cache would be. */
const LOOKUP_EVERY_MS = 100;

const [host = '', port = '', rate = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 512, scheduling: 'fifo' });
const failures: Record<string, number> = {};
let sent = 0;
let done = 0;
let addresses: readonly string[] = [host];

if (isIP(host) === 0) {
  const resolver = new Resolver();
  resolver.setServers(['127.0.0.11']);
  const look = async (): Promise<void> => {
    addresses = await resolver.resolve4(host);
  };
  await look();
  setInterval(() => void look().catch(() => undefined), LOOKUP_EVERY_MS);
}

const startMs = performance.now();
const ticking = setInterval(() => {
  const due = Math.floor(((performance.now() - startMs) / 1000) * Number(rate));
  while (sent < due) send();
}, TICK_MS);

function send(): void {
  const address = addresses[sent++ % addresses.length] ?? host;
  const headers = sent % REQUESTS_PER_CONNECTION === 0 ? { connection: 'close' } : {};
  const target = { host: address, port: Number(port), path: '/', agent, headers, timeout: ANSWER_MS_MAX };
  const outgoing = request(target, (response) => {
    response.resume();
    response.on('end', () => finish(response.statusCode === 200 ? undefined : `status ${response.statusCode}`));
    response.on('error', (error) => finish(error.message));
  });
  let finished = false;
  const finish = (problem: string | undefined): void => {
    if (finished) return;
    finished = true;
    done++;
    if (problem !== undefined) failures[problem] = (failures[problem] ?? 0) + 1;
  };
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
  outgoing.on('error', (error) => finish('code' in error ? String(error.code) : error.message));
  outgoing.end();
}

process.on('SIGTERM', () => {
  clearInterval(ticking);
  const deadlineMs = performance.now() + 2 * ANSWER_MS_MAX;
  setInterval(() => {
    if (done < sent && performance.now() < deadlineMs) return;
    process.stdout.write(`${JSON.stringify({ sent, unanswered: sent - done, failures })}\n`);
    process.exit(0);
  }, 20);
});
process.stdout.write('ready\n');
