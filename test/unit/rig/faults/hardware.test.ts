import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../src/base/random.ts';
import type { ContainerState, DiskCondition, DiskWrite } from '../../../../src/rig/deployment.ts';
import { clockOffset } from '../../../../src/rig/faults/clock-offset.ts';
import { diskErrors } from '../../../../src/rig/faults/disk-errors.ts';
import { diskFull } from '../../../../src/rig/faults/disk-full.ts';
import { diskSlow } from '../../../../src/rig/faults/disk-slow.ts';
import type { Site } from '../../../../src/rig/faults/fault.ts';
import { quotaFull } from '../../../../src/rig/faults/quota-full.ts';
import { parseTopology } from '../../../../src/rig/topology.ts';

/** A site of three nodes, of which node2 was given nothing, and node3 has no API. */
function siteOf(
  options: {
    readonly state?: ContainerState;
    /** Of the mode. */
    readonly lacks?: string;
    readonly others?: readonly DiskCondition[];
    readonly write?: DiskWrite;
    readonly volumeWrites?: readonly (readonly [string, DiskWrite])[];
    readonly ahead?: { readonly leastMs: number; readonly mostMs: number; readonly expectedMs: number };
  } = {},
) {
  const done: string[] = [];
  const lacks = async () => options.lacks;
  const own = { clock: 'own', disk: 'breakable' } as const;
  const nodes = [
    { name: 'node1', ...own },
    { name: 'node2' },
    { name: 'node3', ...own, roles: ['agent' as const] },
  ];
  const { ahead = { leastMs: 0, mostMs: 1_100, expectedMs: 0 } } = options;
  const site = {
    random: createSeededRandom(1),
    view: async () => ({ nodes: ['node1', 'node2', 'node3'] }),
    idOf: (volume: string) => `id of ${volume}`,
    act: async (act: string, member: string) => void done.push(`${act} ${member}`),
    deployment: {
      topology: parseTopology({ nodes }, 'this test'),
      state: async () => options.state ?? 'running',
      disks: {
        set: async (key: string, node: string, condition?: DiskCondition) =>
          void done.push(`${key} ${node} ${condition?.is ?? 'ends'}`),
        inForce: () => options.others ?? [],
        write: async () => options.write,
        emptyVolume: async (volume: string) => void done.push(`empty ${volume}`),
        writeVolume: async () => new Map(options.volumeWrites),
        missing: lacks,
      },
      clocks: {
        expectedMs: () => ahead.expectedMs,
        read: async () => ahead,
        missing: lacks,
      },
    },
  } as unknown as Site;
  return { site, done };
}

const hit = <Spec>(spec: Spec) => ({ id: 'k', spec, members: ['node1'] });
const errors = hit({ fault: 'disk-errors', on: 'node1' } as const);
const write = (outcome: DiskWrite['outcome'], tookMs = 5): DiskWrite => ({ outcome, tookMs });

describe('what a fault of hardware lacks', () => {
  const missing = (on: string | readonly string[], lacks?: string) => {
    const { site } = siteOf(lacks === undefined ? {} : { lacks });
    return Promise.all([
      diskErrors.missing?.(site, { fault: 'disk-errors', on }),
      clockOffset.missing?.(site, { fault: 'clock-offset', on, offsetMs: 5_000 }),
      diskFull.missing?.(site, { fault: 'disk-full', on }),
    ]);
  };

  it('is what the topology has not given: at the nodes that are named, or any when any may be chosen', async () => {
    const plain = [
      "the disk of node2 is a plain one: give it `disk: 'breakable'` in the topology",
      "node2 has the host's clock: give it `clock: 'own'` in the topology",
      undefined,
    ];
    expect(await missing('node1')).toEqual([undefined, undefined, undefined]);
    expect(await missing(['node1', 'node2'])).toEqual(plain);
    expect(await missing('leader')).toEqual(plain);
    expect(await missing('node3')).toEqual([
      undefined,
      "the clock of node3 can't be seen: it has no API",
      undefined,
    ]);
  });

  it('is what the mode lacks, where the topology has given all', async () => {
    expect(await missing('node1', 'no such thing')).toEqual(['no such thing', 'no such thing', undefined]);
  });
});

