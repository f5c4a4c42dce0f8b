import { describe, expect, it } from '@jest/globals';
import { parseIoRequest } from '../../../../src/rig/consumer/protocol.ts';

const READ = { kind: 'nfs-read', server: 'node1', volume: 'v0123456789abcdef', timeoutMs: 1000, file: 'f' };

describe('what a consumer is asked for', () => {
  it('is taken when it is whole', () => {
    expect(parseIoRequest(JSON.stringify(READ))).toEqual(READ);
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'the request is not JSON'],
    ['no object', 'null', 'the request must be an object, not null'],
    ['an empty object', '{}', 'kind must be nfs-write or nfs-read'],
    [
      'several mistakes',
      JSON.stringify({ ...READ, volume: '../x', file: 'a/b', timeoutMs: 0, depth: 1 }),
      'volume must be the id of a volume; timeoutMs must be at least 1; file must be a plain name of at most 128 characters; depth is not a known field',
    ],
  ])('is refused in plain words: %s', (_what, text, message) => {
    expect(() => parseIoRequest(text)).toThrow(expect.objectContaining({ code: 'invalid', message }));
  });
});
