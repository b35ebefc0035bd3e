import { defineConfig } from 'vitest/config';
import { repository } from '../harness/repository.ts';

export default defineConfig({
  root: repository,
  test: {
    include: ['tests/hosts/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
