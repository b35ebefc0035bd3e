import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { node, pod } from '../testing/cluster-builder.ts';
import { NodeTable } from './node-table.ts';
import { podInfoOf } from './pod-info.ts';

const command = fc.record({
  kind: fc.constantFrom('node', 'no-node', 'pod', 'no-pod', 'ask'),
  node: fc.integer({ min: 0, max: 5 }),
  pod: fc.integer({ min: 0, max: 20 }),
});

describe('NodeTable', () => {
  it('keeps its sums and counts whatever comes and goes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
        const table = new NodeTable();
        const nodes = new Set<string>();
        const placed = new Map<string, string>();
        const isWeb = (info: { labels: Readonly<Record<string, string>> | undefined }) =>
          info.labels?.['app'] === 'web';
        for (const { kind, node: n, pod: p } of commands) {
          const name = `n${n}`;
          const info = podInfoOf(
            pod(`p${p}`, {
              requests: { cpu: `${p}m` },
              labels: { app: p % 2 === 0 ? 'web' : 'db' },
              hostPort: 8000 + (p % 3),
            }),
          );
          if (kind === 'node') {
            table.setNode(node(name));
            nodes.add(name);
          } else if (kind === 'no-node') {
            table.removeNode(name);
            nodes.delete(name);
          } else if (kind === 'pod' && !placed.has(info.key)) {
            table.addPod(info, name);
            placed.set(info.key, name);
          } else if (kind === 'no-pod') {
            table.removePod(info.key, placed.get(info.key) ?? name);
            placed.delete(info.key);
          } else if (kind === 'ask') table.counts.of('web', isWeb);
        }
        expect([...table.order].map((row) => table.names[row]).sort()).toEqual([...nodes].sort());
        for (const name of nodes) {
          const row = table.rowOf(name) ?? -1;
          const here = [...placed]
            .filter(([, on]) => on === name)
            .map(([key]) => Number(key.slice('default/p'.length)));
          expect(table.requested.pods[row]).toBe(here.length);
          expect(table.requested.cpu[row]).toBe(here.reduce((sum, millis) => sum + millis, 0));
          expect(table.counts.of('web', isWeb)[row]).toBe(here.filter((p) => p % 2 === 0).length);
          expect(table.hostPorts[row]?.size).toBe(new Set(here.map((p) => p % 3)).size);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('grows beyond its first rows', () => {
    const table = new NodeTable();
    for (let index = 0; index < 300; index++) table.setNode(node(`n${index}`));
    expect(table.allocatable.cpu[table.rowOf('n299') ?? -1]).toBe(4000);
    expect(table.topology('kubernetes.io/hostname').at(table.rowOf('n299') ?? -1)).toBeGreaterThanOrEqual(0);
  });
});
