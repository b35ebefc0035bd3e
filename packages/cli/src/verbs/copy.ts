import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

export interface CopyFlags extends TargetFlags {
  readonly container?: string;
  readonly preserve: boolean;
}

export const copyCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('cp'))
    .description(
      'Copy files to and from containers (which need tar): wherry cp ./site web-1:/srv, cp web-1:/var/log ./log',
    )
    .argument('<from>', 'path here, or [NAMESPACE/]POD:PATH')
    .argument('<to>', 'path here, or [NAMESPACE/]POD:PATH')
    .option('-c, --container <name>', 'which container')
    .option('--no-preserve', 'files get the owner and rights of whoever unpacks them')
    .action(async (from: string, to: string, flags: CopyFlags) =>
      (await import('./work/copy.ts')).copy(context, from, to, flags),
    );
};
