import { describe, expect, it } from 'vitest';
import { type KubeconfigFile, minified, redacted } from './kubeconfig-file.ts';

const file: KubeconfigFile = {
  kind: 'Config',
  'current-context': 'b',
  clusters: [
    { name: 'one', cluster: { server: 's', 'certificate-authority-data': 'x' } },
    { name: 'two', cluster: { server: 't' } },
  ],
  users: [{ name: 'u', user: { token: 'secret', 'client-key-data': 'y' } }],
  contexts: [
    { name: 'a', context: { cluster: 'two', user: 'u' } },
    { name: 'b', context: { cluster: 'one', user: 'u' } },
  ],
};

describe('kubeconfigs', () => {
  it('are shown without keys', () => {
    expect(JSON.stringify(redacted(file))).not.toMatch(/secret|"x"|"y"/);
    expect(redacted(file).clusters?.[0]?.cluster).toEqual({
      server: 's',
      'certificate-authority-data': 'DATA+OMITTED',
    });
  });

  it('can be cut down to the current context', () => {
    const { clusters, contexts } = minified(file);
    expect([clusters?.map(({ name }) => name), contexts?.map(({ name }) => name)]).toEqual([['one'], ['b']]);
    expect(() => minified({ ...file, 'current-context': 'c' })).toThrow('current-context must exist');
  });
});
