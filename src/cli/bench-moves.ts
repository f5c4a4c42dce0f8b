// Moves of a volume with data, and how long nobody could reach it meanwhile:
// from the end of its export on the old node to its export on the new one, by
// the nodes' own logs, which are stamped by one machine's clock.

import { RigError } from '../base/errors.ts';
import type { IoAnswer, IoRequest } from '../rig/consumer/protocol.ts';
import type { NodeLogLine } from '../rig/history.ts';
import { parseLogLines } from '../rig/log-lines.ts';
import { type Bench, create, order } from './bench-calls.ts';
import { distribution, median } from './distribution.ts';

const CONSUMER = 'client1';
const DATA_BYTES = 64 * 1024 * 1024;
/** Written before each move, so that there is something left for the last increment. */
const CHANGE_BYTES = 1024 * 1024;
const MOVES = 10;
const WRITE_TIMEOUT_MS = 60_000;

export async function benchMoves(bench: Bench): Promise<void> {
  const { clock, deployment, volumes, say } = bench;
  const host = await deployment.address(CONSUMER);
  const { volume } = await create(bench, 'moved', [{ host, access: 'rw', squash: 'none' }]);
  const startedAtMs = clock.nowMs();
  await write(bench, { server: volume.node ?? '', volume: volume.id, file: 'data', bytes: DATA_BYTES });
  const movedMs: number[] = [];
  let at = volume.node;
  for (let round = 0; round < MOVES; round += 1) {
    await write(bench, { server: at ?? '', volume: volume.id, file: `change-${round}`, bytes: CHANGE_BYTES });
    const startedMs = clock.monotonicMs();
    await order(bench, { method: 'POST', path: `/volumes/${volume.id}/move`, body: {} });
    const from = at;
    const { volume: moved, atMs } = await volumes.until(
      volume.id,
      'it to be ready elsewhere',
      (now) => now?.state === 'ready' && now.node !== from,
    );
    at = moved.node;
    movedMs.push(atMs - startedMs);
  }
  const gaps = gapsIn(await linesOf(bench, startedAtMs), volume.id);
  const unexportedMs = gaps.map((gap) => gap.unexportedMs);
  const lastSendMs = gaps.map((gap) => gap.lastSendMs);
  say(`move of ${DATA_BYTES / 1024 ** 2} MiB, ordered to ready:   ${distribution(movedMs)}`);
  say(`of which nobody exported it:      ${distribution(unexportedMs)}`);
  say(`the last incremental send:        ${distribution(lastSendMs)}`);
  say(
    `without that send:                ${distribution(gaps.map((gap) => gap.unexportedMs - gap.lastSendMs))}`,
  );
  say(`ratio of the medians:             ${(median(unexportedMs) / median(lastSendMs)).toFixed(2)}`);
}

async function linesOf({ deployment }: Bench, startedAtMs: number): Promise<readonly NodeLogLine[]> {
  const nodes = deployment.topology.nodes.map(({ name }) => name);
  const logs = await Promise.all(
    nodes.map(async (container) =>
      parseLogLines({ container, text: await deployment.logs(container), startedAtMs }),
    ),
  );
  return logs.flat().sort((a, b) => a.atMs - b.atMs);
}

interface Gap {
  readonly unexportedMs: number;
  /** That lies within: the difference can't be sent while clients write. */
  readonly lastSendMs: number;
}

/** From each cutover to the next export of the volume. */
function gapsIn(lines: readonly NodeLogLine[], id: string): readonly Gap[] {
  const gaps: Gap[] = [];
  let cutoverAtMs: number | undefined;
  let sendMs: number | undefined;
  for (const { event, atMs, fields } of lines) {
    if (fields.volume !== id) continue;
    if (event === 'move.cutover') {
      cutoverAtMs = atMs;
      sendMs = undefined;
    }
    if (event === 'move.sent') sendMs = Number(fields.ms);
    if (event !== 'volume.exported' || cutoverAtMs === undefined) continue;
    if (sendMs !== undefined) gaps.push({ unexportedMs: atMs - cutoverAtMs, lastSendMs: sendMs });
    cutoverAtMs = undefined;
  }
  return gaps;
}

async function write(
  { deployment }: Bench,
  what: { readonly server: string; readonly volume: string; readonly file: string; readonly bytes: number },
): Promise<void> {
  const request: IoRequest = { kind: 'nfs-write', content: what.file, timeoutMs: WRITE_TIMEOUT_MS, ...what };
  const response = await fetch(`${await deployment.consumer(CONSUMER)}/io`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const answer = (await response.json()) as IoAnswer;
  if (answer.outcome === 'ok') return;
  throw new RigError(
    'machine',
    `${CONSUMER} could not write ${what.file}: ${answer.outcome} ${answer.detail}`,
  );
}
