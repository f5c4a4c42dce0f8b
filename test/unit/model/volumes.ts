// Volumes for tests: whole ones, of which a test names what it is about.

import type { Node } from '../../../src/model/node.ts';
import type { Actual, Volume } from '../../../src/model/volume.ts';

export const ID = 'v0123456789abcdef';
export const T0 = '2026-01-01T00:00:00.000Z';

export function volumeOf(fields: Partial<Volume> = {}, control: Partial<Volume['control']> = {}): Volume {
  return {
    id: ID,
    name: 'data',
    meta: {},
    state: 'scheduling',
    node: null,
    requested: { reserved_size: 1, constraints: {} },
    actual: null,
    exports: [],
    ...fields,
    control: {
      error: null,
      error_count: 0,
      parent_id: null,
      task: null,
      trace: null,
      updated: T0,
      writer: { role: 'api', node: 'a', term: null },
      ...control,
    },
  };
}

/** One that is created: ready on node a, 1 GiB, unless told otherwise. */
export function readyVolume(fields: Partial<Volume> = {}, control: Partial<Volume['control']> = {}): Volume {
  return volumeOf(
    {
      state: 'ready',
      node: 'a',
      actual: actualOf(),
      ...fields,
    },
    control,
  );
}

export function actualOf(fields: Partial<Actual> = {}): Actual {
  return {
    reserved_size: 1,
    constraints: {},
    exports: [],
    compression: 'none',
    space: null,
    pinned: false,
    ...fields,
  };
}

export function nodeOf(name: string, fields: Partial<Node> = {}): Node {
  return {
    name,
    address: name,
    labels: {},
    capacity: 10,
    available: 10,
    roles: ['agent'],
    agent: `http://${name}:8081`,
    disk: { state: 'ok', reason: null },
    remains: 0,
    virtual: true,
    started_at: T0,
    ...fields,
  };
}
