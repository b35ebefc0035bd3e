import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/structure/**/*.test.ts'],
    // These need root, a kernel or an engine: the docker ring runs them.
    exclude: [...configDefaults.exclude, '**/*.{docker,netns}.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
