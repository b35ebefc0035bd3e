import type { ApiObject } from '@wherry/api';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { collect, collectWhole } from '../kube/options.ts';
import { type CreateFlags, type Define, withCreate } from './create.ts';
import { createAccess } from './create-access.ts';
import { createServices } from './create-services.ts';

/** `wherry create KIND`: each kind's words and flags. */
export const createKinds: Define = (create, context) => {
  const builders = () => import('./work/create-objects.ts');
  simple(create, context, 'namespace <name>', 'ns', 'A namespace', async () => (await builders()).namespace);
  simple(
    create,
    context,
    'serviceaccount <name>',
    'sa',
    'A service account',
    async () => (await builders()).serviceAccount,
  );
  simple(
    create,
    context,
    'configmap <name>',
    'cm',
    'A config map from literals and files',
    async () => (await builders()).configMap,
  )
    .option('--from-literal <key=value>', 'a key and its value; may be repeated', collectWhole)
    .option('--from-file <path>', 'a file or folder, named after itself or as key=path; may be repeated', collect)
    .option('--from-env-file <file>', 'a file of KEY=value lines; may be repeated', collect);
  simple(
    create,
    context,
    'deployment <name>',
    'deploy',
    'A deployment of one image',
    async () => (await builders()).deployment,
  )
    .argument('[command...]', 'command of the container, after --')
    .requiredOption('--image <image>', 'image to run; may be repeated', collect)
    .option('-r, --replicas <count>', 'number of pods', '1')
    .option('--port <port>', 'port that the container listens on');
  simple(create, context, 'cronjob <name>', 'cj', 'A job at set times', async () => (await builders()).cronJob)
    .argument('[command...]', 'command of the container, after --')
    .requiredOption('--image <image>', 'image to run')
    .requiredOption('--schedule <cron>', 'when, for example "*/5 * * * *"')
    .option('--restart <policy>', 'OnFailure or Never', 'OnFailure');
  simple(
    create,
    context,
    'quota <name>',
    'resourcequota',
    'Limits on what a namespace may use',
    async () => (await builders()).quota,
  )
    .option('--hard <limits>', 'for example pods=10,requests.cpu=4', collect)
    .option('--scopes <scopes>', 'what it applies to', collect);
  simple(
    create,
    context,
    'poddisruptionbudget <name>',
    'pdb',
    'How many pods may be away at once',
    async () => (await builders()).disruptionBudget,
  )
    .requiredOption('--selector <labels>', 'which pods')
    .option('--min-available <count>', 'number or percentage that stays')
    .option('--max-unavailable <count>', 'number or percentage that may go');
  simple(
    create,
    context,
    'priorityclass <name>',
    'pc',
    'A priority of pods',
    async () => (await builders()).priorityClass,
  )
    .requiredOption('--value <number>', 'higher is more important')
    .option('--global-default', 'for pods that name none')
    .option('--description <text>', 'when to use it')
    .option('--preemption-policy <policy>', 'PreemptLowerPriority or Never', 'PreemptLowerPriority');
  createSecrets(create, context);
  createJob(create, context);
  createServices(create, context);
  createAccess(create, context);
};

type Build = (name: string, flags: CreateFlags & never, command: readonly string[]) => ApiObject;

/** A kind whose object is made from its flags alone. */
export function simple(
  create: Command,
  context: Context,
  usage: string,
  alias: string | undefined,
  description: string,
  load: () => Promise<(name: string, flags: never, command: readonly string[]) => ApiObject>,
): Command {
  const command = withCreate(create.command(usage)).description(description);
  if (alias !== undefined) command.alias(alias);
  return command.action(async (name: string, ...rest: readonly unknown[]) => {
    const words = Array.isArray(rest[0]) ? (rest[0] as readonly string[]) : [];
    const flags = command.opts<CreateFlags>();
    const build = (await load()) as Build;
    const { createOne } = await import('./work/create.ts');
    await createOne(context, flags, build(name, flags as CreateFlags & never, words));
  });
}

function createSecrets(create: Command, context: Context): void {
  const secret = create.command('secret').description('A secret: generic, tls or docker-registry');
  const builders = () => import('./work/create-objects.ts');
  simple(
    secret,
    context,
    'generic <name>',
    undefined,
    'A secret from literals and files',
    async () => (await builders()).secret,
  )
    .option('--from-literal <key=value>', 'a key and its value; may be repeated', collectWhole)
    .option('--from-file <path>', 'a file or folder, named after itself or as key=path; may be repeated', collect)
    .option('--from-env-file <file>', 'a file of KEY=value lines; may be repeated', collect)
    .option('--type <type>', 'type of the secret');
  simple(
    secret,
    context,
    'tls <name>',
    undefined,
    'A certificate and its key',
    async () => (await builders()).tlsSecret,
  )
    .requiredOption('--cert <file>', 'certificate in PEM')
    .requiredOption('--key <file>', 'key in PEM');
  simple(
    secret,
    context,
    'docker-registry <name>',
    undefined,
    'Access to an image registry',
    async () => (await builders()).registrySecret,
  )
    .option('--docker-server <url>', 'the registry', 'https://index.docker.io/v1/')
    .requiredOption('--docker-username <name>', 'user name')
    .requiredOption('--docker-password <password>', 'password')
    .option('--docker-email <address>', 'mail address');
}

function createJob(create: Command, context: Context): void {
  withCreate(create.command('job <name>'))
    .description('A job of one image, or a run of a cron job now')
    .argument('[command...]', 'command of the container, after --')
    .option('--image <image>', 'image to run')
    .option('--from <cronjob/name>', 'cron job to run')
    .action(async (name: string, command: readonly string[], flags: CreateFlags) =>
      (await import('./work/create-job.ts')).createJob(context, name, command, flags),
    );
}
