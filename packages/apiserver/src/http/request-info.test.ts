import { describe, expect, it } from 'vitest';
import { MalformedPath, parseRequestInfo } from './request-info.ts';

describe('parseRequestInfo', () => {
  it.each([
    ['GET', '/api/v1/pods', 'list', { resource: 'pods', namespace: '' }],
    ['GET', '/api/v1/namespaces/a/pods?watch=true', 'watch', { resource: 'pods', namespace: 'a' }],
    ['GET', '/api/v1/namespaces/a/pods/b', 'get', { resource: 'pods', namespace: 'a', name: 'b' }],
    ['GET', '/api/v1/namespaces/a/pods/b/log', 'get', { subresource: 'log', name: 'b' }],
    ['GET', '/api/v1/namespaces/a', 'get', { resource: 'namespaces', name: 'a', namespace: 'a' }],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update', { resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['GET', '/api/v1/namespaces/a/status', 'get', { resource: 'namespaces', subresource: 'status' }],
    ['GET', '/api/v1/watch/namespaces/a/pods', 'watch', { resource: 'pods', namespace: 'a' }],
    ['GET', '/api/v1/watch/pods', 'watch', { resource: 'pods' }],
    [
      'POST',
      '/apis/apps/v1/namespaces/a/deployments',
      'create',
      { group: 'apps', version: 'v1', resource: 'deployments' },
    ],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection', { resource: 'deployments' }],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/x/scale', 'patch', { subresource: 'scale', name: 'x' }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx', 'list', { name: 'x' }],
    ['GET', '/api/v1/nodes/n/proxy/stats/summary', 'get', { subresource: 'proxy', rest: 'stats/summary' }],
    ['GET', '/api/v1/namespaces/a/pods/b%3A80/proxy', 'get', { name: 'b:80' }],
  ])('%s %s is %s', (method, target, verb, expected) => {
    const [path = '', query = ''] = target.split('?');
    const info = parseRequestInfo(method, path, new URLSearchParams(query));
    expect(info).toMatchObject({ isResourceRequest: true, verb, ...expected });
  });

  it.each([
    '/',
    '/api',
    '/api/v1',
    '/apis',
    '/apis/apps',
    '/apis/apps/v1',
    '/healthz',
    '/openapi/v2',
  ])('%s is no resource', (path) => {
    expect(parseRequestInfo('GET', path, new URLSearchParams())).toMatchObject({
      isResourceRequest: false,
      verb: 'get',
    });
  });

  it('refuses an escape that cannot be decoded', () => {
    expect(() => parseRequestInfo('GET', '/api/v1/pods/%zz', new URLSearchParams())).toThrow(MalformedPath);
  });
});
