import type { CommandDefinition } from '../context.ts';
import { collect, type TargetFlags, withTarget } from '../kube/options.ts';

export interface ApiResourcesFlags extends TargetFlags {
  readonly apiGroup?: string;
  readonly namespaced?: string | boolean;
  readonly verbs?: readonly string[];
  readonly categories?: readonly string[];
  readonly sortBy?: string;
  readonly output?: string;
  readonly headers: boolean;
}
export interface VersionFlags extends TargetFlags {
  readonly client?: boolean;
  readonly output?: string;
}
export interface ExplainFlags extends TargetFlags {
  readonly recursive?: boolean;
  readonly apiVersion?: string;
}

export const apiResourcesCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('api-resources'))
    .description('List the types that the server knows')
    .option('--api-group <group>', 'only of this group')
    .option('--namespaced <boolean>', 'only those that live in namespaces, or with false those that do not')
    .option('--verbs <verbs>', 'only those that can be used so, for example list,watch', collect)
    .option('--categories <names>', 'only of these categories', collect)
    .option('--sort-by <field>', 'name or kind')
    .option('-o, --output <format>', 'wide or name')
    .option('--no-headers', 'leave the headings out')
    .action(async (flags: ApiResourcesFlags) => (await import('./work/api-resources.ts')).apiResources(context, flags));
};

export const apiVersionsCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('api-versions'))
    .description('List the versions of the API that the server speaks')
    .action(async (flags: TargetFlags) => (await import('./work/api-resources.ts')).apiVersions(context, flags));
};

export const explainCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('explain'))
    .description('Show the fields of a type: wherry explain deployment.spec.strategy')
    .argument('<type.path>', 'type, and the path of a field')
    .option('--recursive', 'all fields below, by name and type only')
    .option('--api-version <group/version>', 'of this version of the API')
    .action(async (path: string, flags: ExplainFlags) =>
      (await import('./work/explain.ts')).explain(context, path, flags),
    );
};

export const versionCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('version'))
    .description('Show the versions of wherry and of the server')
    .option('--client', 'only that of wherry')
    .option('-o, --output <format>', 'yaml or json')
    .action(async (flags: VersionFlags) => (await import('./work/version.ts')).version(context, flags));
};

export const clusterInfoCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('cluster-info'))
    .description('Show where the control plane and its services are')
    .action(async (flags: TargetFlags) => (await import('./work/version.ts')).clusterInfo(context, flags));
};
