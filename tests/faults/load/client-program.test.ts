import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the clients count what is answered, and tell what is refused, broken off or answered badly', async () => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (asked === 3) request.socket.destroy();
    else response.writeHead(asked === 5 ? 503 : 200).end('Hello from a\n');
    if (asked === 12) server.close();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const program = fileURLToPath(new URL('client-program.mjs', import.meta.url));
  const args = [program, `http://127.0.0.1:${port}/`, '20', String(process.pid)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lost: string[] = [];
  let answered = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { kind: string; reason: string; answered: number };
    if (said.kind === 'lost') lost.push(said.reason);
    if (said.kind === 'count') answered += said.answered;
    if (answered >= 10 && lost.length >= 4) break;
  }
  child.kill('SIGKILL');
  expect(answered).toBe(10);
  expect(lost).toEqual(expect.arrayContaining(['ECONNRESET', 'status 503', 'ECONNREFUSED']));
});
