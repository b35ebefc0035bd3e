import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction } from '@wherry/api';
import { checkName, checkNonNegative, checkPortNumberOrName, checkRequired } from '../../checks.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../../findings.ts';
import { httpHeaderName } from '../../names.ts';

export interface Probes {
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

const schemes = ['HTTP', 'HTTPS'];
const stopSignal = /^SIG[A-Z0-9+-]+$/;

/** A probe or a lifecycle hook: exactly one of these is set. */
type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>;

export function checkProbes(findings: Findings, container: Probes, path: string): void {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe !== undefined) checkDeadlineProbe(findings, livenessProbe, `${path}.livenessProbe`);
  if (readinessProbe !== undefined) {
    checkProbe(findings, readinessProbe, `${path}.readinessProbe`);
    if (readinessProbe.terminationGracePeriodSeconds !== undefined) {
      findings.push(
        invalid(
          `${path}.readinessProbe.terminationGracePeriodSeconds`,
          readinessProbe.terminationGracePeriodSeconds,
          'must not be set for readinessProbes',
        ),
      );
    }
  }
  if (startupProbe !== undefined) checkDeadlineProbe(findings, startupProbe, `${path}.startupProbe`);
}

/** `graceSeconds` is the pod's: a hook that sleeps longer would be killed in its sleep. */
export function checkLifecycle(
  findings: Findings,
  lifecycle: Lifecycle,
  graceSeconds: number | undefined,
  path: string,
): void {
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[hook];
    if (handler !== undefined) checkHandler(findings, handler, graceSeconds, `${path}.${hook}`);
  }
  if (lifecycle.stopSignal !== undefined && !stopSignal.test(lifecycle.stopSignal)) {
    findings.push(invalid(`${path}.stopSignal`, lifecycle.stopSignal, 'must be a valid signal name'));
  }
}

/** Liveness and startup probes act on the first failure series, so one success must be enough. */
function checkDeadlineProbe(findings: Findings, probe: Probe, path: string): void {
  checkProbe(findings, probe, path);
  if ((probe.successThreshold ?? 1) !== 1) {
    findings.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
}

function checkProbe(findings: Findings, probe: Probe, path: string): void {
  checkHandler(findings, probe, undefined, path);
  checkNonNegative(findings, probe.initialDelaySeconds, `${path}.initialDelaySeconds`);
  checkNonNegative(findings, probe.timeoutSeconds, `${path}.timeoutSeconds`);
  checkNonNegative(findings, probe.periodSeconds, `${path}.periodSeconds`);
  checkNonNegative(findings, probe.successThreshold, `${path}.successThreshold`);
  checkNonNegative(findings, probe.failureThreshold, `${path}.failureThreshold`);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    findings.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
}

function checkHandler(findings: Findings, handler: Handler, graceSeconds: number | undefined, path: string): void {
  let count = 0;
  const isFirst = (name: keyof Handler): boolean => {
    if (handler[name] === undefined) return false;
    count++;
    if (count === 1) return true;
    findings.push(forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'));
    return false;
  };
  if (isFirst('exec') && (handler.exec?.command ?? []).length === 0) {
    findings.push(required(`${path}.exec.command`, ''));
  }
  if (isFirst('httpGet') && handler.httpGet !== undefined) {
    checkHttpGet(findings, handler.httpGet, `${path}.httpGet`);
  }
  if (isFirst('tcpSocket')) checkPortNumberOrName(findings, handler.tcpSocket?.port, `${path}.tcpSocket.port`);
  if (isFirst('grpc')) checkPortNumberOrName(findings, handler.grpc?.port, `${path}.grpc.port`);
  if (isFirst('sleep') && handler.sleep !== undefined) {
    checkSleep(findings, handler.sleep, graceSeconds, `${path}.sleep`);
  }
  if (count === 0) findings.push(required(path, 'must specify a handler type'));
}

function checkHttpGet(findings: Findings, action: HTTPGetAction, path: string): void {
  checkRequired(findings, action.path, `${path}.path`);
  checkPortNumberOrName(findings, action.port, `${path}.port`);
  const scheme = action.scheme ?? '';
  if (!schemes.includes(scheme)) findings.push(notSupported(`${path}.scheme`, scheme, schemes));
  for (const header of action.httpHeaders ?? []) {
    checkName(findings, httpHeaderName, header.name, `${path}.httpHeaders`);
  }
}

function checkSleep(findings: Findings, sleep: SleepAction, graceSeconds: number | undefined, path: string): void {
  if (graceSeconds === undefined || (sleep.seconds >= 0 && sleep.seconds <= graceSeconds)) return;
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
  findings.push(invalid(path, sleep.seconds, detail));
}
