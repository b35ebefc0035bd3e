import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/simulation/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
  },
});
