import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * What upstream's daemons say about their process, and what Node.js knows of its heap, all read when somebody asks.
 * prom-client's own set keeps a timer of 10 ms and an observer of collections running in every daemon: 100 wake-ups a
 * second each, more than half of what an idle control plane did.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        if (value !== undefined) this.set(value);
      },
    });
  };
  cpuSeconds(registers);
  const startedSeconds = Date.now() / 1000 - process.uptime();
  gauge('process_start_time_seconds', 'Start time of the process since the epoch in seconds.', () => startedSeconds);
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss());
  gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', () => statusBytes('VmSize'));
  gauge('process_open_fds', 'Number of open file descriptors.', openFiles);
  gauge('process_max_fds', 'Maximum number of open file descriptors.', openFilesMax);
  gauge('nodejs_heap_size_total_bytes', 'Size of the heap in bytes.', () => process.memoryUsage().heapTotal);
  gauge('nodejs_heap_size_used_bytes', 'Used part of the heap in bytes.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_external_memory_bytes', 'Memory beside the heap in bytes.', () => process.memoryUsage().external);
  gauge('nodejs_eventloop_utilization_ratio', 'Part of its life that the event loop was busy.', () => {
    return performance.eventLoopUtilization().utilization;
  });
}

function cpuSeconds(registers: Registry[]): void {
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}

/** @returns undefined where there is no /proc */
function statusBytes(field: string): number | undefined {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(proc('status') ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function openFilesMax(): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(proc('limits') ?? '')?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function openFiles(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  // Reading the folder takes one itself.
  return readdirSync('/proc/self/fd').length - 1;
}

function proc(name: string): string | undefined {
  return process.platform === 'linux' ? readFileSync(`/proc/self/${name}`, 'utf8') : undefined;
}
