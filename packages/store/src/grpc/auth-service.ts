import { authStatus, type Empty, empty, nothing } from './codecs.ts';
import { type GrpcMethod, unary } from './method.ts';
import type { ServiceParts } from './services.ts';

/** What needs etcd's users and roles. Here a client certificate is what lets somebody in, and there is nothing else. */
const refused = [
  'AuthEnable',
  'Authenticate',
  'UserAdd',
  'UserGet',
  'UserList',
  'UserDelete',
  'UserChangePassword',
  'UserGrantRole',
  'UserRevokeRole',
  'RoleAdd',
  'RoleGet',
  'RoleList',
  'RoleDelete',
  'RoleGrantPermission',
  'RoleRevokePermission',
] as const;

export function authMethods({ replica, facts }: ServiceParts): Readonly<Record<string, GrpcMethod>> {
  const revision = () => ({ revision: replica.mvcc.revision });
  const notEnabled = unary<object, Empty>(facts, nothing, empty, (_, answer) => answer({ refused: 'authNotEnabled' }));
  return {
    ...Object.fromEntries(refused.map((name) => [name, notEnabled])),
    AuthStatus: unary(facts, nothing, authStatus, (_, answer) => answer({ ...revision(), enabled: false })),
    // As etcd: what is off can be switched off.
    AuthDisable: unary(facts, nothing, empty, (_, answer) => answer(revision())),
  };
}
