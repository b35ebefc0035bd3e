import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessPlace } from '../harness/leftover-processes.ts';

/**
 * Where the cluster under faults lives: a network namespace of its own with a Docker engine of its own, so that no other
 * cluster of this machine notices when they are broken. Names are fixed: an earlier run's remains are found by them.
 */
export const place: ProcessPlace = {
  name: 'faults',
  namespace: 'wherry-faults',
  controlGroup: '/wherry-faults',
};

export const engineFolder = join(tmpdir(), 'wherry-test-faults-engine');
export const engineSocket = join(engineFolder, 'docker.sock');

/** Set for what runs inside. */
export const INSIDE = 'WHERRY_TEST_FAULTS_INSIDE';

export const clusterName = 'faults';

/** As tests/harness/cluster.ts names it. Kept after a run, for its logs; the next run removes it. */
export const clusterHome = join(tmpdir(), `wherry-test-${clusterName}`);
