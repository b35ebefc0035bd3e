import { Cluster } from '../harness/cluster.ts';

/** Real containers on three virtual nodes; node death is noticed in seconds (upstream's own times are in the docs). */
export const cluster = new Cluster({
  name: 'docker-ring',
  nodes: 3,
  port: 36443,
  flags: ['--profile', 'fast', '--runtime', 'docker'],
});
