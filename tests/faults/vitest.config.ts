import { defineConfig } from 'vitest/config';
import { repository } from '../harness/repository.ts';

/** Run by `node tests/faults/inside.ts node_modules/vitest/vitest.mjs run --config tests/faults/vitest.config.ts`. */
export default defineConfig({
  root: repository,
  test: {
    include: ['tests/faults/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
