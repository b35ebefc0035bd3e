import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { renderKubeconfig } from './kubeconfig.ts';

test('renderKubeconfig gives one context with everything inside', () => {
  const text = renderKubeconfig({
    cluster: 'wherry-default',
    user: 'kubernetes-admin',
    server: 'https://127.0.0.1:6443',
    authority: 'CA',
    identity: { cert: 'CERT', key: 'KEY' },
  });
  expect(load(text)).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'wherry-default', cluster: { 'certificate-authority-data': 'Q0E=', server: 'https://127.0.0.1:6443' } },
    ],
    users: [{ name: 'kubernetes-admin', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } }],
    contexts: [{ name: 'wherry-default', context: { cluster: 'wherry-default', user: 'kubernetes-admin' } }],
    'current-context': 'wherry-default',
  });
});
