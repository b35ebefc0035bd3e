import { expect, test } from 'vitest';
import { isDaemonOf } from './orphans.ts';

const layout = { folder: '/home/a/.wherry/default' };
const program = '/repo/.cache/bundles/store-0123456789abcdef/main.mjs';

test.each([
  { name: 'its store', command: ['node', program, '--data-dir=/home/a/.wherry/default/data/store-1'], is: true },
  {
    name: 'a kubelet inside a node',
    command: ['nsenter', '--', 'node', program, '--root-dir=/home/a/.wherry/default/data/node-1'],
    is: true,
  },
  {
    name: 'a cluster whose name begins alike',
    command: ['node', program, '--data-dir=/home/a/.wherry/default-2/data'],
    is: false,
  },
  { name: 'an editor', command: ['vi', '/home/a/.wherry/default/cluster.json'], is: false },
  { name: 'the command line itself', command: ['node', '/repo/packages/cli/src/launch.ts', 'up'], is: false },
  { name: 'a kernel thread', command: [''], is: false },
])('isDaemonOf: $name', ({ command, is }) => {
  expect(isDaemonOf(layout, command)).toBe(is);
});
