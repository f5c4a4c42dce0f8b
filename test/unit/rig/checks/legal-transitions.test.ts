import { describe, expect, it } from '@jest/globals';
import { volumeKey } from '../../../../src/kv/keys.ts';
import { legalTransitions } from '../../../../src/rig/checks/legal-transitions.ts';
import { createHistory, VOLUME_ID } from '../support/history.ts';
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

  it('knows nothing of a run without volumes', () => {
    expect(legalTransitions(createHistory().registers('node1', '1').run()).verdict).toBe('unknown');
  });
});
