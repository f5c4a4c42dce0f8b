import { describe, expect, it } from '@jest/globals';
import { nodeKey } from '../../../../src/kv/keys.ts';
import { constraints } from '../../../../src/rig/checks/constraints.ts';
import { calmRun, withEtcd, withVolume } from '../support/runs.ts';

const wanting = (constraint: Record<string, string>) =>
  withVolume(calmRun().history.run(), 1, (volume) => ({
    ...volume,
    requested: { ...volume.requested, constraints: constraint },
  }));

describe('constraints', () => {
  it('accepts a node with the labels that the volume asks for', () => {
    expect(constraints(calmRun().history.run()).verdict).toBe('valid');
  });

  it('rejects a node without them, and shows both', () => {
    const verdict = constraints(wanting({ zone: 'c' }));
    expect(verdict.verdict).toBe('invalid');
    expect(verdict.counterExample?.slice(1)).toEqual([
      'the volume asks for {"zone":"c"}',
      'node2 has {"zone":"b","virtual":"false"} or {"zone":"b","virtual":"false"}',
    ]);
  });

  it('rejects a virtual node for a volume that asks for a real one', () => {
    const on = (virtual: boolean) =>
      constraints(
        withEtcd(wanting({ virtual: 'false' }), (event) => ({
          ...event,
          ...(event.key === nodeKey('node2') && event.value !== undefined
            ? { value: JSON.stringify({ ...JSON.parse(event.value), virtual }) }
            : {}),
        })),
      ).verdict;
    expect(on(false)).toBe('valid');
    expect(on(true)).toBe('invalid');
  });

  it('rejects new constraints that the node of the volume does not satisfy', () => {
    const run = withVolume(calmRun().history.run(), 7, (volume) => ({
      ...volume,
      requested: { ...volume.requested, constraints: { zone: 'a' } },
      actual: volume.actual && { ...volume.actual, constraints: { zone: 'a' } },
    }));
    expect(constraints(run).verdict).toBe('invalid');
  });

  it('goes by the topology for a node that never registered', () => {
    const run = withEtcd(calmRun().history.run(), (event) =>
      event.key === nodeKey('node2') || event.key.includes('/specs/') ? undefined : event,
    );
    expect(constraints(run).verdict).toBe('valid');
  });

  it('knows nothing when no volume asked for anything', () => {
    const run = withEtcd(calmRun().history.run(), (event) => ({
      ...event,
      ...(event.value === undefined
        ? {}
        : { value: event.value.replaceAll('"constraints":{"zone":"b"}', '"constraints":{}') }),
    }));
    expect(constraints(run).verdict).toBe('unknown');
  });
});
