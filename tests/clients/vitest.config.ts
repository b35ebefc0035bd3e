import { defineConfig } from 'vitest/config';
import { repository } from '../harness/repository.ts';

export default defineConfig({
  root: repository,
  test: {
    include: ['tests/clients/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
