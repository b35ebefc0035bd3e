// Cron schedules as CronJobs write them: five fields, or a descriptor such as @daily. Only whether one can be read.
interface FieldRange {
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const fields: readonly FieldRange[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  {
    low: 1,
    high: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { low: 0, high: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const every = '@every ';
const goDuration = /^([+-]?)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/;

/** What is wrong with a schedule; undefined when nothing is. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule === '') return 'empty spec string';
  const text = withoutZone(schedule);
  if (text.startsWith('@')) return descriptorProblem(text);
  const parts = text.trim().split(/\s+/).filter(Boolean);
  if (parts.length !== fields.length) {
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(' ')}]`;
  }
  for (const [index, range] of fields.entries()) {
    const problem = fieldProblem(parts[index] ?? '', range);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function withoutZone(schedule: string): string {
  return schedule.replace(/^(TZ|CRON_TZ)=\S+\s*/, '');
}

function descriptorProblem(text: string): string | undefined {
  if (descriptors.has(text)) return undefined;
  if (!text.startsWith(every)) return `unrecognized descriptor: ${text}`;
  const duration = text.slice(every.length);
  if (goDuration.test(duration)) return undefined;
  return `failed to parse duration ${text}: time: invalid duration "${duration}"`;
}

function fieldProblem(field: string, range: FieldRange): string | undefined {
  for (const expression of field.split(',').filter(Boolean)) {
    const problem = rangeProblem(expression, range);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function rangeProblem(expression: string, range: FieldRange): string | undefined {
  const [span = '', stepText, ...moreSteps] = expression.split('/');
  const [lowText = '', highText, ...moreBounds] = span.split('-');
  if (moreSteps.length > 0) return `too many slashes: ${expression}`;
  let { low: start, high: end } = range;
  if (lowText !== '*' && lowText !== '?') {
    if (moreBounds.length > 0) return `too many hyphens: ${expression}`;
    const low = readNumber(lowText, range.names);
    if (typeof low === 'string') return low;
    start = low;
    end = highText === undefined && stepText === undefined ? low : range.high;
    if (highText !== undefined) {
      const high = readNumber(highText, range.names);
      if (typeof high === 'string') return high;
      end = high;
    }
  }
  const step = stepText === undefined ? 1 : readNumber(stepText, undefined);
  if (typeof step === 'string') return step;
  if (start < range.low) return `beginning of range (${start}) below minimum (${range.low}): ${expression}`;
  if (end > range.high) return `end of range (${end}) above maximum (${range.high}): ${expression}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  return step === 0 ? `step of range should be a positive number: ${expression}` : undefined;
}

/** The number, or what is wrong with the text. Names count from the first value of their field. */
function readNumber(text: string, names: readonly string[] | undefined): number | string {
  const position = names?.indexOf(text.toLowerCase()) ?? -1;
  if (names !== undefined && position !== -1) return position + (names.length === 12 ? 1 : 0);
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`;
  if (!/^\d+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`;
  return Number(text);
}
