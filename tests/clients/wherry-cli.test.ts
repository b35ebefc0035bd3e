import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';

/** wherry's verbs beside the official kubectl, on a control plane with one simulated node. */
const cluster = new Cluster({ name: 'wherry-cli', nodes: 1, port: 36445, flags: ['--runtime', 'hollow'] });
const folder = mkdtempSync(join(tmpdir(), 'wherry-cli-'));

const workloads = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, tier: front}
  annotations: {html: "<a href='x'>&amp;</a>", long: "${'word '.repeat(40).trim()}"}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example/web:1
        ports: [{containerPort: 8080, name: http}, {containerPort: 9090, protocol: UDP}]
        env: [{name: LEVEL, value: "yes"}, {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 128Mi}}
        readinessProbe: {httpGet: {path: /healthz, port: http}}
        volumeMounts: [{name: scratch, mountPath: /tmp}]
      volumes: [{name: scratch, emptyDir: {}}, {name: conf, configMap: {name: conf, defaultMode: 0644}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {type: NodePort, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {"true": "on", text: "two\\nlines\\n", mode: "0644"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: once, image: example/once, command: ["true"]}]}}}
`;

interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Times pass between two calls, and the programs have different names. */
function comparable(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('WARNING: version difference'))
    .join('\n')
    .replaceAll('kubectl', 'wherry')
    .replace(/ *\b(\d+[smhd])+\b/g, ' AGE')
    .replace(/-{3,}/g, '---');
}

async function both(args: readonly string[]): Promise<readonly [Answer, Answer]> {
  const [official, own] = await Promise.all([cluster.kubectl(args), cluster.wherry(args)]);
  const answer = ({ code, stdout, stderr }: typeof own): Answer => ({
    code,
    out: comparable(stdout),
    err: comparable(stderr),
  });
  return [answer(official), answer(own)];
}

/** Words of a command line; what is quoted by ' stays together. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

describe('wherry beside kubectl', () => {
  beforeAll(async () => {
    await cluster.up();
    writeFileSync(join(folder, 'workloads.yaml'), workloads);
    await cluster.wherryOk(['apply', '-f', join(folder, 'workloads.yaml')]);
    await cluster.wherryOk(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await cluster.wherryOk(['wait', 'pod', '-l', 'job-name=once', '--for=create', '--timeout=30s']);
  });
  afterAll(async () => {
    await cluster.down();
    rmSync(folder, { recursive: true });
    rmSync(cluster.home, { recursive: true, force: true });
  });

  it.each([
    'get pods',
    'get pods,services',
    'get all -A',
    'get nodes -o wide',
    'get deploy/web svc/web',
    'get deploy web --show-labels',
    'get pods -L app,tier',
    'get pods --no-headers -l app=web --sort-by=.metadata.name',
    '-n kube-system get services -o=name',
    'get cm conf -o yaml',
    'get cm conf -o json',
    'get deploy,svc,job -o yaml',
    'get clusterroles -o yaml',
    'get deploy web -o custom-columns=NAME:.metadata.name,L:.metadata.labels,NONE:.x',
    `get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'`,
    `get nodes -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'`,
    'get deploy web -o jsonpath={.spec.template.spec}',
    'get --raw /healthz',
    'describe deployment web',
    'describe pods -l app=web',
    'describe service web',
    'describe job once',
    'describe configmap kube-root-ca.crt',
    'describe clusterrole edit',
    'describe namespace default',
    'describe priorityclass',
    'api-resources',
    'api-versions',
    'explain deployment.spec.template.spec.containers --recursive',
    'auth whoami',
    'auth can-i create pods --as=bob',
    'config get-contexts',
    'rollout status deployment/web',
    'rollout history deployment/web',
    'events --types=Warning -n kube-public',
    'label deployment web tier=front --overwrite --dry-run=server',
    'create role r --verb=get,list --resource=pods,deployments.apps --dry-run=server -o jsonpath={.rules}',
    'expose deployment web --name=other --port=80 --dry-run=server',
    'drain node-1 --ignore-daemonsets --dry-run=client',
  ])('agrees about: %s', async (line) => {
    const [official, own] = await both(words(line));
    expect(own).toEqual(official);
    expect(own.code).toBe(line.startsWith('auth can-i') ? 1 : line.startsWith('drain') ? 1 : 0);
  });

  it.each([
    'get pods nobody nothing',
    'get nonsense',
    'get deployment web nobody -o name',
    'describe pod nobody',
    'delete pod nobody',
    'delete pods',
    'apply -f /nowhere.yaml',
    'create namespace default',
    'scale deployment web --replicas=3 --current-replicas=7',
    'label deployment web tier=back',
    'patch deployment web',
    'rollout undo deployment/web --to-revision=99',
    'rollout resume deployment/web',
    'logs nobody',
    'exec nobody -- true',
    'taint node node-1 nothing-',
    'wait pod/nobody --for=condition=Ready',
    'top pods',
    'explain pod.nothing',
    'config use-context nobody',
  ])('refuses as kubectl does: %s', async (line) => {
    const [official, own] = await both(words(line));
    expect(own).toEqual(official);
    expect(own.code).toBe(1);
  });

  it('takes turns with kubectl at applying', async () => {
    const file = join(folder, 'workloads.yaml');
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(' ').at(-1));
    expect(lines(await cluster.kubectlOk(['apply', '-f', file]))).toEqual(Array(4).fill('unchanged'));
    writeFileSync(file, workloads.replace('example/web:1', 'example/web:2').replace(', tier: front', ''));
    expect(lines(await cluster.wherryOk(['apply', '-f', file]))).toEqual(['configured', ...Array(3).fill('unchanged')]);
    expect(lines(await cluster.kubectlOk(['apply', '-f', file]))).toEqual(Array(4).fill('unchanged'));
    const { metadata } = await cluster.get<{ metadata: { labels: object } }>(['deployment', 'web']);
    expect(metadata.labels).toEqual({ app: 'web' });
  });

  it('refuses unknown fields and stores nothing', async () => {
    const input = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndatas: {}\n';
    const { code, stderr } = await cluster.wherry(['create', '-f', '-'], { input });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(
        'error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "datas"',
      ),
    ]);
    await cluster.wherryOk(['create', 'configmap', 'typo', '--dry-run=server']);
    expect((await cluster.kubectl(['get', 'configmap', 'typo'])).code).toBe(1);
  });

  it('scales, rolls back and restarts', async () => {
    await cluster.wherryOk(['scale', 'deployment/web', '--replicas=3', '--timeout=30s']);
    await cluster.wherryOk(['set', 'image', 'deployment/web', 'web=example/web:3']);
    await cluster.wherryOk(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    expect(await cluster.wherryOk(['rollout', 'undo', 'deployment/web'])).toBe('deployment.apps/web rolled back\n');
    await cluster.kubectlOk(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const image = ['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'];
    expect(await cluster.kubectlOk(image)).toBe('example/web:2');
  });

  it('edits with the user’s editor', async () => {
    const environment = { EDITOR: `sed -i 's/two/three/'` };
    expect(await cluster.wherryOk(['edit', 'configmap', 'conf'], { environment })).toBe('configmap/conf edited\n');
    expect(await cluster.kubectlOk(['get', 'configmap', 'conf', '-o', 'jsonpath={.data.text}'])).toBe('three\nlines\n');
  });

  it('deletes, and waits until it is done', async () => {
    await cluster.wherryOk(['run', 'gone', '--image=example/web:1']);
    await cluster.wherryOk(['wait', 'pod/gone', '--for=condition=Ready', '--timeout=30s']);
    expect(await cluster.wherryOk(['delete', 'pod/gone', '--now'])).toBe('pod "gone" deleted\n');
    expect((await cluster.kubectl(['get', 'pod', 'gone'])).stderr).toContain('NotFound');
  });

  it('drains a node when the disruption budget allows it', async () => {
    await cluster.kubectlOk(['create', 'poddisruptionbudget', 'web', '--selector=app=web', '--min-available=3']);
    await cluster.wherryOk(['wait', 'pdb/web', '--for=jsonpath={.status.expectedPods}=3', '--timeout=30s']);
    const drain = ['drain', 'node-1', '--force', '--delete-emptydir-data'];
    const refused = await cluster.wherry([...drain, '--timeout=1s']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("violate the pod's disruption budget")]);
    await cluster.kubectlOk(['delete', 'poddisruptionbudget', 'web']);
    expect(await cluster.wherryOk([...drain, '--timeout=60s'])).toContain('node/node-1 drained');
    await eventually('no pod is left', async () =>
      expect(await cluster.kubectlOk(['get', 'pods', '--field-selector=spec.nodeName=node-1', '-o', 'name'])).toBe(''),
    );
    expect(await cluster.wherryOk(['uncordon', 'node-1'])).toBe('node/node-1 uncordoned\n');
  });
});
