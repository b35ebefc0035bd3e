import type { CronJob, CronJobSpec } from '@wherry/api';
import { ageColumn, count, nameColumn, none, podColumns, selectorText, text, trueFalse } from '../cells.ts';
import { checkNonNegative, checkOneOf } from '../checks.ts';
import { templateWarnings } from '../core/pod/warnings.ts';
import { type Findings, invalid, notSupported, required } from '../findings.ts';
import { since } from '../human-duration.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkJobSpec } from './job-spec.ts';
import { scheduleProblem } from './schedule.ts';

/** Jobs are named after their CronJob, a dash and the minute, in at most 63 letters. */
const nameLengthMax = 52;

export const cronJobStrategy = strategyOf<CronJob>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, job) => {
    if (job.spec === undefined) findings.push(required('spec.schedule', ''));
    else checkCronJobSpec(findings, job.spec);
  },
  checkCreate: (findings, job) => {
    const name = job.metadata?.name ?? '';
    if (name.length > nameLengthMax) {
      findings.push(invalid('metadata.name', name, `must be no more than ${nameLengthMax} characters`));
    }
    checkNoZoneInSchedule(findings, job.spec?.schedule ?? '');
  },
  checkUpdate: (findings, next, old) => {
    if (next.spec?.schedule !== old.spec?.schedule) checkNoZoneInSchedule(findings, next.spec?.schedule ?? '');
  },
  warnings: (job) => templateWarnings(job.spec?.jobTemplate.spec?.template, 'spec.jobTemplate.spec.template'),
  columns: [
    nameColumn,
    text('Schedule', (job) => job.spec?.schedule ?? ''),
    text('Timezone', (job) => job.spec?.timeZone ?? none),
    { ...text<CronJob>('Suspend', (job) => trueFalse(job.spec?.suspend)), type: 'boolean' },
    count('Active', (job) => (job.status?.active ?? []).length),
    text('Last Schedule', (job, nowMs) =>
      job.status?.lastScheduleTime === undefined ? none : since(job.status.lastScheduleTime, nowMs),
    ),
    ageColumn,
    ...podColumns<CronJob>(
      (job) => job.spec?.jobTemplate.spec?.template.spec?.containers,
      (job) => selectorText(job.spec?.jobTemplate.spec?.selector),
    ),
  ],
});

function checkCronJobSpec(findings: Findings, spec: CronJobSpec): void {
  if (spec.schedule === '') findings.push(required('spec.schedule', ''));
  else {
    const problem = scheduleProblem(spec.schedule);
    if (problem !== undefined) findings.push(invalid('spec.schedule', spec.schedule, problem));
  }
  checkNonNegative(findings, spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds');
  checkOneOf(findings, spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy');
  const template = spec.jobTemplate?.spec;
  const path = 'spec.jobTemplate.spec';
  if (template === undefined) findings.push(required(`${path}.template`, ''));
  else {
    checkJobSpec(findings, template, path);
    if (template.selector !== undefined) {
      findings.push(invalid(`${path}.selector`, template.selector, '`selector` will be auto-generated'));
    }
    if (template.manualSelector === true) {
      findings.push(notSupported(`${path}.manualSelector`, true, ['nil', 'false']));
    }
  }
  checkNonNegative(findings, spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit');
  checkNonNegative(findings, spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit');
  if (spec.timeZone !== undefined) checkTimeZone(findings, spec.timeZone);
}

function checkNoZoneInSchedule(findings: Findings, schedule: string): void {
  if (!schedule.includes('TZ')) return;
  const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  findings.push(invalid('spec.schedule', schedule, detail));
}

function checkTimeZone(findings: Findings, zone: string): void {
  if (zone === '') {
    findings.push(invalid('spec.timeZone', zone, 'must be nil or non-empty string'));
  } else if (zone.toLowerCase() === 'local') {
    const detail = 'must be an explicit time zone as defined in https://www.iana.org/time-zones';
    findings.push(invalid('spec.timeZone', zone, detail));
  } else if (!isTimeZone(zone)) {
    findings.push(invalid('spec.timeZone', zone, `unknown time zone ${zone}`));
  }
}

function isTimeZone(zone: string): boolean {
  // Intl also takes offsets, which the time zone database does not know.
  if (/^[+-]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
