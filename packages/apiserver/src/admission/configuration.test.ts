import { describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/test-server.ts';
import { defaultConfiguration, readAdmissionConfiguration } from './configuration.ts';

const none = async (): Promise<unknown> => undefined;

describe('the configuration file', () => {
  it('sets defaults and exemptions of PodSecurity and what ResourceQuota limits', async () => {
    const file = {
      plugins: [
        { name: 'PodSecurity', path: 'security.yaml' },
        {
          name: 'ResourceQuota',
          configuration: {
            limitedResources: [
              { resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
            ],
          },
        },
      ],
    };
    const security = {
      defaults: { enforce: 'baseline', 'warn-version': 'v1.30' },
      exemptions: { namespaces: ['kube-system'] },
    };
    const read = await readAdmissionConfiguration(file, async (path) =>
      path === 'security.yaml' ? security : undefined,
    );
    expect(read.podSecurity.defaults).toEqual({
      enforce: { level: 'baseline', version: 'latest' },
      audit: { level: 'privileged', version: 'latest' },
      warn: { level: 'privileged', version: 30 },
    });
    expect([...read.podSecurity.exemptions.namespaces]).toEqual(['kube-system']);
    expect(read.limitedResources).toMatchObject([{ resource: '/pods', matchScopes: [{ scopeName: 'PriorityClass' }] }]);
    expect(await readAdmissionConfiguration({}, none)).toEqual(defaultConfiguration);
  });

  it.each([
    ['no object', 7, 'the file is no object'],
    ['a level', { plugins: [{ name: 'PodSecurity', configuration: { defaults: { warn: 'x' } } }] }, 'defaults.warn'],
    ['another plugin', { plugins: [{ name: 'Priority', configuration: {} }] }, 'admission plugin "Priority"'],
  ])('is refused for %s', async (_, document, message) => {
    await expect(readAdmissionConfiguration(document, none)).rejects.toThrow(message);
  });
});

describe('plugins', () => {
  it('are switched on and off by name', async () => {
    await using api = await startTestServer({
      admission: { enable: ['ExtendedResourceToleration'], disable: ['ServiceAccount'] },
    });
    const container = { name: 'c', image: 'i', resources: { limits: { 'example.com/gpu': '1' } } };
    const made = await api.request('POST', '/api/v1/namespaces/default/pods', {
      body: { metadata: { name: 'p' }, spec: { containers: [container] } },
    });
    expect(made.json.spec?.['serviceAccountName']).toBeUndefined();
    expect(made.json.spec?.['tolerations']).toContainEqual({
      key: 'example.com/gpu',
      operator: 'Exists',
      effect: 'NoSchedule',
    });
  });

  it('are refused by names that there are not', async () => {
    await expect(startTestServer({ admission: { enable: ['Nonsense'] } })).rejects.toThrow(
      'Unknown admission plugin "Nonsense"',
    );
  });
});
