import { parseFlags } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { flags, readConfig } from './config.ts';

const read = (...argv: string[]) => readConfig(parseFlags(flags, ['--backend-ca-file=ca.crt', ...argv]));

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:6443', { host: '127.0.0.1', port: 6443, text: '127.0.0.1:6443' }],
    ['apiserver-1:6443', { host: 'apiserver-1', port: 6443, text: 'apiserver-1:6443' }],
    ['[::1]:6443', { host: '::1', port: 6443, text: '[::1]:6443' }],
    ['::1:6443', undefined],
    ['host', undefined],
    [':6443', undefined],
    ['host:0', undefined],
    ['host:65536', undefined],
    ['http://host:1', undefined],
  ])('reads %j', (text, expected) => expect(parseAddress(text)).toEqual(expected));
});

describe('readConfig', () => {
  it('takes several addresses and the defaults', () => {
    const config = read('--listen=0.0.0.0:6443', '--listen=[::]:6443', '--backend=a:1', '--backend=b:1');
    expect(config.listen.map(({ text }) => text)).toEqual(['0.0.0.0:6443', '[::]:6443']);
    expect(config.backends.map(({ text }) => text)).toEqual(['a:1', 'b:1']);
    expect(config.check).toEqual({ intervalMs: 250, timeoutMs: 650 });
    expect(config.thresholds).toEqual({ healthy: 2, unhealthy: 2 });
  });

  it('keeps a dead or paused backend below a second by default', () => {
    const { intervalMs, timeoutMs } = read('--listen=a:1', '--backend=b:1').check;
    expect(intervalMs + timeoutMs).toBeLessThan(1000);
  });

  it('names every problem at once', () => {
    const wrong = ['--listen=here', '--backend=a:1', '--backend=a:1', '--shutdown-grace-period=10s'];
    expect(() => read(...wrong, '--health-check-path=readyz', '--health-check-timeout=1ms')).toThrow(
      [
        '--listen is "here", must be HOST:PORT',
        '--backend a:1 is given twice',
        '--health-check-timeout is 1ms, must be from 20ms to 1h0m0s',
        '--shutdown-grace-period is 10s, must be from 0s to 9s',
        '--health-check-path is "readyz", must be a path',
      ].join('\n'),
    );
  });

  it('refuses itself and too many', () => {
    expect(() => read('--listen=a:1', '--backend=a:1')).toThrow('--backend a:1 is this balancer itself');
    const many = Array.from({ length: 65 }, (_, index) => `--backend=a:${index + 2}`);
    expect(() => read('--listen=a:1', ...many)).toThrow('--backend is given 65 times, at most 64 are served');
  });
});
