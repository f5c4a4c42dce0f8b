// A consumer that knows of the cluster only what it is told, and what must hold of what it knows.

import type { ClusterEvent } from '../../../src/model/event.ts';
import { accepted } from '../../../src/model/instructions.ts';
import { type Mount, mountOf } from '../../../src/model/mount.ts';
import type { Picture } from '../../../src/model/picture.ts';

/** What the clients at one host have mounted, and how they may use it. */
export interface Known {
  readonly access: string;
  readonly squash: string;
  readonly mount: Mount;
}

/** By volume, then by host. */
export type Consumer = ReadonlyMap<string, ReadonlyMap<string, Known>>;

export const NOBODY: Consumer = new Map();

/** Does what it is told, host by host, to the letter: who has it mounted does nothing when told to mount it. */
export function told(consumer: Consumer, events: readonly ClusterEvent[]): Consumer {
  const next = new Map([...consumer].map(([volume, hosts]) => [volume, new Map(hosts)]));
  const hostsOf = (volume: string) => {
    const hosts = next.get(volume) ?? new Map<string, Known>();
    next.set(volume, hosts);
    return hosts;
  };
  for (const event of events) {
    if (event.kind === 'reset') next.clear();
    if (event.kind === 'snapshot' && event.item.of === 'volume') {
      const { volume, exports, mount } = event.item;
      if (mount === null) continue;
      for (const { host, access, squash } of exports) hostsOf(volume).set(host, { access, squash, mount });
    }
    if (event.kind !== 'export' && event.kind !== 'move') continue;
    for (const { host, action, access, squash } of event.clients) {
      if (action === 'unmount') hostsOf(event.volume).delete(host);
      else if (event.mount === null || access === null || squash === null)
        throw new Error('can’t be followed');
      else if (action === 'mount' && hostsOf(event.volume).has(host)) continue;
      else hostsOf(event.volume).set(host, { access, squash, mount: event.mount });
    }
  }
  return next;
}

/**
 * What is wrong with what the consumer knows; undefined when nothing is. Where a volume is served, it
 * knows exactly who may mount it, how and from where; elsewhere nobody has it who may not.
 */
export function misled(consumer: Consumer, picture: Picture): string | undefined {
  for (const [volume, hosts] of consumer) {
    const may = new Set(accepted(picture.volumes.get(volume)).map(({ host }) => host));
    for (const host of hosts.keys()) if (!may.has(host)) return `${host} has ${volume}, and may not`;
  }
  for (const volume of picture.volumes.values()) {
    const mount = mountOf(volume, picture.nodes.get(volume.node ?? ''));
    if (mount === null) continue;
    for (const { host, access, squash } of accepted(volume)) {
      const known = consumer.get(volume.id)?.get(host);
      if (JSON.stringify(known) !== JSON.stringify({ access, squash, mount })) {
        return `${host} knows of ${volume.id} ${JSON.stringify(known)}, which is at ${mount.server} for ${access}`;
      }
    }
  }
  return undefined;
}
