import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { describeFlags, FlagError, parseFlags } from './flags.ts';

const spec = {
  name: { kind: 'string', help: 'who' },
  mode: { kind: 'string', default: 'a', choices: ['a', 'b'], help: 'how' },
  port: { kind: 'integer', default: 6443, min: 0, max: 65535, help: 'where' },
  grace: { kind: 'duration', default: 50_000, help: 'how long' },
  'leader-elect': { kind: 'boolean', default: true, help: 'whether' },
  servers: { kind: 'list', default: [], help: 'whom' },
  note: { kind: 'string', optional: true, help: 'what' },
} as const;

describe('parseFlags', () => {
  it('takes both spellings, repeated lists, bare booleans and defaults', () => {
    const flags = parseFlags(spec, [
      '--name',
      'n',
      '--grace=1m30s',
      '--servers',
      'a,b',
      '--servers=c',
      '--leader-elect=false',
    ]);
    expect(flags).toEqual({
      name: 'n',
      mode: 'a',
      port: 6443,
      grace: 90_000,
      'leader-elect': false,
      servers: ['a', 'b', 'c'],
      note: undefined,
    });
  });

  it('falls back to the environment, which the command line overrules', () => {
    const environment = { WHERRY_NAME: 'env', WHERRY_LEADER_ELECT: 'false' };
    expect(parseFlags(spec, [], environment)).toMatchObject({ name: 'env', 'leader-elect': false });
    expect(parseFlags(spec, ['--name=argv'], environment).name).toBe('argv');
  });

  it('reports every problem at once', () => {
    const wrong = [
      '--mode=c',
      '--port',
      '99999',
      '--grace=soon',
      '--nope',
      'x',
      'stray',
      '--leader-elect=maybe',
      '--note',
    ];
    let error: unknown;
    try {
      parseFlags(spec, wrong);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FlagError);
    expect((error as FlagError).problems).toEqual([
      'Unknown flag --nope',
      'Unexpected argument "stray"',
      '--note needs a value',
      '--name is required: who',
      '--mode is "c", must be one of a, b',
      '--port is 99999, must be from 0 to 65535',
      '--grace is "soon", must be a duration such as 10s or 1m30s',
      '--leader-elect is "maybe", must be true or false',
    ]);
  });

  it('does not take inherited properties for flags', () => {
    expect(() => parseFlags(spec, ['--name=n', '--toString=1'])).toThrow('Unknown flag --toString');
  });

  it('describes each flag with its default', () => {
    expect(describeFlags(spec)).toContain('--port <integer>\n        where (default 6443)');
  });
});

describe('durations', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['-10s', -10_000],
    ['10', undefined],
    ['', undefined],
    ['1d', undefined],
  ])('parses %j', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    [0, '0s'],
    [500, '500ms'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [1500, '1.5s'],
  ])('formats %d ms', (ms, text) => expect(formatDuration(ms)).toBe(text));
});
