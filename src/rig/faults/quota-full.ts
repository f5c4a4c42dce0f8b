// A volume's quota is used up by a file of the rig's own in it, wherever the volume
// is. One that is moved takes the file along.

import type { DiskWrite } from '../deployment.ts';
import type { Fault, Site } from './fault.ts';
import type { SpecOf } from './spec.ts';

const look = async (site: Site, volume: string, wanted: DiskWrite['outcome']) => {
  const writes = [...(await site.deployment.disks.writeVolume(site.idOf(volume)))];
  return {
    holds: writes.length > 0 && writes.every(([, { outcome }]) => outcome === wanted),
    seen: writes.map(([node, { outcome }]) => `${node}: a write is ${outcome}`).join(', ') || 'it is nowhere',
  };
};

export const quotaFull: Fault<SpecOf<'quota-full'>> = {
  family: 'disk',
  describe: ({ volume }) => `used-up quota of volume ${volume}`,
  members: () => [],
  inject: (site, { spec }) => site.deployment.disks.fillVolume(site.idOf(spec.volume)),
  shows: (site, { spec }) => look(site, spec.volume, 'quota-full'),
  heal: (site, { spec }) => site.deployment.disks.emptyVolume(site.idOf(spec.volume)),
  healed: async (site, { spec }) => {
    const seen = await look(site, spec.volume, 'written');
    // Its node may have been down, or the volume on its way to another with the file.
    if (!seen.holds) await site.deployment.disks.emptyVolume(site.idOf(spec.volume));
    return seen;
  },
};
