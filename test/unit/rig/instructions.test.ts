import { describe, expect, it } from '@jest/globals';
import { instructionsIn } from '../../../src/rig/instructions.ts';

const V = 'v00000000000000a1';
const mount = { server: 'node2', path: `/${V}`, options: 'vers=4.1' };
const told = (action: string, host = '10.0.0.11') => ({
  kind: 'move',
  revision: 7,
  phase: 'ready',
  volume: V,
  mount,
  clients: [
    { host: '10.9.9.9', action: 'unmount' },
    { host, action },
  ],
});

describe('an event', () => {
  it('tells a consumer what is meant for its address, also within a network', () => {
    const wanted = [{ volume: V, action: 'remount', server: 'node2', revision: 7 }];
    expect(instructionsIn(told('remount'), '10.0.0.11')).toEqual(wanted);
    expect(instructionsIn(told('remount', '10.0.0.0/24'), '10.0.0.11')).toEqual(wanted);
    expect(instructionsIn(told('remount'), '10.0.0.12')).toEqual([]);
  });

  it('tells it the narrowest of several that hold its address', () => {
    const wide = { host: '10.0.0.0/24', action: 'unmount' };
    const narrow = { host: '10.0.0.11', action: 'mount' };
    for (const clients of [
      [wide, narrow],
      [narrow, wide],
    ])
      expect(instructionsIn({ ...told('mount'), clients }, '10.0.0.11')).toMatchObject([{ action: 'mount' }]);
    expect(instructionsIn({ ...told('mount'), clients: [wide, narrow] }, '10.0.0.12')).toMatchObject([
      { action: 'unmount' },
    ]);
  });

  it('leaves nowhere to go with an unmount, whatever it says of the mount', () => {
    expect(instructionsIn(told('unmount'), '10.0.0.11')).toMatchObject([{ server: null }]);
  });

  it('tells all there is in a snapshot', () => {
    const item = { of: 'volume', volume: V, exports: [{ host: '10.0.0.11' }], mount };
    const snapshot = { kind: 'snapshot', revision: 9, item };
    const wanted = [{ volume: V, action: 'mount', server: 'node2', revision: 9 }];
    expect(instructionsIn(snapshot, '10.0.0.11')).toEqual(wanted);
    expect(instructionsIn(snapshot, '10.0.0.12')).toEqual([]);
    expect(instructionsIn({ ...snapshot, item: { ...item, mount: null } }, '10.0.0.11')).toEqual([]);
  });

  it('of another kind, or of no known shape, tells nothing', () => {
    for (const data of [{ kind: 'leader', revision: 3, node: null }, told('dance'), 'text', null])
      expect(instructionsIn(data, '10.0.0.11')).toEqual([]);
  });
});
