import { Ajv, type JSONSchemaType } from 'ajv';
import { Failure } from '../failure.ts';
import { type ClusterConfig, HOLLOW_NODES_MAX, NODES_MAX, type Ports, SEVERAL_MAX } from './config.ts';
import type { ClusterLayout } from './layout.ts';
import { readConfig } from './stored-config.ts';
import type { Subnet } from './subnet.ts';

const port = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

const several = { type: 'integer', minimum: 1, maximum: SEVERAL_MAX } as const;
const portList = { type: 'array', items: port, minItems: 1 } as const;

const ports: JSONSchemaType<Omit<Ports, 'hollowProcess'> & { hollowProcess?: number }> = {
  type: 'object',
  properties: {
    apiserver: port,
    balanced: port,
    balancerHealth: port,
    stores: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: { client: port, peer: port, metrics: port },
        required: ['client', 'peer', 'metrics'],
      },
    },
    schedulers: portList,
    controllerManagers: portList,
    dns: port,
    dnsHealth: port,
    hollowNodes: port,
    hollowProcess: { ...port, nullable: true },
  },
  required: [
    'apiserver',
    'balanced',
    'balancerHealth',
    'stores',
    'schedulers',
    'controllerManagers',
    'dns',
    'dnsHealth',
    'hollowNodes',
  ],
};

const schema: JSONSchemaType<Omit<ClusterConfig, 'subnet'> & { subnet?: Subnet }> = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    stores: { type: 'integer', enum: [1, 3, 5] },
    apiservers: several,
    schedulers: several,
    controllerManagers: several,
    nodes: { type: 'integer', minimum: 0, maximum: NODES_MAX },
    runtime: { type: 'string', enum: ['docker', 'hollow'] },
    hollowNodes: { type: 'integer', minimum: 1, maximum: HOLLOW_NODES_MAX, nullable: true },
    clusterCidr: { type: 'string', nullable: true },
    hollowReason: { type: 'string', nullable: true },
    profile: { type: 'string', enum: ['upstream', 'fast'] },
    ports,
    subnet: {
      type: 'object',
      nullable: true,
      properties: { cidr: { type: 'string' }, gateway: { type: 'string' } },
      required: ['cidr', 'gateway'],
    },
  },
  required: [
    'name',
    'stores',
    'apiservers',
    'schedulers',
    'controllerManagers',
    'nodes',
    'runtime',
    'profile',
    'ports',
  ],
};

/**
 * The stored config, known to be whole: a cluster is only started from what makes sense.
 * @throws Failure that names every mistake of the file
 */
export function readCheckedConfig(layout: ClusterLayout): ClusterConfig | undefined {
  const config: unknown = readConfig(layout);
  if (config === undefined) return undefined;
  const ajv = new Ajv({ allErrors: true });
  if (ajv.validate(schema, config)) return config as ClusterConfig;
  const mistakes = ajv.errorsText(ajv.errors, { dataVar: 'cluster', separator: '; ' });
  throw new Failure(
    `${layout.config} is damaged: ${mistakes}. Repair it, or remove the cluster with "wherry down --delete --name ${layout.name}"`,
  );
}
