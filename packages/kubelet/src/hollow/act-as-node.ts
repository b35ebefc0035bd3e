// Requests in the name of a node. The process's own identity may do little more than take on the names of its nodes:
// the server then allows it what it would allow that node's kubelet, and nothing else.
import { ApiClient, type Transport } from '@wherry/client';

export function actAsNode(transport: Transport, nodeName: string): ApiClient {
  const names = { 'impersonate-user': `system:node:${nodeName}`, 'impersonate-group': 'system:nodes' };
  return new ApiClient({
    request: (request) => transport.request({ ...request, headers: { ...request.headers, ...names } }),
    close: () => Promise.resolve(),
  });
}
