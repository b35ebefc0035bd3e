import type { Pod, Service } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { parsePorts, podPort, servicePort } from './forwarded-ports.ts';

const pod = {
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] },
} as Pod;
const service = {
  metadata: { name: 's' },
  spec: {
    clusterIP: '10.96.0.5',
    ports: [
      { name: 'web', port: 80, targetPort: 'http' },
      { name: 'x', port: 81 },
    ],
  },
} as Service;
const ofPod = (text: string) => podPort(pod, text);

describe('parsePorts', () => {
  it.each([
    ['8080', { local: 8080, remote: 8080 }],
    ['9000:8080', { local: 9000, remote: 8080 }],
    [':8080', { local: 0, remote: 8080 }],
    ['http', { local: 8080, remote: 8080 }],
    ['9000:http', { local: 9000, remote: 8080 }],
  ])('%s', (word, port) => expect(parsePorts([word], ofPod)).toEqual([port]));

  it.each(['99999', '1:2:3', 'x:80', '80:none', '1:0'])('refuses %s', (word) => {
    expect(() => parsePorts([word], ofPod)).toThrow();
  });
});

describe('servicePort', () => {
  it.each([
    ['80', 8080],
    ['web', 8080],
    ['81', 81],
  ])('%s', (text, port) => expect(servicePort(service, pod, text)).toBe(port));
  it('knows only the service’s ports', () => {
    expect(() => servicePort(service, pod, '8080')).toThrow('Service s does not have a service port 8080');
  });
});
