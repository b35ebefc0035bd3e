import { defineConfig } from 'vitest/config';
import { repository } from '../harness/repository.ts';

export default defineConfig({
  root: repository,
  test: {
    include: ['tests/compose/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    // The first run downloads a Debian.
    hookTimeout: 900_000,
  },
});
