import { describe, expect, it } from 'vitest';
import { fieldErrorText, invalidValue, notSupported, required, tooLong, tooMany } from './field-error.ts';
import {
  alreadyExists,
  conflict,
  expired,
  forbidden,
  internalError,
  invalid,
  isConflict,
  isExpired,
  isNotFound,
  methodNotSupported,
  notFound,
  StatusError,
  tooManyRequests,
} from './status-error.ts';

const pods = { group: '', resource: 'pods' };
const deployments = { group: 'apps', resource: 'deployments' };

describe('StatusError', () => {
  it.each([
    [notFound(pods, 'x'), 404, 'NotFound', 'pods "x" not found'],
    [alreadyExists(deployments, 'x'), 409, 'AlreadyExists', 'deployments.apps "x" already exists'],
    [
      conflict(pods, 'x'),
      409,
      'Conflict',
      'Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [forbidden(pods, '', 'User "u" cannot list'), 403, 'Forbidden', 'pods is forbidden: User "u" cannot list'],
    [forbidden(pods, 'x', 'no'), 403, 'Forbidden', 'pods "x" is forbidden: no'],
    [forbidden(undefined, '', 'no'), 403, 'Forbidden', 'forbidden: no'],
    [
      methodNotSupported(deployments, 'patch'),
      405,
      'MethodNotAllowed',
      'patch is not supported on resources of kind "deployments.apps"',
    ],
    [internalError('boom'), 500, 'InternalError', 'Internal error occurred: boom'],
    [
      invalid({ group: '', kind: 'Pod' }, 'x', [required('spec.containers')]),
      422,
      'Invalid',
      'Pod "x" is invalid: spec.containers: Required value',
    ],
    [
      invalid({ group: 'apps', kind: 'Deployment' }, 'x', [
        required('a', 'why'),
        invalidValue('b', -1, 'no'),
        required('a', 'why'),
      ]),
      422,
      'Invalid',
      'Deployment.apps "x" is invalid: [a: Required value: why, b: Invalid value: -1: no]',
    ],
  ])('%#', (error, code, reason, message) => {
    expect(error).toMatchObject({ code, reason, message });
    expect(error.status).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
  });

  it('carries details', () => {
    expect(notFound(deployments, 'x').status.details).toEqual({ name: 'x', group: 'apps', kind: 'deployments' });
    expect(tooManyRequests('later', 3).status.details).toEqual({ retryAfterSeconds: 3 });
    expect(invalid({ group: '', kind: 'Pod' }, 'x', [tooMany('f', 5, 3)]).status.details).toEqual({
      name: 'x',
      kind: 'Pod',
      causes: [{ reason: 'FieldValueTooMany', field: 'f', message: 'Too many: 5: must have at most 3 items' }],
    });
  });

  it('is found through causes and by code when the reason is unknown', () => {
    expect(isNotFound(new Error('outer', { cause: notFound(pods, 'x') }))).toBe(true);
    expect(isNotFound(new StatusError({ code: 404 }))).toBe(true);
    expect(isConflict(alreadyExists(pods, 'x'))).toBe(false);
    expect(isExpired(expired('too old'))).toBe(true);
    expect(isNotFound(undefined)).toBe(false);
  });
});

describe('FieldError', () => {
  it.each([
    [notSupported('p', 'x', ['A', 'B']), 'p: Unsupported value: "x": supported values: "A", "B"'],
    [tooLong('p', 63), 'p: Too long: may not be more than 63 bytes'],
    [invalidValue('p', { a: 1 }, 'field is immutable'), 'p: Invalid value: {"a":1}: field is immutable'],
    [invalidValue('p', undefined, 'd'), 'p: Invalid value: "null": d'],
  ])('%#', (error, text) => {
    expect(fieldErrorText(error)).toBe(text);
  });
});
