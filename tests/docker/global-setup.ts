import { cluster } from './shared-cluster.ts';

export default async function setUp(): Promise<() => Promise<void>> {
  process.stdout.write(await cluster.up());
  return () => cluster.down();
}
