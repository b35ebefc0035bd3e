import { defineConfig } from 'vitest/config';
import { repository } from '../harness/repository.ts';

export default defineConfig({
  root: repository,
  test: {
    include: ['tests/docker/**/*.test.ts', 'packages/*/src/**/*.docker.test.ts', 'packages/*/src/**/*.netns.test.ts'],
    globalSetup: 'tests/docker/global-setup.ts',
    pool: 'forks',
    // One cluster serves all files, and some of them break parts of it.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
