// Names as a process resolves them that was started with a module of them.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { namesModule } from '../../../src/process/names.ts';

const PROGRAM = `
import { lookup } from 'node:dns';
import { request } from 'node:http';
import { promisify } from 'node:util';
const port = Number(process.argv[1]);
const get = (host) => new Promise((resolve) => {
  const made = request({ host, port }, (response) => resolve(response.statusCode));
  made.on('error', (error) => resolve(error.code)).end();
});
console.log(JSON.stringify({
  node2: await get('node2'),
  address: await promisify(lookup)('node2'),
  all: await promisify(lookup)('node2', { all: true }),
  literal: (await promisify(lookup)('127.9.9.9')).address,
  other: (await promisify(lookup)('localhost', 4)).address,
}));`;

it('leads to where the module says, and leaves others to the system', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  const server = createServer((_, response) => response.writeHead(204).end());
  await new Promise<void>((resolve) => server.listen(0, '127.7.0.2', resolve));
  const { port } = server.address() as { readonly port: number };
  const file = join(folder, 'names.mjs');
  writeFileSync(file, namesModule({ node2: '127.7.0.2' }));
  const running = promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', PROGRAM, String(port)],
    { env: { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` } },
  );
  const { stdout } = await running.finally(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const found = JSON.parse(stdout) as Record<string, unknown>;
  expect(found).toMatchObject({
    node2: 204,
    address: { address: '127.7.0.2', family: 4 },
    all: [{ address: '127.7.0.2', family: 4 }],
    literal: '127.9.9.9',
    other: '127.0.0.1',
  });
});
