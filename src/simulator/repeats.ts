// What is sent from node to node, recorded by somebody on the way and sent once more, byte by byte. TCP drops
// packets that it has had, and the daemon's clients send nothing twice; but between the nodes there may be a
// proxy that does, or an enemy. Agents refuse a call that they remember, and must come to no harm by one that
// they don't, such as after a restart (daemon/agent/nonces.ts).

import { inPercent } from '../base/choose.ts';
import type { Random } from '../base/random.ts';
import { someMs } from '../hardware/wires.ts';
import type { MemoryNetwork } from '../network/memory.ts';
import type { Bytes, NetworkRequest } from '../network/network.ts';
import type { Queue } from './queue.ts';

const REPEATED_PERCENT = 5;
/** One in two comes on the heels of the first, the others when a process has had time to end and start. */
const SOON_MS = { least: 0, most: 500 };
const LATE_MS = { least: 500, most: 20_000 };

/**
 * The node's network, with a few calls repeated. `wire`: as which the repetitions are sent, which no process of
 * the node ends; nobody hears what becomes of them.
 */
export function repeating(
  network: MemoryNetwork,
  { queue, random, wire }: { readonly queue: Queue; readonly random: Random; readonly wire: MemoryNetwork },
): MemoryNetwork {
  const repeat = ({ signal: _, ...request }: NetworkRequest, body: NetworkRequest['body']): void => {
    const { least, most } = inPercent(50, random) ? SOON_MS : LATE_MS;
    queue.after(someMs(least, most, random), () => {
      wire.call({ ...request, ...(body !== undefined && { body }) }).catch(() => undefined);
    });
  };
  return {
    ...network,
    call: (request) => {
      if (!inPercent(REPEATED_PERCENT, random)) return network.call(request);
      const { body } = request;
      if (typeof body !== 'object') {
        repeat(request, body);
        return network.call(request);
      }
      // Only a stream that was sent to its end looks whole to whoever gets it again.
      const sent: Uint8Array[] = [];
      return network.call({ ...request, body: overheard(body, sent, () => repeat(request, replayed(sent))) });
    },
  };
}

async function* overheard(body: Bytes, heard: Uint8Array[], onEnd: () => void): Bytes {
  for await (const chunk of body) {
    heard.push(chunk);
    yield chunk;
  }
  onEnd();
}

async function* replayed(chunks: readonly Uint8Array[]): Bytes {
  yield* chunks;
}
