import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { unixSocketOf } from './failure.ts';

const failureOf = (where: { readonly path: string } | { readonly port: number; readonly host: string }) =>
  new Promise<unknown>((resolve) => connect(where).once('error', resolve));

it('knows the socket of an engine that is not there, and takes nothing else for one', async () => {
  expect(unixSocketOf(await failureOf({ path: '/nowhere/docker.sock' }))).toBe('/nowhere/docker.sock');
  expect(unixSocketOf(await failureOf({ port: 1, host: '127.0.0.1' }))).toBeUndefined();
  expect(unixSocketOf(new Error('other'))).toBeUndefined();
});
