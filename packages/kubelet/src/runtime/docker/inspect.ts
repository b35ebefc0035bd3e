// Docker's inspection of a container, as the plans want it.
import type { ContainerInspectInfo } from 'dockerode';
import type { RuntimeContainer, RuntimeSandbox } from '../../plan/runtime-state.ts';
import { containerFromLabels, sandboxFromLabels } from './labels.ts';

/** Docker writes year 1 for "never". */
function time(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
}

export function readSandbox(info: ContainerInspectInfo): RuntimeSandbox {
  const running = info.State.Running && !info.State.Paused;
  return {
    id: info.Id,
    ...sandboxFromLabels(info.Config.Labels),
    ready: running,
    createdAtMs: time(info.Created) ?? 0,
    ...(running && { pid: info.State.Pid }),
  };
}

/** Words of Docker's that a user can do nothing with. */
function cleanStartError(message: string): string {
  return message.replace(/^OCI runtime create failed: /, 'failed to create containerd task: ');
}

export function readContainer(info: ContainerInspectInfo): RuntimeContainer {
  const { State: state } = info;
  const createdAtMs = time(info.Created) ?? 0;
  const base = { id: info.Id, ...containerFromLabels(info.Config.Labels), createdAtMs };
  const startedAtMs = time(state.StartedAt);
  if (state.Running || state.Paused || state.Restarting) {
    return { ...base, phase: 'running', ...(startedAtMs !== undefined && { startedAtMs }) };
  }
  const finishedAtMs = time(state.FinishedAt);
  if (finishedAtMs === undefined && state.ExitCode === 0) return { ...base, phase: 'created' };
  if (startedAtMs === undefined) {
    // It could never be started: containerd's exit code and reason, which is what users of upstream see.
    const at = { startedAtMs: createdAtMs, finishedAtMs: createdAtMs };
    return {
      ...base,
      ...at,
      phase: 'exited',
      exitCode: 128,
      reason: 'StartError',
      message: cleanStartError(state.Error),
    };
  }
  const reason = state.OOMKilled ? 'OOMKilled' : state.ExitCode === 0 ? 'Completed' : 'Error';
  return {
    ...base,
    phase: 'exited',
    startedAtMs,
    finishedAtMs: finishedAtMs ?? startedAtMs,
    exitCode: state.ExitCode,
    reason,
  };
}
