import type { Pod, PodList } from '@wherry/api';
import { eventually } from '../harness/eventually.ts';
import type { KubectlUser } from '../harness/kubectl-user.ts';

export interface EchoOptions {
  readonly namespace: string;
  readonly replicas: number;
  readonly image?: string;
  readonly nodePort?: number;
}

/** The sample application as a Deployment and a Service; no preStop hook. */
export function echoManifest({ namespace, replicas, image = 'wherry/echo:1', nodePort }: EchoOptions): string {
  return `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers:
      - name: echo
        image: ${image}
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: ${namespace}}
spec:
  type: NodePort
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: http${nodePort === undefined ? '' : `, nodePort: ${nodePort}`}}]
`;
}

/** Applies the application and waits until the rollout is complete. */
export async function deployEcho(cluster: KubectlUser, options: EchoOptions): Promise<void> {
  await cluster.apply(echoManifest(options));
  await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '-n', options.namespace, '--timeout=120s']);
}

export async function echoPods(cluster: KubectlUser, namespace: string): Promise<readonly Pod[]> {
  const { items } = await cluster.get<PodList>(['pods', '-n', namespace, '-l', 'app=echo']);
  return items.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** Which pod answered, by the greeting's words. */
export function answeringPod(text: string): string {
  const name = /^Hello from (\S+)/.exec(text)?.[1];
  if (name === undefined) throw new Error(`Not an echo: ${JSON.stringify(text.slice(0, 200))}`);
  return name;
}

export async function fetchText(url: string, timeoutMs = 5_000): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(timeoutMs) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/** Asks again and again until each of the pods has answered. */
export function everyPodAnswers(ask: () => Promise<string>, names: readonly string[]): Promise<void> {
  const missing = new Set(names);
  return eventually(
    `an answer of each of ${names.join(', ')}`,
    async () => {
      for (let i = 0; i < 10; i++) missing.delete(answeringPod(await ask()));
      if (missing.size > 0) throw new Error(`no answer of ${[...missing].join(', ')}`);
    },
    { timeoutMs: 30_000, everyMs: 50 },
  );
}

/** Fetches from inside a pod, by its Node.js. */
export function fetchInPod(cluster: KubectlUser, namespace: string, pod: string, url: string): Promise<string> {
  const script = `fetch(${JSON.stringify(url)},{signal:AbortSignal.timeout(5000),headers:{connection:'close'}}).then(r=>r.text()).then(t=>process.stdout.write(t))`;
  return cluster.kubectlOk(['exec', '-n', namespace, pod, '--', 'node', '-e', script]);
}
