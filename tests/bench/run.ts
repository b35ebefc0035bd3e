interface Bench {
  /** @param parts which of its parts to run, where it has some; all when there are none */
  readonly run: (parts: readonly string[]) => Promise<void>;
}

/** `npm run bench -- NAME [PART…]`: runs one benchmark of this folder and prints its table. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  balancer: () => import('./balancer.ts'),
  cluster: () => import('./cluster.ts'),
  'managed-fields': () => import('./managed-fields.ts'),
  protobuf: () => import('./protobuf.ts'),
  hollow: () => import('./hollow.ts'),
  failover: () => import('./failover.ts'),
  store: () => import('./store.ts'),
  'store-grpc': () => import('./store-grpc.ts'),
};

const [name = '', ...parts] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`Unknown benchmark "${name}": there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(2);
}
await (await bench()).run(parts);
