import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCheckedConfig } from './checked-config.ts';
import { usualPorts } from './config.ts';
import { type ClusterLayout, clusterLayout } from './layout.ts';

describe('readCheckedConfig', () => {
  let home: string;
  let layout: ClusterLayout;
  const store = (config: unknown) => writeFileSync(layout.config, JSON.stringify(config));
  const counts = { stores: 1, apiservers: 1, schedulers: 1, controllerManagers: 1 };
  const good = { name: 'x', ...counts, nodes: 3, runtime: 'docker', profile: 'fast', ports: usualPorts };

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'wherry-config-'));
    layout = clusterLayout(home, 'x');
    mkdirSync(layout.folder, { recursive: true });
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('reads what a cluster was made with', () => {
    store({ ...good, subnet: { cidr: '172.30.0.0/24', gateway: '172.30.0.1' } });
    expect(readCheckedConfig(layout)?.subnet?.gateway).toBe('172.30.0.1');
  });

  it('reads hollow nodes, and refuses too many', () => {
    const ports = { ...usualPorts, hollowProcess: 20_000 };
    store({ ...good, ports, hollowNodes: 10_000, clusterCidr: '10.192.0.0/10' });
    expect(readCheckedConfig(layout)).toMatchObject({ hollowNodes: 10_000, ports: { hollowProcess: 20_000 } });
    store({ ...good, ports, hollowNodes: 10_001 });
    expect(() => readCheckedConfig(layout)).toThrow(/hollowNodes must be <= 10000/);
  });

  it('knows nothing of a cluster that does not exist', () => expect(readCheckedConfig(layout)).toBeUndefined());

  it('names every mistake of a damaged file', () => {
    store({ ...good, nodes: -1, stores: 2, runtime: 'podman', ports: { ...usualPorts, dns: 'x' } });
    expect(() => readCheckedConfig(layout)).toThrow(
      /cluster\/stores must be .*allowed values; cluster\/nodes must be >= 0; cluster\/runtime must be .*allowed values; cluster\/ports\/dns must be integer\. Repair it/,
    );
  });

  it('refuses what is not even JSON', () => {
    writeFileSync(layout.config, '{"name":');
    expect(() => readCheckedConfig(layout)).toThrow('Cannot read');
  });
});
