import { describe, expect, it } from 'vitest';
import { parseImageReference, pullPolicy, registryAuth } from './image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseImageReference', () => {
  it.each([
    ['busybox', { registry: 'docker.io', repository: 'library/busybox', tag: 'latest', text: 'busybox:latest' }],
    ['wherry/echo:1', { registry: 'docker.io', repository: 'wherry/echo', tag: '1', text: 'wherry/echo:1' }],
    ['localhost/x', { registry: 'localhost', repository: 'x', text: 'localhost/x:latest' }],
    [
      'reg.example:5000/a/b:v1',
      { registry: 'reg.example:5000', repository: 'a/b', tag: 'v1', text: 'reg.example:5000/a/b:v1' },
    ],
    [`a@${digest}`, { registry: 'docker.io', tag: undefined, digest, text: `a@${digest}` }],
  ])('%s', (name, expected) => {
    expect(parseImageReference(name)).toMatchObject(expected);
  });

  it.each(['', 'UPPER', 'a b', 'x:', 'x@sha256:1', 'a//b', '-a'])('refuses "%s"', (name) => {
    expect(parseImageReference(name)).toBeUndefined();
  });
});

describe('pullPolicy', () => {
  it('pulls always only for latest, unless told', () => {
    expect([
      pullPolicy('a', undefined),
      pullPolicy('a:1', undefined),
      pullPolicy(`a@${digest}`, undefined),
      pullPolicy('a', 'Never'),
    ]).toEqual(['Always', 'IfNotPresent', 'IfNotPresent', 'Never']);
  });
});

describe('registryAuth', () => {
  it('finds the entry of a registry in either form', () => {
    const config = {
      auths: {
        'reg.example': { auth: btoa('me:pa:ss') },
        'https://index.docker.io/v1/': { username: 'u', password: 'p' },
      },
    };
    expect(registryAuth([config], 'reg.example')).toEqual({
      username: 'me',
      password: 'pa:ss',
      serveraddress: 'reg.example',
    });
    expect(registryAuth([{}, config], 'docker.io')).toMatchObject({ username: 'u', password: 'p' });
    expect(registryAuth([config, 'nonsense', null], 'elsewhere')).toBeUndefined();
  });
});
