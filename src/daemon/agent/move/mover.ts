// The agent's part in moving volumes: it sends what is on its way from here,
// receives what is on its way to here, and clears away what moves leave behind.
//
// A transfer may take hours, so it is no job of the volume's queue: jobs go on
// beside it (a change of exports, a move that is called off), and each tells
// the mover what etcd says (`follow`). Only the cutover, in which nobody may
// export, and the receiver's acceptance, which may trash a leftover, take the
// volume's exclusive turn. Nothing of a transfer is remembered but on the two
// disks and in etcd: it begins again from what is there.
//
// Whoever exports must be sure that the volume is still this node's. A read
// isn't enough while a handover may be under way that nobody has heard of (its
// answer was lost, or an earlier process sent it): it may still be committed
// after the read. So the volume is written once before it is exported again
// (`claim`): whatever handover compares an older revision has then failed. Where
// an earlier process may have handed it over, the other node is asked besides.

import { createPeerServer } from '../peer-server.ts';
import { createClaims } from './claims.ts';
import { targetOf } from './context.ts';
import { createDigests } from './digests.ts';
import { createDoubts } from './doubts.ts';
import { createPursuits } from './pursuits.ts';
import { createReceiver } from './receiver.ts';
import { createSweeper } from './sweeper.ts';
import type { Mover, MoverOptions } from './types.ts';

export function createMover(options: MoverOptions): Mover {
  const { node } = options;
  const stop = new AbortController();
  const stopped = stop.signal;
  const doubts = createDoubts({ ...options, stopped });
  const claims = createClaims({ ...options, doubts });
  const pursuits = createPursuits({ ...options, claims, stopped });
  const sweeper = createSweeper({ ...options, signal: stopped });
  const receiver = createReceiver({ ...options, stopped, onRemains: pursuits.begin });
  const digests = createDigests({ ...options, signal: stopped });
  return {
    follow: (volume) => {
      const target = targetOf(volume, node);
      pursuits.redirect(volume.id, target);
      if (target !== undefined) pursuits.begin(volume.id);
    },
    claim: claims.claim,
    sweep: async (listed, onDisk) => {
      doubts.look(listed);
      const swept = await sweeper.look(listed, onDisk);
      for (const id of swept.moved) pursuits.begin(id);
      return swept;
    },
    handler: createPeerServer({ ...options, receiver, digests }),
    close: async () => {
      stop.abort();
      await Promise.all([pursuits.idle(), sweeper.idle(), receiver.idle(), doubts.idle()]);
    },
  };
}
