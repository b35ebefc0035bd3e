import { readFile } from 'node:fs/promises';
import { range } from '../mvcc/range.ts';
import { isRefusal } from '../mvcc/refusal.ts';
import { parseInitialCluster } from '../server/identity.ts';
import { BackupFile } from './backup-file.ts';
import { askLeader, changeMembers, moveLeader, statusOfAll } from './cluster-orders.ts';
import { GrpcClient } from './grpc-client.ts';
import type { Connection, Order, OrderOf } from './orders.ts';
import { restoreMember } from './restore.ts';
import { saveSnapshot } from './save.ts';

/**
 * Does what an operator asks for. @param text an Order as JSON
 * @returns the result, or `{ error }` with a sentence for the operator
 */
export async function operate(text: string): Promise<object> {
  const order = JSON.parse(text) as Order;
  try {
    return await carryOut(order);
  } catch (error) {
    if (error instanceof Error) return { error: error.message };
    throw error;
  }
}

async function carryOut(order: Order): Promise<object> {
  switch (order.kind) {
    case 'snapshotStatus': {
      await using backup = await BackupFile.open(order.file, order.skipHashCheck);
      return await backup.status();
    }
    case 'snapshotRestore':
      return restore(order);
    case 'status':
      return withClients(order.connection, statusOfAll);
    case 'snapshotSave':
      return withClients(order.connection, (clients) => saveSnapshot(clients, order.file));
    case 'moveLeader':
      return withClients(order.connection, (clients) => moveLeader(clients, order.member));
    case 'memberList':
    case 'memberAdd':
    case 'memberRemove':
    case 'memberUpdate':
    case 'memberPromote':
      return withClients(order.connection, (clients) => askLeader(clients, (client) => changeMembers(client, order)));
  }
}

async function withClients(
  { endpoints, ca, cert, key }: Connection,
  work: (clients: readonly GrpcClient[]) => Promise<object>,
): Promise<object> {
  const [caText = '', certText = '', keyText = ''] = await Promise.all(
    [ca, cert, key].map((path) => readFile(path, 'utf8')),
  );
  const clients = endpoints.map((url) => new GrpcClient({ url, ca: caText, cert: certText, key: keyText }));
  try {
    return await work(clients);
  } finally {
    for (const client of clients) client.close();
  }
}

async function restore(order: OrderOf<'snapshotRestore'>): Promise<object> {
  const { file, members, initialCluster: text, initialClusterToken, bumpRevisions, skipHashCheck } = order;
  const initialCluster = parseInitialCluster(text);
  await using backup = await BackupFile.open(file, skipHashCheck);
  const mvcc = await backup.restore(bumpRevisions);
  for (const { name, dataDir } of members) {
    await restoreMember(mvcc, { name, dataDir, initialCluster, initialClusterToken });
  }
  const everything = range(mvcc, { key: '\0', rangeEnd: '\0', countOnly: true });
  const keys = isRefusal(everything) ? 0 : everything.count;
  return { revision: mvcc.revision, compactRevision: mvcc.compactRevision, keys, leases: mvcc.leases.size };
}
