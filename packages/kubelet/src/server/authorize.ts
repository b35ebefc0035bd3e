// Who may use the kubelet's port: holders of a client certificate of the cluster's CA that is the API server's or an
// administrator's. Everyone else is refused; there is no anonymous access.
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

export type Verdict =
  | { readonly kind: 'allowed'; readonly user: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly message: string };

const adminGroups: readonly string[] = ['system:masters', 'kubeadm:cluster-admins'];
const apiServerUser = 'kube-apiserver-kubelet-client';

function asList(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

export function authorize(request: IncomingMessage): Verdict {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized)
    return { kind: 'refused', status: 401, message: 'Unauthorized' };
  const subject = socket.getPeerCertificate().subject;
  const user = asList(subject.CN)[0] ?? '';
  const groups = asList(subject.O);
  if (user === apiServerUser || groups.some((group) => adminGroups.includes(group))) return { kind: 'allowed', user };
  const verb = request.method === 'GET' ? 'get' : 'create';
  return {
    kind: 'refused',
    status: 403,
    message: `Forbidden (user=${user}, verb=${verb}, resource=nodes, subresource(s)=[proxy])`,
  };
}
