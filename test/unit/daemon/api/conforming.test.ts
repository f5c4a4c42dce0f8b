// The judge of every answer in the integration tests: what it must not let pass.

import { expect, it } from '@jest/globals';
import { viewOf } from '../../../../src/daemon/api/stored.ts';
import { createConformance, type SeenAnswer } from '../../../support/conforming.ts';
import { ID, readyVolume } from '../../model/volumes.ts';

const complaintOf = createConformance();
const volume = viewOf(readyVolume(), undefined);

const seen = (json: unknown, fields: Partial<SeenAnswer> = {}): SeenAnswer => ({
  method: 'GET',
  path: `/volumes/${ID}`,
  status: 200,
  headers: new Headers({ 'content-type': 'application/json; charset=utf-8', etag: '"1"' }),
  text: JSON.stringify(json),
  ...fields,
});

it('lets pass what is as described', () => {
  expect(complaintOf(seen(volume))).toBeUndefined();
  const page = { volumes: [volume], next: null };
  expect(complaintOf(seen(page, { path: '/volumes?limit=1' }))).toBeUndefined();
  expect(complaintOf(seen(volume, { status: 304, text: '' }))).toBeUndefined();
  const error = { error: { code: 'no_such_call', message: 'x' } };
  expect(complaintOf(seen(error, { path: '/nowhere', status: 404 }))).toBeUndefined();
});

it.each<[string, SeenAnswer, RegExp]>([
  ['a status that is not documented', seen(volume, { status: 201 }), /does not document 201/],
  ['a 500 of a probe', seen({}, { path: '/healthz', status: 500 }), /does not document 500/],
  ['a field that is missing', seen({ ...volume, mount: undefined }), /mount/],
  ['a field too many', seen({ ...volume, secret: 1 }), /additional properties/],
  ['a value that is none of those it may be', seen({ ...volume, state: 'gone' }), /state/],
  [
    'a host that is none',
    seen({ ...volume, exports: [{ host: 'a/b', access: 'rw', squash: 'none' }] }),
    /host/,
  ],
  ['another body', seen({ error: { code: 'x', message: 'y' } }), /additional properties/],
  [
    'a missing header',
    seen(volume, { headers: new Headers({ 'content-type': 'application/json' }) }),
    /etag/,
  ],
  [
    'another content type',
    seen(volume, { headers: new Headers({ 'content-type': 'text/html', etag: '"1"' }) }),
    /content type/,
  ],
  ['a body where there is none', seen(volume, { status: 304 }), /no body/],
  ['an error without a code', seen({ error: { message: 'x' } }, { path: '/nowhere', status: 404 }), /code/],
  ['a success of no call', seen({}, { path: '/nowhere' }), /no call/],
])('does not let pass %s', (_what, answer, why) => {
  expect(complaintOf(answer)).toMatch(why);
});
