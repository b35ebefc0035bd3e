/** What runs while the cluster is hurt. */
export const namespace = 'faults';
export const identitySet = 'db';

const echo = (name: string, more = ''): string => `
      - name: ${name}
        image: wherry/echo:1
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}${more}`;

/**
 * - `web` is what the Service leads to;
 * - `db` has identities of which there may never be two;
 * - `client` is a pod on every node whose network the clients use. Pods of a DaemonSet are not evicted.
 */
export const workload = `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:${echo('web')}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ${namespace}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: v1
kind: Service
metadata: {name: ${identitySet}, namespace: ${namespace}}
spec:
  clusterIP: None
  selector: {app: ${identitySet}}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${identitySet}, namespace: ${namespace}}
spec:
  serviceName: ${identitySet}
  replicas: 3
  selector: {matchLabels: {app: ${identitySet}}}
  template:
    metadata: {labels: {app: ${identitySet}}}
    spec:
      containers:${echo(identitySet)}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: client, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: client}}
  template:
    metadata: {labels: {app: client}}
    spec:
      containers:${echo('client')}
`;
