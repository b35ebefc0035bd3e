import type { ConfigMap, Secret } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, updateRefusals } from '../validation-cases.ts';
import { configMapStrategy, secretStrategy } from './stored-data.ts';

const frozen = 'field is immutable when `immutable` is set';

function configMap(change: Partial<ConfigMap> = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'default' }, ...change };
}

function secret(change: Partial<Secret> = {}): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' }, ...change };
}

describe('a ConfigMap', () => {
  const cases: readonly (readonly [string, Partial<ConfigMap>, readonly string[]])[] = [
    ['text and bytes', { data: { 'a.b-c_d': 'x' }, binaryData: { e: 'AAE=' } }, []],
    [
      'a key with a slash',
      { data: { 'a/b': '' } },
      [
        `data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      ],
    ],
    [
      'one key twice',
      { data: { a: '' }, binaryData: { a: '' } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    ['more than a MiB', { data: { a: 'x'.repeat(1_048_577) } }, [': Too long: may not be more than 1048576 bytes']],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(configMapStrategy, configMap(change))).toEqual(refusals);
  });

  it('stays as it is once it is immutable', () => {
    const old = created(configMapStrategy, configMap({ immutable: true, data: { a: '1' } }));
    expect(updateRefusals(configMapStrategy, old, { ...old, data: { a: '2' } })).toEqual([
      `data: Forbidden: ${frozen}`,
    ]);
    expect(updateRefusals(configMapStrategy, old, { ...old, immutable: false })).toEqual([
      `immutable: Forbidden: ${frozen}`,
    ]);
  });

  it('shows how many entries it has', () => {
    expect(row(configMapStrategy, configMap({ data: { a: '' }, binaryData: { b: '' } }))).toMatchObject({ Data: 2 });
  });
});

describe('a Secret', () => {
  const cases: readonly (readonly [string, Partial<Secret>, readonly string[]])[] = [
    ['nothing', {}, []],
    ['basic auth', { type: 'kubernetes.io/basic-auth', stringData: { username: 'u' } }, []],
    [
      'a Docker configuration',
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{}' } },
      [],
    ],
    [
      'no user and no password',
      { type: 'kubernetes.io/basic-auth' },
      ['data[username]: Required value', 'data[password]: Required value'],
    ],
    [
      'no certificate',
      { type: 'kubernetes.io/tls' },
      ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
    ],
    ['no SSH key', { type: 'kubernetes.io/ssh-auth' }, ['data[ssh-privatekey]: Required value']],
    ['no Docker configuration', { type: 'kubernetes.io/dockercfg' }, ['data[.dockercfg]: Required value']],
    [
      'a Docker configuration that is no JSON',
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be well-formed JSON'],
    ],
    [
      'a token of nobody',
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(secretStrategy, secret(change))).toEqual(refusals);
  });

  it('keeps texts as data', () => {
    const result = created(secretStrategy, secret({ data: { a: 'AA==', b: 'AA==' }, stringData: { b: 'ü' } }));
    expect(result).toMatchObject({ type: 'Opaque', data: { a: 'AA==', b: 'w7w=' } });
    expect(result).not.toHaveProperty('stringData');
  });

  it('cannot change its type, and keeps it when the client does not say', () => {
    const old = created(secretStrategy, secret({ type: 'Opaque' }));
    expect(updateRefusals(secretStrategy, old, { ...old, type: 'other' })).toEqual([
      'type: Invalid value: "other": field is immutable',
    ]);
  });

  it('can be selected by type and shows it', () => {
    const object = secret({ type: 'kubernetes.io/tls', data: { a: '' } });
    expect(secretStrategy.fieldSelectors?.['type']?.(object)).toBe('kubernetes.io/tls');
    expect(row(secretStrategy, object)).toMatchObject({ Type: 'kubernetes.io/tls', Data: 1 });
  });
});
