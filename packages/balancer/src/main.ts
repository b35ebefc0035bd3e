import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type FlagValues, Health, type Host, runDaemon, startOpsServer } from '@wherry/daemon';
import { flags, readConfig } from './config/config.ts';
import { assemble } from './server/assemble.ts';

runDaemon({ name: 'balancer', flags, start });

async function start(values: FlagValues<typeof flags>, host: Host): Promise<void> {
  const { metrics, scope } = host;
  const config = readConfig(values);
  const { pool, balancer } = assemble(config, values, readAuthority(values['backend-ca-file']), host);
  const health = new Health();
  health.addReady('backends', () => pool.problem);
  health.addReady('shutdown', () => (scope.signal.aborted ? 'process is shutting down' : undefined));
  const ops = await startOpsServer({ host: config.health.host, port: config.health.port, health, metrics });
  scope.onClose(() => ops.close());
  await balancer.listen();
  scope.onClose(() => balancer.close(config.graceMs));
}

/** A wrong file would else only be noticed as backends that are never ready. */
function readAuthority(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new Error(`Cannot read the authority in --backend-ca-file ${path}`, { cause });
  }
}
