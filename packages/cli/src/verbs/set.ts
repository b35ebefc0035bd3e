import type { CommandDefinition } from '../context.ts';
import {
  collectWhole,
  type FileFlags,
  type SelectorFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withSelector,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface SetFlags extends TargetFlags, FileFlags, SelectorFlags, WriteFlags {}
export interface SetEnvFlags extends SetFlags {
  readonly env?: readonly string[];
  readonly containers: string;
  readonly list?: boolean;
  readonly overwrite: boolean;
}
export interface SetResourcesFlags extends SetFlags {
  readonly limits?: string;
  readonly requests?: string;
  readonly containers: string;
}

export const setCommand: CommandDefinition = (parent, context) => {
  const set = parent
    .command('set')
    .description('Change one thing of a workload: image, env, resources or serviceaccount');
  const work = () => import('./work/set.ts');
  const define = (name: string, description: string) =>
    withWrite(withSelector(withFiles(withTarget(set.command(name)))))
      .description(description)
      .argument('[words...]', 'type/name or type and names, then what to set');
  define('image', 'Change images: wherry set image deployment/web web=example/web:2; * means all containers').action(
    async (words: readonly string[], flags: SetFlags) => (await work()).setImage(context, words, flags),
  );
  define('env', 'Change variables: wherry set env deployment/web LEVEL=debug OLD-')
    .option('-e, --env <name=value>', 'a variable; may be repeated', collectWhole)
    .option('-c, --containers <names>', 'which containers; * means all', '*')
    .option('--list', 'show the variables')
    .option('--no-overwrite', 'leave values that are set already')
    .action(async (words: readonly string[], flags: SetEnvFlags) => (await work()).setEnv(context, words, flags));
  define('resources', 'Change requests and limits: wherry set resources deployment/web --limits=cpu=1,memory=512Mi')
    .option('--limits <amounts>', 'for example cpu=200m,memory=512Mi')
    .option('--requests <amounts>', 'for example cpu=100m,memory=256Mi')
    .option('-c, --containers <names>', 'which containers; * means all', '*')
    .action(async (words: readonly string[], flags: SetResourcesFlags) =>
      (await work()).setResources(context, words, flags),
    );
  define('serviceaccount', 'Change the service account: wherry set serviceaccount deployment/web reader')
    .alias('sa')
    .action(async (words: readonly string[], flags: SetFlags) =>
      (await work()).setServiceAccount(context, words, flags),
    );
};
