import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ApiObject } from '@wherry/api';
import type { Command } from 'commander';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { place, readManifests, scopeOf } from '../kube/edit-objects.ts';
import { type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { displayName, parseOutput, printObjects } from '../printers/printer.ts';

interface CreateFlags extends TargetFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly dryRun?: string | boolean;
  readonly output?: string;
}

export const createCommand: CommandDefinition = (parent, context) => {
  const create = withWrite(parent.command('create'))
    .description('Create objects from files, or one of the kinds below')
    .option('-f, --filename <path...>', 'file, folder or - for standard input')
    .option('-R, --recursive', 'also folders within folders')
    .action(async (flags: CreateFlags) => {
      if (flags.filename === undefined)
        throw new Failure('must specify --filename, or a kind: see "wherry create --help"');
      await createAll(context, flags, await readManifests(flags.filename, process.stdin, flags.recursive));
    });
  createNamespace(create, context);
  createDeployment(create, context);
  createConfigMap(create, context);
  createSecret(create, context);
};

function withWrite(command: Command): Command {
  return withTarget(command)
    .option('--dry-run <strategy>', 'none, server (send without storing) or client (only print)', 'none')
    .option('-o, --output <format>', 'json, yaml, name, …');
}

async function createAll(context: Context, flags: CreateFlags, objects: readonly ApiObject[]): Promise<void> {
  const strategy = dryRunOf(flags.dryRun);
  await withSession(context, flags, async (session) => {
    for (const manifest of objects) {
      const { resource, namespace, object } = await place(session, manifest);
      const created =
        strategy === 'client'
          ? object
          : await session.client.create(resource, object, {
              ...scopeOf(namespace),
              dryRun: strategy === 'server',
              fieldManager: 'wherry-create',
            });
      const format = parseOutput(flags.output);
      if (format.kind !== 'table')
        await context.terminal.write(printObjects(format, [{ resource, object: created }], true));
      else
        context.terminal.out(`${displayName(resource, created.metadata?.name ?? '')} created${dryRunSuffix(strategy)}`);
    }
  });
}

export type DryRun = 'none' | 'server' | 'client';

export function dryRunOf(text: string | boolean | undefined): DryRun {
  if (text === undefined || text === 'none') return 'none';
  if (text === 'server' || text === 'client') return text;
  throw new Failure(`Invalid dry-run value (${String(text)}). Must be "none", "server", or "client".`);
}

export function dryRunSuffix(strategy: DryRun): string {
  return strategy === 'none' ? '' : strategy === 'server' ? ' (server dry run)' : ' (dry run)';
}

function createNamespace(create: Command, context: Context): void {
  withWrite(create.command('namespace <name>').alias('ns'))
    .description('A namespace')
    .action((name: string, flags: CreateFlags) =>
      createAll(context, flags, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }]),
    );
}

function createDeployment(create: Command, context: Context): void {
  withWrite(create.command('deployment <name>').alias('deploy'))
    .description('A deployment of one image')
    .requiredOption('--image <image>', 'image to run')
    .option('-r, --replicas <count>', 'number of pods', '1')
    .option('--port <port>', 'port that the container listens on')
    .argument('[command...]', 'command of the container, after --')
    .action(
      (
        name: string,
        command: readonly string[],
        flags: CreateFlags & Readonly<{ image: string; replicas: string; port?: string }>,
      ) => {
        const labels = { app: name };
        const container = {
          name: (flags.image.split('/').at(-1) ?? name).split(/[:@]/)[0],
          image: flags.image,
          ...(command.length > 0 ? { command } : {}),
          ...(flags.port === undefined ? {} : { ports: [{ containerPort: Number(flags.port) }] }),
        };
        const deployment = {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name, labels },
          spec: {
            replicas: Number(flags.replicas),
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [container] } },
          },
        };
        return createAll(context, flags, [deployment]);
      },
    );
}

interface DataFlags extends CreateFlags {
  readonly fromLiteral?: readonly string[];
  readonly fromFile?: readonly string[];
  readonly type?: string;
}

function createConfigMap(create: Command, context: Context): void {
  withData(create.command('configmap <name>').alias('cm'))
    .description('A config map from literals and files')
    .action((name: string, flags: DataFlags) => {
      const data = Object.fromEntries(dataOf(flags).map(([key, bytes]) => [key, bytes.toString('utf8')]));
      return createAll(context, flags, [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data } as ApiObject,
      ]);
    });
}

function createSecret(create: Command, context: Context): void {
  const secret = create.command('secret').description('A secret');
  withData(secret.command('generic <name>'))
    .description('A secret from literals and files')
    .option('--type <type>', 'type of the secret', 'Opaque')
    .action((name: string, flags: DataFlags) => {
      const data = Object.fromEntries(dataOf(flags).map(([key, bytes]) => [key, bytes.toString('base64')]));
      return createAll(context, flags, [
        { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: flags.type, data } as ApiObject,
      ]);
    });
}

function withData(command: Command): Command {
  return withWrite(command)
    .option('--from-literal <key=value...>', 'a key and its value')
    .option('--from-file <path...>', 'a file, named after itself or as key=path');
}

function dataOf(flags: DataFlags): readonly (readonly [string, Buffer])[] {
  const literals = (flags.fromLiteral ?? []).map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new Failure(`invalid literal source ${text}, expected key=value`);
    return [text.slice(0, equals), Buffer.from(text.slice(equals + 1))] as const;
  });
  const files = (flags.fromFile ?? []).map((text) => {
    const equals = text.indexOf('=');
    const path = equals === -1 ? text : text.slice(equals + 1);
    try {
      return [equals === -1 ? basename(path) : text.slice(0, equals), readFileSync(path)] as const;
    } catch (cause) {
      throw new Failure(`error reading ${path}`, { cause });
    }
  });
  return [...literals, ...files];
}
