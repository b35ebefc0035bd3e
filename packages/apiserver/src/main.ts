import { readFile } from 'node:fs/promises';
import { runDaemon } from '@wherry/daemon';
import { createStoreClient, tlsConnector } from '@wherry/store/client';
import { flags } from './boot/flags.ts';
import { startApiserver } from './boot/start.ts';
import { StoreStorage } from './storage/store-storage.ts';

const platforms: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

runDaemon({
  name: 'kube-apiserver',
  flags,
  start: async (values, host) => {
    const [ca, cert, key] = await Promise.all(
      [values['etcd-cafile'], values['etcd-certfile'], values['etcd-keyfile']].map((path) => readFile(path, 'utf8')),
    );
    const client = createStoreClient({
      endpoints: values['etcd-servers'],
      connector: tlsConnector({ ca: ca ?? '', cert: cert ?? '', key: key ?? '' }),
      clock: host.clock,
      random: host.random,
      logger: host.logger,
    });
    await startApiserver({
      flags: values,
      host,
      storage: new StoreStorage(client, host.clock),
      defer: (fn) => void setImmediate(fn),
      platform: `${process.platform}/${platforms[process.arch] ?? process.arch}`,
      nodeVersion: process.version,
    });
  },
});
