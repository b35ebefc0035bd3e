import { collect } from '../kube/options.ts';
import type { Define } from './create.ts';
import { simple } from './create-kinds.ts';

export const createServices: Define = (create, context) => {
  const builders = () => import('./work/create-services.ts');
  const service = create
    .command('service')
    .alias('svc')
    .description('A service: clusterip, nodeport, loadbalancer or externalname');
  const TCP = '--tcp <port:target>';
  const TCP_HELP = 'port, or port:target port; may be repeated';
  simple(
    service,
    context,
    'clusterip <name>',
    undefined,
    'Inside the cluster',
    async () => (await builders()).clusterIp,
  )
    .option(TCP, TCP_HELP, collect)
    .option('--clusterip <address>', 'address to take, or None for a headless service');
  simple(
    service,
    context,
    'nodeport <name>',
    undefined,
    'On a port of every node',
    async () => (await builders()).nodePort,
  )
    .option(TCP, TCP_HELP, collect)
    .option('--node-port <port>', 'the port on nodes; default: one that is free');
  simple(
    service,
    context,
    'loadbalancer <name>',
    undefined,
    'Behind a load balancer',
    async () => (await builders()).loadBalancer,
  ).option(TCP, TCP_HELP, collect);
  simple(
    service,
    context,
    'externalname <name>',
    undefined,
    'Another name for a host',
    async () => (await builders()).externalName,
  )
    .requiredOption('--external-name <host>', 'the host')
    .option(TCP, TCP_HELP, collect);
  simple(create, context, 'ingress <name>', 'ing', 'HTTP routes to services', async () => (await builders()).ingress)
    .option('--class <name>', 'ingress class')
    .option('--default-backend <service:port>', 'for what no rule matches')
    .option('--annotation <key=value>', 'annotation; may be repeated', (value, all: string[] = []) => [...all, value])
    .requiredOption(
      '--rule <rule>',
      'host/path=service:port[,tls[=secret]]; may be repeated',
      (value, all: string[] = []) => [...all, value],
    );
};
