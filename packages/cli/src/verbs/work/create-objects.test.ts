import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMap, containerName, deployment, disruptionBudget, registrySecret, secret } from './create-objects.ts';
import { clusterIp, ingress, nodePort } from './create-services.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-create-'));
  writeFileSync(join(folder, 'text'), 'ü');
  writeFileSync(join(folder, 'bytes'), Buffer.of(0xff, 0));
  writeFileSync(join(folder, 'env'), '# x\nA=1\n\nB=x=y\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('create', () => {
  it.each([
    ['web', 'web'],
    ['registry.io:5000/a/web:1', 'web'],
    ['a/web@sha256:00', 'web'],
  ])('names a container of %s %s', (image, name) => expect(containerName(image)).toBe(name));

  it('a config map of literals and files, text and bytes apart', () => {
    const object = configMap('m', { fromLiteral: ['a=b=c'], fromFile: [`${folder}/text`, `k=${folder}/bytes`] });
    expect(object).toMatchObject({ data: { a: 'b=c', text: 'ü' }, binaryData: { k: '/wA=' } });
    expect(configMap('m', { fromEnvFile: [`${folder}/env`] })).toMatchObject({ data: { A: '1', B: 'x=y' } });
  });

  it.each([
    [{ fromLiteral: ['a'] }, 'invalid literal source a, expected key=value'],
    [{ fromLiteral: ['a=1', 'a=2'] }, 'cannot add key a, another key by that name already exists'],
    [{ fromFile: ['/nowhere'] }, 'error reading /nowhere: no such file or directory'],
  ])('no secret of %j', (flags, message) => expect(() => secret('s', flags)).toThrow(message));

  it('access to a registry', () => {
    const object = registrySecret('r', { dockerServer: 's', dockerUsername: 'u', dockerPassword: 'p' });
    const { data } = object as { data?: Record<string, string> };
    const text = Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8');
    expect(text).toBe('{"auths":{"s":{"username":"u","password":"p","auth":"dTpw"}}}');
  });

  it('refuses what does not go together', () => {
    expect(() => deployment('d', { image: ['a', 'b'], replicas: '1' }, ['x'])).toThrow('multiple --image');
    expect(() => deployment('d', { image: ['a'], replicas: 'x' }, [])).toThrow('not a whole number');
    expect(() => disruptionBudget('p', { selector: 'a=b' })).toThrow('must be specified');
    expect(() => clusterIp('s', {})).toThrow('at least one tcp port');
  });

  it('services', () => {
    expect(nodePort('s', { tcp: ['80:http'], nodePort: '30100' })).toMatchObject({
      spec: { type: 'NodePort', ports: [{ name: '80-http', port: 80, targetPort: 'http', nodePort: 30100 }] },
    });
  });

  it('an ingress', () => {
    const backend = { service: { name: 'svc', port: { name: 'http' } } };
    expect(ingress('i', { rule: ['a.b/c*=svc:http,tls=own', '/x=svc:80'] })).toMatchObject({
      spec: {
        rules: [
          { host: 'a.b', http: { paths: [{ path: '/c', pathType: 'Prefix', backend }] } },
          { http: { paths: [{ path: '/x', pathType: 'Exact', backend: { service: { port: { number: 80 } } } }] } },
        ],
        tls: [{ hosts: ['a.b'], secretName: 'own' }],
      },
    });
  });
});
