import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { createMetrics, Health, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { serveGrpc } from '../../packages/store/src/grpc/door.ts';
import { createEtcdApi } from '../../packages/store/src/grpc/etcd-api.ts';
import { replicaDefaults } from '../../packages/store/src/replica/options.ts';
import { Requests } from '../../packages/store/src/server/requests.ts';
import { startStoreServer } from '../../packages/store/src/server/store-server.ts';

/**
 * A member as it is, with one more door: gRPC over TLS for clients without a certificate, because h2load cannot show
 * one. What that leaves out is a part of each handshake, and nothing of any request.
 * Usage: node open-member.ts <pki folder> <data folder> <port>, peers at the next port
 */
const [, , pki = '', dataDir = '', portText = ''] = process.argv;
const port = Number(portText);
const read = (file: string) => readFileSync(`${pki}/etcd/${file}`, 'utf8');
const tls = { ca: read('ca.crt'), cert: read('server.crt'), key: read('server.key') };
const peerUrl = `https://127.0.0.1:${port + 1}`;
const fail = (error: unknown) => {
  throw error;
};
const logger = silentLogger;
const server = await startStoreServer(
  {
    name: 'bench',
    dataDir,
    initialCluster: [{ name: 'bench', peerUrl }],
    initialClusterToken: 'bench',
    listenClientUrls: [`https://127.0.0.1:${port + 2}`],
    advertiseClientUrls: [`https://127.0.0.1:${port + 2}`],
    listenPeerUrl: peerUrl,
    advertisePeerUrls: [peerUrl],
    clientTls: tls,
    peerTls: tls,
    peerCommonName: undefined,
    heartbeatMs: replicaDefaults.heartbeatMs,
    electionMs: replicaDefaults.electionMs,
    quotaBytes: replicaDefaults.quotaBytes,
    snapshotCount: replicaDefaults.snapshotCount,
  },
  {
    pid: process.pid,
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics: createMetrics(),
    health: new Health(),
    onFatal: fail,
  },
);
const { replica } = server;
const refused = async () => ({ refused: 'unimplemented' }) as const;
const requests = new Requests(replica, systemRandom);
const api = createEtcdApi({
  replica,
  requests,
  cluster: {
    status: () => requests.status(),
    memberList: refused,
    memberAdd: refused,
    memberRemove: refused,
    memberUpdate: refused,
    memberPromote: refused,
    moveLeader: refused,
    alarm: refused,
  },
  clock: systemClock,
  logger,
  onRequest: () => undefined,
});
createServer({ cert: tls.cert, key: tls.key, ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' }, (socket) => {
  socket.setNoDelay(true);
  serveGrpc(socket, api);
}).listen(port, '127.0.0.1');
