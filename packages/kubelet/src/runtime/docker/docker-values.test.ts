import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import type { ContainerSpec, SandboxSpec } from '../port.ts';
import { containerOptions, type NodeSettings, sandboxOptions } from './create-options.ts';
import { frames } from './frames.ts';
import { readContainer } from './inspect.ts';
import { isOwned, ownedFilter } from './labels.ts';

const settings: NodeSettings = {
  owner: { cluster: 'c', node: 'n' },
  anchor: undefined,
  sandboxImage: 'pause',
  negativeOomScores: false,
};
const pod = { uid: 'u', name: 'p', namespace: 'ns' };
const sandbox: SandboxSpec = {
  pod,
  attempt: 0,
  hostname: 'p',
  domain: '',
  hostNetwork: false,
  hostPid: false,
  hostIpc: false,
  ip: '10.0.0.2',
  sysctls: {},
  graceSeconds: 30,
};
const container: ContainerSpec = {
  pod,
  sandboxId: 's',
  name: 'main',
  attempt: 2,
  specHash: 'h',
  backoffMs: 10_000,
  graceSeconds: 30,
  image: 'x:1',
  imageId: 'i',
  command: ['/run'],
  args: undefined,
  environment: new Map([['A', 'b']]),
  workingDir: undefined,
  mounts: [{ hostPath: '/h', containerPath: '/c', readOnly: true, propagation: 'rslave' }],
  cgroup: { cpuShares: 512, cpuQuotaMicros: 25_000, cpuPeriodMicros: 100_000, memoryBytes: 1 << 20, oomScoreAdj: -997 },
  security: {
    user: undefined,
    group: 5,
    supplementalGroups: [7],
    nonRoot: false,
    privileged: false,
    readOnlyRoot: true,
    noNewPrivileges: true,
    addCapabilities: ['CAP_NET_ADMIN'],
    dropCapabilities: ['ALL'],
    seccomp: 'runtime',
  },
  tty: false,
  stdin: false,
  stdinOnce: false,
  stopSignal: undefined,
  processes: 'pod',
  hostIpc: false,
};

describe('create options', () => {
  it('give a sandbox no network, and the node’s when asked', () => {
    expect(sandboxOptions(settings, sandbox).HostConfig?.NetworkMode).toBe('none');
    expect(sandboxOptions(settings, { ...sandbox, hostNetwork: true }).HostConfig?.NetworkMode).toBe('host');
    const joined = sandboxOptions({ ...settings, anchor: 'abc' }, { ...sandbox, hostNetwork: true });
    expect(joined.HostConfig?.NetworkMode).toBe('container:abc');
    expect(joined.Hostname).toBeUndefined();
  });

  it('ask for no OOM score below 0 where it is forbidden', () => {
    expect(sandboxOptions(settings, sandbox).HostConfig?.OomScoreAdj).toBe(0);
    expect(containerOptions({ ...settings, negativeOomScores: true }, container).HostConfig?.OomScoreAdj).toBe(-997);
  });

  it('join a container to its sandbox and confine it', () => {
    const { HostConfig: host, ...options } = containerOptions(settings, container);
    expect(options).toMatchObject({ name: 'k8s_main_p_ns_u_2', Entrypoint: ['/run'], Env: ['A=b'], User: '0:5' });
    expect(host).toMatchObject({
      NetworkMode: 'container:s',
      IpcMode: 'container:s',
      PidMode: 'container:s',
      Binds: ['/h:/c:ro,rslave'],
      CpuQuota: 25_000,
      MemorySwap: 1 << 20,
      CapAdd: ['NET_ADMIN'],
      SecurityOpt: ['no-new-privileges'],
      GroupAdd: ['7'],
      RestartPolicy: { Name: 'no' },
    });
  });

  it('label everything, so that only what is ours is touched', () => {
    const labels = containerOptions(settings, container).Labels ?? {};
    expect(isOwned(settings.owner, labels)).toBe(true);
    expect(isOwned({ cluster: 'c', node: 'other' }, labels)).toBe(false);
    // An anchor carries cluster and node too, but no pod.
    expect(isOwned(settings.owner, { 'io.wherry.cluster': 'c', 'io.wherry.node': 'n' })).toBe(false);
    expect(ownedFilter(settings.owner, 'u')).toEqual([
      'io.wherry.cluster=c',
      'io.wherry.node=n',
      'io.kubernetes.pod.uid=u',
    ]);
  });
});

describe('readContainer', () => {
  const read = (state: Partial<ContainerInspectInfo['State']>) => {
    const never = '0001-01-01T00:00:00Z';
    const full = {
      Running: false,
      Paused: false,
      Restarting: false,
      ExitCode: 0,
      Error: '',
      OOMKilled: false,
      StartedAt: never,
      FinishedAt: never,
      ...state,
    };
    const info = { Id: 'x', Created: '2025-01-01T00:00:00Z', State: full, Config: { Labels: {} } };
    return readContainer(info as unknown as ContainerInspectInfo);
  };
  const at = { StartedAt: '2025-01-01T00:00:01Z', FinishedAt: '2025-01-01T00:00:02Z' };
  it.each([
    [{}, { phase: 'created' }],
    [{ Running: true, StartedAt: at.StartedAt }, { phase: 'running' }],
    [{ ...at }, { phase: 'exited', exitCode: 0, reason: 'Completed' }],
    [
      { ...at, ExitCode: 2 },
      { phase: 'exited', exitCode: 2, reason: 'Error' },
    ],
    [
      { ...at, ExitCode: 137, OOMKilled: true },
      { phase: 'exited', reason: 'OOMKilled' },
    ],
    [
      { ExitCode: 127, Error: 'no such file' },
      { phase: 'exited', exitCode: 128, reason: 'StartError', message: 'no such file' },
    ],
  ])('%#', (state, expected) => {
    expect(read(state)).toMatchObject(expected);
  });
});

describe('frames', () => {
  it('are found whatever the pieces they come in', async () => {
    const frame = (kind: number, text: string) => {
      const header = Buffer.alloc(8);
      header[0] = kind;
      header.writeUInt32BE(text.length, 4);
      return Buffer.concat([header, Buffer.from(text)]);
    };
    const whole = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, '')]);
    for (const size of [1, 3, 8, 100]) {
      async function* pieces() {
        for (let offset = 0; offset < whole.length; offset += size) yield whole.subarray(offset, offset + size);
      }
      const found: string[] = [];
      for await (const { stream, payload } of frames(pieces())) found.push(`${stream}:${payload}`);
      expect(found).toEqual(['stdout:out', 'stderr:err', 'stdout:']);
    }
  });

  it('refuse what is no such stream', async () => {
    async function* text() {
      yield Buffer.from('plain text of a terminal');
    }
    await expect(frames(text()).next()).rejects.toThrow(RangeError);
  });
});
