import { parseFlags } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { chosenControllers, controllerNames } from './controllers.ts';
import { flags, optionsOf } from './flags.ts';

const read = (...argv: string[]) =>
  optionsOf(parseFlags(flags, ['--kubeconfig=x', ...argv]), { rootCa: undefined, clusterSigning: undefined });

describe('optionsOf', () => {
  it("has upstream's defaults", () => {
    expect(read()).toMatchObject({
      nodeMonitorPeriodMs: 5_000,
      nodeMonitorGracePeriodMs: 50_000,
      nodeEvictionRate: 0.1,
      terminatedPodGcThreshold: 12_500,
      concurrent: { deployment: 5, garbageCollector: 20, namespace: 10, daemonSet: 2 },
    });
  });
  it.each([
    ['a rate that is no number', ['--node-eviction-rate=fast'], /--node-eviction-rate is "fast"/],
    ['a renew deadline beyond the lease', ['--leader-elect-renew-deadline=20s'], /must be shorter/],
    ['ranges for nodes out of nothing', ['--allocate-node-cidrs'], /needs --cluster-cidr/],
    ['a controller that does not exist', ['--controllers=*,-nonsense'], /names "-nonsense"/],
  ])('refuses %s', (_, argv, message) => {
    expect(() => read(...argv)).toThrow(message);
  });
  it('tells all problems at once', () => {
    expect(() => read('--node-eviction-rate=x', '--allocate-node-cidrs')).toThrow(
      /--cluster-cidr\n--node-eviction-rate is "x"/,
    );
  });
});

describe('chosenControllers', () => {
  const names = (...wishes: string[]) => [...chosenControllers(wishes).keys()];
  it.each([
    ['all but those of bootstrap tokens', ['*'], controllerNames().length - 2],
    ['all, as kubeadm asks for them', ['*', 'bootstrapsigner', 'tokencleaner'], controllerNames().length],
    ['all but one more', ['*', '-job-controller'], controllerNames().length - 3],
    ['none that is named both ways', ['tokencleaner', '-token-cleaner-controller'], 0],
    ['one', ['job-controller'], 1],
    ['none', [], 0],
  ])('%s', (_, wishes, count) => {
    expect(names(...wishes).length).toBe(count);
  });
});
