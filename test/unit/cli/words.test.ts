// What people type besides names: labels, exports.

import { describe, expect, it } from '@jest/globals';
import type { RigError } from '../../../src/base/errors.ts';
import { explain } from '../../../src/cli/explain.ts';
import { parseExport, requireExport } from '../../../src/cli/export-rule.ts';
import { changedLabels, parseLabels } from '../../../src/cli/labels.ts';
import type { FoundMember } from '../../../src/rig/docker/clusters.ts';

describe('labels', () => {
  it('are pairs', () => {
    expect(parseLabels('disk=ssd,rack=')).toEqual({ disk: 'ssd', rack: '' });
    expect(() => parseLabels('ssd')).toThrow("'ssd' are no labels");
    expect(() => parseLabels('Disk=ssd')).toThrow("'Disk' must be 1-63 of a-z");
  });

  it('are set and taken away, and the others stay', () => {
    expect(changedLabels({ disk: 'hdd', rack: 'a', zone: 'b' }, ['disk=ssd', 'rack-'])).toEqual({
      disk: 'ssd',
      zone: 'b',
    });
    expect(() => changedLabels({}, ['disk'])).toThrow("'disk' is no label");
    expect(() => changedLabels({}, ['disk=a b'])).toThrow("'disk' must be 0-63 of");
  });
});

describe('an export', () => {
  const consumer: FoundMember = {
    name: 'consumer1',
    container: 'c',
    state: 'running',
    ports: new Map(),
    address: '172.20.0.2',
  };
  const members = [consumer];

  it.each([
    ['consumer1', { host: '172.20.0.2', access: 'rw', squash: 'none' }],
    ['10.0.0.0/8=ro,all', { host: '10.0.0.0/8', access: 'ro', squash: 'all' }],
    ['fd00::1=rw', { host: 'fd00::1', access: 'rw', squash: 'none' }],
  ])('of %s', (text, rule) => {
    expect(parseExport({ members }, text)).toEqual(rule);
  });

  it('that does not hold a consumer is told before anything is booted to mount by, with what would let it in', () => {
    const refusalOf = (...rules: readonly string[]) => {
      const exports = rules.map((rule) => parseExport({ members }, rule));
      try {
        requireExport({ members }, { name: 'first', exports }, { name: 'consumer2', address: '172.20.0.3' });
      } catch (error) {
        return explain(error as RigError);
      }
      return undefined;
    };
    expect(refusalOf()).toBe(
      'first is exported to nobody, not to consumer2 (172.20.0.3); let it in with rig volume exports first consumer2=rw.',
    );
    expect(refusalOf('consumer1=ro,root', '10.0.0.0/8')).toBe(
      'first is exported to consumer1=ro,root 10.0.0.0/8=rw, not to consumer2 (172.20.0.3); let it in with rig volume exports first consumer1=ro,root 10.0.0.0/8=rw consumer2=rw.',
    );
    expect(refusalOf('172.20.0.0/16=ro')).toBeUndefined();
  });

  it.each(['nobody=rw', 'consumer1=rx', 'consumer1=rw=ro', 'consumer1=rw,root,all', ''])(
    'is refused: %s',
    (text) => {
      expect(() => parseExport({ members }, text)).toThrow('says of nobody how to mount');
    },
  );
});
