import { readFileSync } from 'node:fs';
import { writeWhole } from '@wherry/pki';
import { Failure, hasCode } from '../failure.ts';
import type { ClusterConfig } from './config.ts';
import type { ClusterLayout } from './layout.ts';

/** What earlier `up`s decided, or undefined when there is no such cluster. */
export function readConfig(layout: ClusterLayout): ClusterConfig | undefined {
  try {
    return JSON.parse(readFileSync(layout.config, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw new Failure(
      `Cannot read ${layout.config}: "wherry down --delete --name ${layout.name}" removes what is left of the cluster`,
      { cause: error },
    );
  }
}

/** @throws Failure when there is no such cluster */
export function requireConfig(layout: ClusterLayout): ClusterConfig {
  const config = readConfig(layout);
  if (config !== undefined) return config;
  throw new Failure(
    `There is no cluster "${layout.name}" in ${layout.folder}: start one with "wherry up${layout.name === 'default' ? '' : ` --name ${layout.name}`}"`,
  );
}

export async function writeConfig(layout: ClusterLayout, config: ClusterConfig): Promise<void> {
  await writeWhole(layout.config, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
}
