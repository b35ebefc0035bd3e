import type { CommandDefinition } from '../context.ts';

interface ImportFlags {
  readonly entrypoint: string;
  readonly env: readonly string[];
}

const several = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `wherry image …`: images without a registry. All nodes of this machine share its engine, and so its images. */
export const imageCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('image').description('make and load images without a registry');
  const actions = () => import('../images/actions.ts');
  group
    .command('samples')
    .description('make the images of the tour: wherry/echo:1 and wherry/echo:2')
    .action(async () => (await actions()).makeSamples(context));
  group
    .command('load <archive>')
    .description('load images from an archive that "docker save" wrote')
    .action(async (archive: string) => (await actions()).loadArchive(context, archive));
  group
    .command('import <folder> <reference>')
    .description('make an image of the files in a folder')
    .requiredOption('--entrypoint <words>', 'program and arguments, separated by spaces')
    .option('--env <name=value>', 'environment variable; may be repeated', several, [])
    .action(async (folder: string, reference: string, flags: ImportFlags) => {
      const entrypoint = flags.entrypoint.split(' ').filter((word) => word !== '');
      await (await actions()).importFolder(context, folder, reference, { entrypoint, env: flags.env });
    });
};
