import { join } from 'node:path';
import { Failure } from '../failure.ts';

/** Where a cluster keeps what: everything below one folder. */
export interface ClusterLayout {
  readonly name: string;
  readonly folder: string;
  /** The administrator's. */
  readonly kubeconfig: string;
  readonly pki: string;
  /** One kubeconfig for each daemon that is a client of the API. */
  readonly kubeconfigs: string;
  readonly data: string;
  readonly logs: string;
  /** One record for each daemon that was started. */
  readonly run: string;
  /** What the cluster consists of, as `up` decided. */
  readonly config: string;
  readonly lock: string;
}

/** Beside the clusters lives the state of an engine that we started. */
export const engineFolderName = 'engine';

const NAME_CHARACTERS_MAX = 30;

/** @throws Failure when the name cannot be a cluster's: it becomes part of Docker's names and of a folder's. */
export function clusterLayout(home: string, name: string): ClusterLayout {
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) || name.length > NAME_CHARACTERS_MAX) {
    throw new Failure(
      `Cannot name a cluster "${name}": use up to ${NAME_CHARACTERS_MAX} lower case letters, digits and "-", with a letter or digit at both ends`,
    );
  }
  if (name === engineFolderName)
    throw new Failure(`Cannot name a cluster "${name}": that folder holds the Docker engine's state`);
  const folder = join(home, name);
  return {
    name,
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    pki: join(folder, 'pki'),
    kubeconfigs: join(folder, 'kubeconfigs'),
    data: join(folder, 'data'),
    logs: join(folder, 'logs'),
    run: join(folder, 'run'),
    config: join(folder, 'cluster.json'),
    lock: join(folder, 'lock'),
  };
}
