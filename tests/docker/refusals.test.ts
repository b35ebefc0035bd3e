import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap, Status } from '@wherry/api';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../harness/run.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'refusals';

interface Answer {
  readonly code: number;
  readonly status: Status;
}

describe('bad input', () => {
  let ca: string;
  let server: string;
  let admin: Agent;
  beforeAll(async () => {
    const credentials = cluster.credentials();
    ({ ca, server } = credentials);
    admin = new Agent({ connect: { ca, cert: credentials.cert, key: credentials.key } });
    await cluster.kubectlOk(['create', 'namespace', namespace]);
  });
  afterAll(async () => {
    await admin.close();
    await cluster.kubectlOk(['delete', 'namespace', namespace]);
  });

  async function send(
    method: 'POST' | 'PUT' | 'PATCH' | 'GET',
    path: string,
    body?: string,
    type = 'application/json',
    agent = admin,
  ): Promise<Answer> {
    const response = await request(`${server}${path}`, {
      method,
      dispatcher: agent,
      ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
    });
    return { code: response.statusCode, status: (await response.body.json()) as Status };
  }
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
  const nothingStored = async () =>
    expect(await cluster.kubectlOk(['get', 'configmaps', '-n', namespace, '-o', 'name'])).toBe(
      'configmap/kube-root-ca.crt\n',
    );

  it.each([
    ['malformed JSON', '{"kind": ', 'application/json', 400, 'BadRequest'],
    ['malformed YAML', 'a: [b', 'application/yaml', 400, 'BadRequest'],
    [
      'a wrong type',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":1}}',
      'application/json',
      400,
      'BadRequest',
    ],
    [
      'a wrong kind',
      '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}',
      'application/json',
      400,
      'BadRequest',
    ],
    [
      'a bad name',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"No_Good"}}',
      'application/json',
      422,
      'Invalid',
    ],
    ['an unknown media type', 'x', 'text/plain', 415, 'UnsupportedMediaType'],
    [
      '5 MB',
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"${'x'.repeat(5_000_000)}"}}`,
      'application/json',
      413,
      'RequestEntityTooLarge',
    ],
  ])('refuses %s', async (_, body, type, code, reason) => {
    const answer = await send('POST', configMaps, body, type);
    expect(answer.code).toBe(code);
    expect(answer.status).toMatchObject({ kind: 'Status', status: 'Failure', reason, code });
    expect(answer.status.message).toBeTruthy();
    await nothingStored();
  });

  it('refuses unknown fields when asked to be strict, and warns otherwise', async () => {
    const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"daata":{}}';
    const strict = await send('POST', `${configMaps}?fieldValidation=Strict`, body);
    expect(strict.code).toBe(400);
    expect(strict.status.message).toContain('strict decoding error: unknown field "daata"');
    await nothingStored();
    const lenient = await request(`${server}${configMaps}?fieldValidation=Warn&dryRun=All`, {
      method: 'POST',
      dispatcher: admin,
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(lenient.statusCode).toBe(201);
    expect(lenient.headers['warning']).toBe('299 - "unknown field \\"daata\\""');
    await lenient.body.dump();
  });

  it('names every invalid field of a pod', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bad', namespace },
      spec: { containers: [{ name: 'A b', image: '' }], restartPolicy: 'Sometimes' },
    };
    const { stderr } = await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) });
    expect(stderr).toContain('The Pod "bad" is invalid');
    expect(stderr).toContain('spec.containers[0].name: Invalid value: "A b"');
    expect(stderr).toContain('spec.containers[0].image: Required value');
    expect(stderr).toContain('spec.restartPolicy: Unsupported value: "Sometimes"');
  });

  it('refuses an update of an old version and keeps the newer one', async () => {
    const create = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'versions' }, data: { a: '1' } };
    const first = (await send('POST', configMaps, JSON.stringify(create))).status as unknown as ConfigMap;
    const update = (data: object) => send('PUT', `${configMaps}/versions`, JSON.stringify({ ...first, data }));
    expect((await update({ a: '2' })).code).toBe(200);
    const stale = await update({ a: '3' });
    expect(stale.status).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "versions": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect(await cluster.kubectlOk(['get', 'configmap', 'versions', '-n', namespace, '-o', 'jsonpath={.data.a}'])).toBe(
      '2',
    );
    await cluster.kubectlOk(['delete', 'configmap', 'versions', '-n', namespace]);
  });

  it('answers 415 to server-side apply in CBOR', async () => {
    const answer = await send(
      'PATCH',
      `${configMaps}/x?fieldManager=test`,
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}',
      'application/apply-patch+cbor',
    );
    expect(answer).toMatchObject({ code: 415, status: { reason: 'UnsupportedMediaType' } });
    await nothingStored();
  });

  it('refuses callers without credentials, with foreign certificates and without rights', async () => {
    const nobody = new Agent({ connect: { ca } });
    expect((await send('GET', '/api/v1/nodes', undefined, undefined, nobody)).code).toBe(401);
    expect((await send('GET', '/version', undefined, undefined, nobody)).code).toBe(200);
    const badToken = await request(`${server}/api/v1/nodes`, {
      dispatcher: nobody,
      headers: { authorization: 'Bearer nonsense' },
    });
    expect(badToken.statusCode).toBe(401);
    expect(await badToken.body.json()).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    const forged = await selfSigned();
    const stranger = new Agent({ connect: { ca, ...forged } });
    expect((await send('GET', '/api/v1/nodes', undefined, undefined, stranger)).code).toBe(401);
    const { stderr } = await cluster.kubectl([
      'get',
      'secrets',
      '-n',
      namespace,
      '--as',
      'system:serviceaccount:default:default',
    ]);
    expect(stderr).toContain(
      `Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:default:default" cannot list resource "secrets" in API group "" in the namespace "${namespace}"`,
    );
    await Promise.all([nobody.close(), stranger.close()]);
  });
});

/** A certificate that claims to be an administrator, signed by nobody we trust. */
async function selfSigned(): Promise<{ readonly cert: string; readonly key: string }> {
  const [key, cert] = [join(cluster.home, 'forged.key'), join(cluster.home, 'forged.crt')];
  const subject = '/O=system:masters/CN=kubernetes-admin';
  const made = await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
    '-subj',
    subject,
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  if (made.code !== 0) throw new Error(`openssl failed: ${made.stderr}`);
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
