import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { root: '/work/main', include: ['packages/kubelet/src/**/*.docker.test.ts'], pool: 'forks', testTimeout: 40_000, hookTimeout: 30_000, fileParallelism: false } });
