// Takes log lines, JSON over TCP, and hands them to VictoriaLogs in batches. A client that is
// faster than the store is made to wait; one that sends anything else loses that line.

import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const PORT = Number(process.env.INTAKE_PORT ?? 5044);
const STORE = process.env.STORE_URL ?? 'http://store:9428';
const INSERT = `${STORE}/insert/jsonline?_time_field=%40timestamp&_msg_field=_msg&_stream_fields=run,node,role`;
const MOST_LINES = 1_000;
/** A line that is longer than the store takes is nothing that the rig sends. */
const MOST_CHARACTERS = 256 * 1024;
const RETRY_MS = 500;

/** Until the store has it, however long that takes: it may be started later. */
async function insert(lines) {
  for (;;) {
    try {
      const answer = await fetch(INSERT, { method: 'POST', body: lines.join('\n') });
      if (answer.ok) return;
      console.error(`the store answered ${answer.status}: ${await answer.text()}`);
      if (answer.status < 500) return;
    } catch (error) {
      console.error(`the store can't be reached: ${error.cause?.message ?? error.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** What the store shows as the message; undefined for what is no line of a log. */
function withMessage(line) {
  if (line.length > MOST_CHARACTERS) return undefined;
  try {
    const { text, event, ...rest } = JSON.parse(line);
    if (typeof event !== 'string') return undefined;
    return JSON.stringify({ _msg: typeof text === 'string' ? text : event, event, ...rest });
  } catch {
    return undefined;
  }
}

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  let batch = [];
  let isHanding = false;
  const hand = async () => {
    if (isHanding) return;
    isHanding = true;
    while (batch.length > 0) {
      const lines = batch;
      batch = [];
      socket.resume();
      await insert(lines);
    }
    isHanding = false;
  };
  createInterface({ input: socket }).on('line', (line) => {
    const shown = withMessage(line);
    if (shown === undefined) return;
    batch.push(shown);
    if (batch.length >= MOST_LINES) socket.pause();
    void hand();
  });
});
server.listen(PORT, () => console.log(`listening at ${server.address().port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