describe('disk errors', () => {
  it('are healed by a power cut, once the disk is sound', async () => {
    const { site, done } = siteOf();
    await diskErrors.heal(site, errors);
    expect(done).toEqual(['k node1 ends', 'kill node1', 'start node1']);
  });

  it.each([
    ['while another fault goes on with them', { others: [{ is: 'failing' }] }],
    ['of a node that is down: its start will', { state: 'exited' }],
    ['of a node that is paused', { state: 'paused' }],
  ] as const)('cut no power %s', async (_, options) => {
    const { site, done } = siteOf(options);
    await diskErrors.heal(site, errors);
    expect(done).toEqual(['k node1 ends']);
  });
});

describe('evidence of a disk', () => {
  it.each([
    ['disk-full', true, false],
    ['written', false, true],
    // Nobody can tell from it whether the disk is still full.
    ['read-only', false, false],
    ['failed', false, false],
  ] as const)(
    'a write that is %s shows a full disk: %s, and a sound one: %s',
    async (outcome, holds, isSound) => {
      const { site } = siteOf({ write: write(outcome) });
      const full = hit({ fault: 'disk-full', on: 'node1' } as const);
      expect(await diskFull.shows(site, full)).toMatchObject({ holds });
      expect(await diskFull.healed(site, full)).toMatchObject({ holds: isSound });
    },
  );

  it('tries again to bring about what does not show', async () => {
    const { site, done } = siteOf({ write: write('written') });
    await diskFull.shows(site, hit({ fault: 'disk-full', on: 'node1' }));
    expect(done).toEqual(['k node1 full']);
  });

  it.each([
    ['written', 1_990, true],
    ['written', 300, false],
    ['disk-full', 1_990, false],
  ] as const)('a write that is %s after %d ms shows a slow disk: %s', async (outcome, tookMs, holds) => {
    const { site } = siteOf({ write: write(outcome, tookMs) });
    const slow = hit({ fault: 'disk-slow', on: 'node1', kbitPerSecond: 2_000 } as const);
    expect(await diskSlow.shows(site, slow)).toMatchObject({ holds });
    expect(await diskSlow.healed(site, slow)).toMatchObject({ holds: outcome === 'written' && !holds });
  });
});

describe('evidence of a used-up quota', () => {
  const quota = hit({ fault: 'quota-full', volume: 'v' } as const);
  const full = [['node1', write('quota-full')]] as const;

  it('is what every node that has the volume says', async () => {
    const both = [...full, ['node2', write('written')]] as const;
    expect(await quotaFull.shows(siteOf({ volumeWrites: full }).site, quota)).toMatchObject({ holds: true });
    expect(await quotaFull.shows(siteOf({ volumeWrites: both }).site, quota)).toMatchObject({ holds: false });
  });

  it('is looked for again after the file was looked for again, which may have been out of reach', async () => {
    const { site, done } = siteOf({ volumeWrites: full });
    expect(await quotaFull.healed(site, quota)).toMatchObject({ holds: false });
    expect(done).toEqual(['empty id of v']);
  });

  it('is none where nobody has it', async () => {
    expect(await quotaFull.healed(siteOf().site, quota)).toEqual({ holds: false, seen: 'it is nowhere' });
  });
});

describe('evidence of a clock', () => {
  const offset = hit({ fault: 'clock-offset', on: 'node1', offsetMs: 5_000 } as const);

  it.each([
    ['wrong', { leastMs: 4_200, mostMs: 5_400, expectedMs: 0 }, true],
    ['right', { leastMs: -300, mostMs: 900, expectedMs: 0 }, false],
    ['as wrong as another fault makes it', { leastMs: 4_200, mostMs: 5_400, expectedMs: 5_000 }, false],
  ] as const)('a clock that is %s', async (_, ahead, shows) => {
    const { site } = siteOf({ ahead });
    expect(await clockOffset.shows(site, offset)).toMatchObject({ holds: shows });
    expect(await clockOffset.healed(site, offset)).toMatchObject({ holds: !shows });
  });
});
