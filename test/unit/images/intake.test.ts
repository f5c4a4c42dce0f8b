// What takes log lines for the log store (images/logs/intake.mjs), with a store of the test's own.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';
import { eventually } from '../../../src/index.ts';

let port: number;
/** What the store has inserted. */
let inserted: Record<string, unknown>[];
let refusals: number;
let end: () => Promise<void>;

beforeEach(async () => {
  inserted = [];
  refusals = 0;
  const store = createServer(async (request, response) => {
    const body = await text(request);
    if (refusals > 0) {
      refusals -= 1;
      response.writeHead(503).end('busy');
      return;
    }
    inserted.push(...body.split('\n').map((line) => JSON.parse(line)));
    response.end();
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const intake = execa(process.execPath, [join(ROOT_FOLDER, 'images/logs/intake.mjs')], {
    reject: false,
    env: { STORE_URL: `http://127.0.0.1:${(store.address() as AddressInfo).port}`, INTAKE_PORT: '0' },
  });
  const [line] = (await once(createInterface({ input: intake.stdout }), 'line')) as [string];
  port = Number(line.split(' ').at(-1));
  end = async () => {
    intake.kill();
    await intake;
    store.closeAllConnections();
    store.close();
  };
});
afterEach(() => end());

const send = async (lines: string): Promise<void> => {
  const socket = connect(port, '127.0.0.1');
  socket.end(lines);
  await once(socket, 'close');
};
const count = (wanted: number) => eventually(() => inserted.length, { until: (length) => length >= wanted });

it('hands every line over, with a message to show', async () => {
  const lines = Array.from({ length: 5_000 }, (_, number) => ({ event: `e${number}`, node: 'node1' }));
  await send(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await count(5_000);
  expect(inserted).toEqual(lines.map((line) => ({ _msg: line.event, ...line })));
});

it('shows the text of what is no daemon’s, and leaves out what is no line of a log', async () => {
  await send('nonsense\n[1]\nnull\n{"event":"text","text":"hello"}\n{"level":"info"}\n');
  await count(1);
  expect(inserted).toEqual([{ _msg: 'hello', event: 'text' }]);
});

it('keeps at it while the store is not well', async () => {
  refusals = 2;
  await send('{"event":"patient"}\n');
  await count(1);
  expect(inserted).toMatchObject([{ _msg: 'patient' }]);
});
