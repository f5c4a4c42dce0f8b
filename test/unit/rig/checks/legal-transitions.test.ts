import { describe, expect, it } from '@jest/globals';
import { volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { Actual } from '../../../../src/model/volume.ts';
import { legalTransitions } from '../../../../src/rig/checks/legal-transitions.ts';
import { by, createHistory, VOLUME_ID } from '../support/history.ts';
import { calmRun, withEtcd, withVolume } from '../support/runs.ts';

describe('legal-transitions', () => {
  it('accepts the life of a volume', () => {
    expect(legalTransitions(calmRun().history.run()).verdict).toBe('valid');
  });

  it('rejects a step that the graph does not have, and shows it with the one before', () => {
    const run = withVolume(calmRun().history.run(), 2, (volume) => ({ ...volume, state: 'resizing' }));
    const verdict = legalTransitions(run);
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: expect.stringContaining('scheduling -> resizing'),
    });
    expect(verdict.counterExample).toEqual([
      expect.stringMatching(/^revision 8, \+4\.020 s: .* -> scheduling@node2 by engine@node1 of term 6$/),
      expect.stringMatching(/^revision 9, \+4\.100 s: .* scheduling@node2 -> resizing@node2 by agent@node2$/),
    ]);
  });

  it('rejects a legal step by the wrong role', () => {
    const run = withVolume(calmRun().history.run(), 2, (volume) => ({
      ...volume,
      control: { ...volume.control, writer: { role: 'api', node: 'node1', term: null } },
    }));
    expect(legalTransitions(run).reason).toMatch(/written by the api, which may not/);
  });

  it('rejects a volume that vanishes while it is ready', () => {
    const { history } = calmRun();
    expect(legalTransitions(history.remove(volumeKey(VOLUME_ID)).run()).reason).toMatch(/ready -> absent/);
  });

  it('rejects a value that is no volume', () => {
    const { history } = calmRun();
    const verdict = legalTransitions(history.put(volumeKey(VOLUME_ID), '{"id":', { raw: true }).run());
    expect(verdict).toMatchObject({ verdict: 'invalid', reason: expect.stringContaining('not JSON') });
  });

  it('rejects a volume under the key of another', () => {
    const run = withEtcd(calmRun().history.run(), (event) => ({
      ...event,
      key: event.key.replace(VOLUME_ID, 'v00000000000000ff'),
    }));
    expect(legalTransitions(run).reason).toMatch(/holds a volume with the id/);
  });

  describe('of what the graph of states leaves open', () => {
    const agent = (node: string) => ({ role: 'agent', node, term: null }) as const;

    it('rejects a volume that the agent of another node says is made', () => {
      const run = withVolume(calmRun().history.run(), 2, (volume) => ({
        ...volume,
        control: { ...volume.control, writer: agent('node1') },
      }));
      expect(legalTransitions(run)).toMatchObject({
        verdict: 'invalid',
        reason: `volume ${VOLUME_ID}: it was written by the agent of node1, and was on node2`,
      });
    });

    it.each([
      ['a size', (actual: Actual) => ({ ...actual, reserved_size: 1 }), 'it is ready with 1 GiB, zone=b'],
      ['constraints', (actual: Actual) => ({ ...actual, constraints: {} }), 'it is ready with 2 GiB'],
      ['anything', () => null, 'it is ready with nothing on any disk'],
    ])('rejects a volume that is ready without %s that was granted', (_what, actual, reason) => {
      const run = withVolume(calmRun().history.run(), 7, (volume) => ({
        ...volume,
        actual: actual(volume.actual as Actual),
      }));
      expect(legalTransitions(run).reason).toBe(
        `volume ${VOLUME_ID}: ${reason}, requested were 2 GiB, zone=b`,
      );
    });

    it('rejects a move that ends where it began', () => {
      const { history, volume, term } = calmRun();
      const order = { kind: 'move', cause: 'asked', node: 'node1', copy: null } as const;
      const asked = history.write(change.tasked(volume, order, by('api', 'node1')));
      const moving = history.write(
        change.moveGranted(asked, { node: 'node1', cause: 'asked' }, by('engine', 'node1', term)),
      );
      history.write(change.completed(moving, by('agent', 'node2')));
      expect(legalTransitions(history.run()).reason).toMatch(/its move ended without a handover/);
    });

    it('rejects a rewrite that was asked for and never begun', () => {
      const { history, volume, term } = calmRun();
      const task = { kind: 'rewrite', compression: 'lzo' } as const;
      const asked = history.write(change.tasked(volume, task, by('api', 'node1')));
      history.write(change.settled(asked, by('engine', 'node1', term)));
      expect(legalTransitions(history.run()).reason).toMatch(/its rewrite never began/);
    });

    it('rejects a volume that is on a node before it was ordered', () => {
      const run = withVolume(calmRun().history.run(), 0, (volume) => ({ ...volume, node: 'node2' }));
      expect(legalTransitions(run).reason).toMatch(/on a node before it was ordered/);
    });
  });

  it('knows nothing of a run without volumes', () => {
    expect(legalTransitions(createHistory().registers('node1', '1').run()).verdict).toBe('unknown');
  });
});
