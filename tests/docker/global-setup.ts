import { rmSync } from 'node:fs';
import { cluster } from './shared-cluster.ts';

/** Without an engine, and with none to be had, `up` fails here and so do all tests: nothing is skipped. */
export default async function setUp(): Promise<() => Promise<void>> {
  process.stdout.write(await cluster.up());
  return async () => {
    await cluster.down();
    // Ends only an engine that wherry itself started.
    await cluster.wherryOk(['engine', 'stop']);
    rmSync(cluster.home, { recursive: true, force: true });
  };
}
