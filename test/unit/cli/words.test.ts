// What people type besides names: labels, exports.

import { describe, expect, it } from '@jest/globals';
import { parseExport } from '../../../src/cli/export-rule.ts';
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

  it.each(['nobody=rw', 'consumer1=rx', 'consumer1=rw=ro', 'consumer1=rw,root,all', ''])(
    'is refused: %s',
    (text) => {
      expect(() => parseExport({ members }, text)).toThrow('says of nobody how to mount');
    },
  );
});
