// Asks a URL many times a second, each time over a new connection, and prints a JSON line for each answer that did not
// come, and a count of the others once a second. Run inside a pod's network namespace, with the process id of its node's:
//   node client-program.mjs <url> <everyMs> <pid of the node's anchor>
import { execFile } from 'node:child_process';
import { request } from 'node:http';

const [url, everyMs, anchorPid] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
/** Longer than a lost SYN takes to be sent again twice (1 s and 3 s). */
const ANSWER_MS_MAX = 5_000;
const SLOW_MS = 900;

let answered = 0;
let longestMs = 0;

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Chosen by us, so that it is known of refused connections too. Used again only long after the kernel forgot the last. */
const PORTS = { first: 15_000, count: 40_000 };
let asks = 0;

/** Where the node led a connection: the endpoint's address stands in its connection table. */
function endpointOf(port) {
  const find = ['conntrack', '-L', '-p', 'tcp', '--orig-port-src', String(port)];
  return new Promise((resolve) => {
    execFile('nsenter', [`--net=/proc/${anchorPid}/ns/net`, '--', ...find], (_error, stdout) => {
      resolve(stdout.match(/src=\S+/g)?.[1]?.slice(4));
    });
  });
}

function ask() {
  const sentMs = Date.now();
  const port = PORTS.first + (asks++ % PORTS.count);
  let done = false;
  const failed = async (reason) => {
    if (done) return;
    done = true;
    const tookMs = Date.now() - sentMs;
    print({ kind: 'lost', sentMs, tookMs, reason, port, endpoint: await endpointOf(port) });
  };
  const asked = request(
    url,
    { agent: false, localPort: port, signal: AbortSignal.timeout(ANSWER_MS_MAX) },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', (error) => failed(error.message));
      response.on('end', () => {
        if (response.statusCode !== 200) return failed(`status ${response.statusCode}`);
        if (done) return;
        done = true;
        const tookMs = Date.now() - sentMs;
        answered += 1;
        longestMs = Math.max(longestMs, tookMs);
        const pod = /^Hello from (\S+)/.exec(text)?.[1] ?? text.slice(0, 40);
        if (tookMs > SLOW_MS) print({ kind: 'slow', sentMs, tookMs, pod });
      });
    },
  );
  asked.on('error', (error) => failed(error.code ?? error.message));
  asked.end();
}

setInterval(ask, everyMs);
setInterval(() => {
  print({ kind: 'count', answered, longestMs });
  answered = 0;
  longestMs = 0;
}, 1_000);
