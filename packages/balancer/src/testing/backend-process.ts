// A stand-in for an API server, as a process of its own: tests kill and pause it. Told what to do by its parent.
import { createServer } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { systemClock } from '@wherry/daemon';

/** Between two words of an endless answer. */
const WORD_MS = 20;
/** Slow, but not so slow that it matters. */
const SLOW_MS = 180;

export interface BackendSettings {
  readonly name: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export type BackendOrder = { readonly kind: 'start'; readonly settings: BackendSettings } | BackendBehaviour;

/** How the readiness question is answered; `hang` leaves it open, as a server does that waits for its store. */
export interface BackendBehaviour {
  readonly kind: 'behave';
  readonly readyz: 'ok' | 'slow' | 'fail' | 'hang';
}

let readyz: BackendBehaviour['readyz'] = 'ok';

process.on('message', (order: BackendOrder) => {
  if (order.kind === 'start') start(order.settings);
  else {
    readyz = order.readyz;
    process.send?.({ kind: 'done' });
  }
});
process.on('disconnect', () => process.exit(0));

function start({ name, port, cert, key, ca }: BackendSettings): void {
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    switch (request.url) {
      case '/livez':
        response.end('ok');
        return;
      case '/readyz':
        if (readyz === 'ok') response.end('ok');
        else if (readyz === 'slow') systemClock.setTimer(SLOW_MS, () => response.end('ok'));
        else if (readyz === 'fail')
          response.writeHead(500).end('[+]ping ok\n[-]etcd failed: no leader\nreadyz failed\n');
        return;
      case '/whoami': {
        const subject = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject : undefined;
        response.end(`${name} ${subject?.CN ?? 'nobody'}`);
        return;
      }
      default: {
        const talk = () => {
          if (response.destroyed) return;
          response.write(`${name} `);
          systemClock.setTimer(WORD_MS, talk);
        };
        talk();
      }
    }
  });
  server.on('clientError', (_error, socket) => {
    if (socket instanceof Socket) socket.destroy();
  });
  server.listen(port, '127.0.0.1', () => {
    process.send?.({ kind: 'listening', port: (server.address() as AddressInfo).port });
  });
}
