import type { CommandDefinition } from '../context.ts';

export const completionCommand: CommandDefinition = (parent, context) => {
  parent
    .command('completion')
    .description('Print a script that completes commands in your shell: source <(wherry completion bash)')
    .argument('<shell>', 'bash or zsh')
    .action(async (shell: string) => {
      const { completionScript } = await import('./work/completion.ts');
      context.terminal.out(completionScript(parent, shell));
    });
};
