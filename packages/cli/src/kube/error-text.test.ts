import { StatusError } from '@wherry/api';
import { expect, it } from 'vitest';
import { errorText } from './error-text.ts';
import { VerbError } from './verb-error.ts';

const invalid = (causes: readonly { field: string; message: string }[]) =>
  new StatusError({ reason: 'Invalid', code: 422, message: 'x', details: { kind: 'Pod', name: 'p', causes } });

it.each([
  [
    new StatusError({ reason: 'NotFound', message: 'pods "a" not found' }),
    undefined,
    'Error from server (NotFound): pods "a" not found',
  ],
  [
    new StatusError({ reason: 'AlreadyExists', message: 'there' }),
    'when creating "f"',
    'Error from server (AlreadyExists): error when creating "f": there',
  ],
  [new StatusError({ message: 'odd' }), undefined, 'Error from server: odd'],
  [
    new StatusError({ reason: 'Unauthorized', message: 'Unauthorized' }),
    undefined,
    'error: You must be logged in to the server (Unauthorized)',
  ],
  [invalid([{ field: 'spec.a', message: 'bad' }]), 'when', 'The Pod "p" is invalid: spec.a: bad'],
  [
    invalid([
      { field: 'spec.a', message: 'bad' },
      { field: 'spec.b', message: 'worse' },
    ]),
    undefined,
    'The Pod "p" is invalid: \n* spec.a: bad\n* spec.b: worse',
  ],
  [new VerbError('no'), undefined, 'error: no'],
  [new VerbError('no', { plain: true }), undefined, 'no'],
])('%#', (error, doing, text) => expect(errorText(error, doing)).toBe(text));
