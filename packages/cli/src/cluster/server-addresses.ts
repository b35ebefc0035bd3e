import { networkInterfaces } from 'node:os';
import type { Context } from '../context.ts';
import { runProgram } from '../daemons/run-program.ts';
import { Failure } from '../failure.ts';
import { type ClusterConfig, SEVERAL_MAX } from './config.ts';
import { serverAddresses } from './places.ts';
import { serverAddress } from './subnet.ts';

/**
 * Gives this host the addresses of the cluster's API servers, on its loopback interface: there they do not depend on
 * the engine and its bridges, and Linux answers for every address of the host on every link, so nodes reach them too.
 * Addresses that it had for API servers that are no more are taken away.
 * @returns what was added
 */
export async function ensureServerAddresses(context: Context, config: ClusterConfig): Promise<readonly string[]> {
  const wanted = serverAddresses(config);
  if (wanted.length > 0 && context.platform !== 'linux') {
    throw new Failure(
      `Cannot run ${wanted.length} API servers on ${context.platform}: giving each an address of its own takes Linux. Use --apiservers 1`,
    );
  }
  const present = presentAddresses(config);
  await removeAddresses(
    context,
    present.filter((address) => !wanted.includes(address)),
  );
  const missing = wanted.filter((address) => !present.includes(address));
  for (const address of missing) {
    try {
      await runProgram('ip', ['address', 'add', `${address}/32`, 'dev', 'lo'], context);
    } catch (cause) {
      throw new Failure(
        `Cannot give an API server the address ${address}: several API servers take root's rights and the program "ip"`,
        { cause },
      );
    }
  }
  return missing;
}

/** Takes away all addresses that API servers of this cluster had. */
export async function removeServerAddresses(context: Context, config: ClusterConfig): Promise<void> {
  await removeAddresses(context, presentAddresses(config));
}

export async function removeAddresses(context: Context, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) await runProgram('ip', ['address', 'delete', `${address}/32`, 'dev', 'lo'], context);
}

/** Those of the cluster's possible server addresses that this host has. */
function presentAddresses({ subnet }: ClusterConfig): readonly string[] {
  if (subnet === undefined) return [];
  const own = new Set((networkInterfaces()['lo'] ?? []).map(({ address }) => address));
  return Array.from({ length: SEVERAL_MAX }, (_, index) => serverAddress(subnet, index)).filter((one) => own.has(one));
}
