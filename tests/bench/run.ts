/** `npm run bench -- NAME`: runs one benchmark of this folder and prints its table. */
const benches: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<void> }>>> = {
  balancer: () => import('./balancer.ts'),
  'managed-fields': () => import('./managed-fields.ts'),
  protobuf: () => import('./protobuf.ts'),
  hollow: () => import('./hollow.ts'),
  failover: () => import('./failover.ts'),
  store: () => import('./store.ts'),
  'store-grpc': () => import('./store-grpc.ts'),
};

const [name = ''] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`Unknown benchmark "${name}": there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(2);
}
await (await bench()).run();
