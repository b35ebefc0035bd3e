import { runDaemon } from '@wherry/daemon';
import { createMemoryStore } from '@wherry/store/client';
import { flags } from './boot/flags.ts';
import { startApiserver } from './boot/start.ts';
import { StoreStorage } from './storage/store-storage.ts';
const { 'etcd-servers': _a, 'etcd-cafile': _b, 'etcd-certfile': _c, 'etcd-keyfile': _d, ...rest } = flags;
runDaemon({ name: 'kube-apiserver', flags: rest, start: async (f, host) => {
  await startApiserver({ flags: f as never, host, storage: new StoreStorage(createMemoryStore({ clock: host.clock }), host.clock), defer: (fn) => void setImmediate(fn), platform: 'linux/amd64', nodeVersion: process.version });
}});
