import { collect } from '../kube/options.ts';
import { type CreateFlags, type Define, withCreate } from './create.ts';
import { simple } from './create-kinds.ts';

/** Roles, their bindings, and tokens. */
export const createAccess: Define = (create, context) => {
  const work = () => import('./work/create-access.ts');
  for (const [usage, kind] of [
    ['role <name>', 'Role'],
    ['clusterrole <name>', 'ClusterRole'],
  ] as const) {
    const command = withCreate(create.command(usage))
      .description(kind === 'Role' ? 'Rights in one namespace' : 'Rights in the whole cluster')
      .option('--verb <verbs>', 'what may be done', collect)
      .option('--resource <types>', 'to what, for example pods,deployments.apps,pods/log', collect)
      .option('--resource-name <names>', 'only to these objects', collect);
    if (kind === 'ClusterRole') {
      command
        .option('--non-resource-url <paths>', 'paths that may be read', collect)
        .option('--aggregation-rule <labels>', 'made of the roles with these labels');
    }
    command.action(async (name: string, flags: CreateFlags) => (await work()).createRole(context, kind, name, flags));
  }
  for (const [usage, kind] of [
    ['rolebinding <name>', 'RoleBinding'],
    ['clusterrolebinding <name>', 'ClusterRoleBinding'],
  ] as const) {
    const command = simple(create, context, usage, undefined, 'Gives a role to someone', async () =>
      kind === 'RoleBinding' ? (await work()).roleBinding : (await work()).clusterRoleBinding,
    )
      .option('--clusterrole <name>', 'the role')
      .option('--user <names>', 'users', collect)
      .option('--group <names>', 'groups', collect)
      .option('--serviceaccount <namespace:name>', 'service accounts', collect);
    if (kind === 'RoleBinding') command.option('--role <name>', 'a role of the namespace');
  }
  withCreate(create.command('token <serviceaccount>'))
    .description('Print a token of a service account')
    .option('--duration <duration>', 'how long it is good for, for example 10m')
    .option('--audience <names>', 'for whom', collect)
    .action(async (name: string, flags: CreateFlags) => (await work()).createToken(context, name, flags));
};
