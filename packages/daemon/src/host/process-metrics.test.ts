import { describe, expect, it } from 'vitest';
import { createMetrics } from '../ops/metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';

const read = (text: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);

describe('addProcessMetrics', () => {
  it('says what the process has used, with the names of upstream', async () => {
    const { registry } = createMetrics();
    addProcessMetrics(registry);
    const first = await registry.metrics();
    expect(read(first, 'process_resident_memory_bytes')).toBeGreaterThan(10 << 20);
    expect(read(first, 'process_virtual_memory_bytes')).toBeGreaterThan(10 << 20);
    expect(read(first, 'process_open_fds')).toBeGreaterThan(2);
    expect(read(first, 'process_max_fds')).toBeGreaterThan(2);
    const age = Date.now() / 1000 - read(first, 'process_start_time_seconds');
    expect(age).toBeCloseTo(process.uptime(), 0);
    const used = read(first, 'process_cpu_seconds_total');
    const { user, system } = process.cpuUsage();
    expect(used).toBeGreaterThan(0);
    // Once more: a counter that added what it had counted before would have doubled.
    const again = read(await registry.metrics(), 'process_cpu_seconds_total');
    expect(again).toBeGreaterThanOrEqual(used);
    expect(again).toBeLessThan((user + system) / 1e6 + 1);
  });
});
