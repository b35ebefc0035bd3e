import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

/** `wherry certificate approve` and `deny`: a person's word on what nobody decides by itself. */
export const certificateCommand: CommandDefinition = (parent, context) => {
  const group = parent.command('certificate').description('Approve and deny certificate signing requests');
  for (const [verb, description] of [
    ['approve', 'Let certificates be signed'],
    ['deny', 'Let certificates not be signed'],
  ] as const) {
    withTarget(group.command(`${verb} <requests...>`))
      .description(description)
      .action(async (names: readonly string[], flags: TargetFlags) => {
        const { decide } = await import('./work/certificate.ts');
        await decide(context, verb, names, flags);
      });
  }
};
