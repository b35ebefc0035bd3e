import { defineConfig } from 'vitest/config';
import { repository } from '../harness/repository.ts';

export default defineConfig({
  root: repository,
  test: {
    include: ['tests/integration/**/*.test.ts'],
    pool: 'forks',
    // Both files start daemons; two cores are shared with them.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
