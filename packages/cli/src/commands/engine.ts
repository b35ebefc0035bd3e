import type { CommandDefinition } from '../context.ts';

/** `wherry engine …`: the Docker engine of this machine, which all clusters share. */
export const engineCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('engine').description('provide a Docker engine on this machine');
  group
    .command('start')
    .description('find a Docker engine, or install and start one')
    .action(async () => {
      const { provideEngine } = await import('../engine/actions.ts');
      await provideEngine(context);
    });
  group
    .command('stop')
    .description('stop the engine that wherry started; containers go on')
    .action(async () => {
      const { endEngine } = await import('../engine/actions.ts');
      await endEngine(context);
    });
  group
    .command('runtime')
    .description(
      "print dockerd's flags for a runtime that asks for no more than this machine grants; none if it grants all",
    )
    .action(async () => {
      const { printRuntimeFlags } = await import('../engine/actions.ts');
      await printRuntimeFlags(context);
    });
};
