import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resources, type Service } from '@wherry/api';
import { readBody } from '@wherry/client';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../kube/options.ts';
import { withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { goJson } from '../../printers/go-json.ts';
import { toYaml } from '../../printers/printer.ts';
import type { VersionFlags } from '../api.ts';

export async function version(context: Context, flags: VersionFlags): Promise<void> {
  const { output } = flags;
  if (output !== undefined && output !== 'yaml' && output !== 'json') {
    throw new VerbError(`--output must be 'yaml' or 'json'`);
  }
  const client = {
    gitVersion: `v${wherryVersion(context)}`,
    platform: `${context.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
  const server = flags.client === true ? undefined : await serverVersion(context, flags);
  const all = { clientVersion: client, ...(server === undefined ? {} : { serverVersion: server }) };
  if (output === 'json') context.terminal.out(goJson(all, 2));
  else if (output === 'yaml') await context.terminal.write(toYaml(all));
  else {
    context.terminal.out(`Client Version: ${client.gitVersion} (wherry)`);
    if (server !== undefined) context.terminal.out(`Server Version: ${server.gitVersion}`);
  }
}

function wherryVersion({ root }: Context): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  return manifest.version;
}

function serverVersion(context: Context, flags: TargetFlags): Promise<{ readonly gitVersion: string }> {
  return withSession(context, flags, async ({ client }) => {
    const response = await client.raw({ method: 'GET', path: '/version', headers: { accept: 'application/json' } });
    return JSON.parse((await readBody(response)).toString('utf8')) as { readonly gitVersion: string };
  });
}

export function clusterInfo(context: Context, flags: TargetFlags): Promise<void> {
  return withSession(context, flags, async ({ client, connection }) => {
    const { items } = await client.list(resources.services, {
      namespace: 'kube-system',
      labelSelector: 'kubernetes.io/cluster-service=true',
    });
    context.terminal.out(`Kubernetes control plane is running at ${connection.server}`);
    for (const service of items) {
      context.terminal.out(`${titleOf(service)} is running at ${addressOf(connection.server, service)}`);
    }
  });
}

function titleOf({ metadata }: Service): string {
  return metadata?.labels?.['kubernetes.io/name'] ?? metadata?.name ?? '';
}

/** Its load balancer's address, or the way to it through the API server. */
function addressOf(server: string, { metadata, spec, status }: Service): string {
  const [ingress] = status?.loadBalancer?.ingress ?? [];
  const [port] = spec?.ports ?? [];
  if (ingress !== undefined) {
    return (spec?.ports ?? []).map((one) => `http://${ingress.ip ?? ingress.hostname}:${one.port}`).join(' ');
  }
  const scheme = port?.name === 'https' || port?.port === 443 ? 'https:' : '';
  const name = `${scheme}${metadata?.name}${port?.name === undefined ? '' : `:${port.name}`}`;
  return `${server}/api/v1/namespaces/${metadata?.namespace}/services/${name}/proxy`;
}
