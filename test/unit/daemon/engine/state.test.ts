import { expect, it } from '@jest/globals';
import { createLog, type LogLine } from '../../../../src/base/log.ts';
import { createStateReader } from '../../../../src/daemon/engine/state.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import { ID } from '../../model/volumes.ts';

it('logs a malformed value once, and again when it was written anew', () => {
  const lines: LogLine[] = [];
  const log = createLog({
    write: (line) => void lines.push(JSON.parse(line) as LogLine),
    nowMs: () => 0,
    level: 'debug',
    fields: {},
  });
  const read = createStateReader(log);
  const key = volumeKey(ID);
  const entries = (modRevision: number) =>
    new Map([[key, { key, value: '{', createRevision: 1, modRevision, version: 1, lease: '0' }]]);
  for (const modRevision of [4, 4, 4, 6, 6]) expect(read(entries(modRevision)).volumes).toEqual([]);
  expect(lines.map(({ event }) => event)).toEqual(['stored.malformed', 'stored.malformed']);
});
