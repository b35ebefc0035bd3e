import type { ApiObject, Scale } from '@wherry/api';
import { objectPath, readBody } from '@wherry/client';
import type { CommandDefinition } from '../context.ts';
import { Failure } from '../failure.ts';
import { parseNames } from '../kube/selection.ts';
import { type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { displayName } from '../printers/printer.ts';

interface ScaleFlags extends TargetFlags {
  readonly replicas: string;
  readonly currentReplicas?: string;
}

export const scaleCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('scale'))
    .description('Set the number of pods: wherry scale deployment/web --replicas=5')
    .argument('<type>', 'type, or type/name')
    .argument('[names...]')
    .requiredOption('--replicas <count>', 'the new number')
    .option('--current-replicas <count>', 'only if this is the number now')
    .action((type: string, names: readonly string[], flags: ScaleFlags) =>
      withSession(context, flags, async ({ client, discovery, namespace }) => {
        const replicas = Number(flags.replicas);
        if (!Number.isInteger(replicas) || replicas < 0)
          throw new Failure(`--replicas is "${flags.replicas}", must be a whole number from 0`);
        for (const { resource, name } of await parseNames([type, ...names], discovery)) {
          const path = objectPath(resource, name, namespace, 'scale');
          const scale = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } });
          const current = JSON.parse((await readBody(scale)).toString('utf8')) as Scale;
          const now = current.spec?.replicas ?? 0;
          if (flags.currentReplicas !== undefined && Number(flags.currentReplicas) !== now) {
            throw new Failure(`Expected replicas to be ${flags.currentReplicas}, was ${now}`);
          }
          await client.patch<ApiObject>(
            resource,
            name,
            { spec: { replicas } },
            { namespace, subresource: 'scale', type: 'merge' },
          );
          context.terminal.out(`${displayName(resource, name)} scaled`);
        }
      }),
    );
};
