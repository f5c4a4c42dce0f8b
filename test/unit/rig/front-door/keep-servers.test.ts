import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { createLog } from '../../../../src/base/log.ts';
import { keepOnce } from '../../../../src/rig/front-door/keep-servers.ts';
import { createAsk } from '../../../../src/rig/front-door/socket.ts';

const HEADER = '1\n# srv_name srv_addr srv_op_state srv_admin_state srv_port\n';
const log = createLog({ write: () => undefined, nowMs: () => 0 });
const node = (name: string) => ({ name, host: `${name}.test`, port: 80 });

describe('keepOnce', () => {
  const hosts = new Map([
    ['a.test', '10.0.0.1'],
    ['b.test', '10.0.0.2'],
  ]);
  const resolve = async (host: string) => {
    const address = hosts.get(host);
    if (address === undefined) throw new Error('ENOTFOUND');
    return address;
  };
  const told = async (
    names: readonly string[] | undefined,
    addresses: Map<string, string>,
    servers = '',
  ): Promise<readonly string[]> => {
    const commands: string[] = [];
    const ask = async (command: string) => {
      if (command.startsWith('show')) return HEADER + servers;
      commands.push(command);
      return '\n';
    };
    await keepOnce({ ask, log, resolve, nodes: () => names?.map(node) }, addresses);
    return commands;
  };

  it('asks for nothing while it knows nothing', async () => {
    expect(await told(undefined, new Map(), 'a 10.0.0.1 2 0 80\n')).toEqual([]);
  });

  it('keeps the address of a container that is stopped, and leaves out one that never had any', async () => {
    const addresses = new Map([['gone', '10.0.0.9']]);
    const commands = await told(['a', 'gone', 'never'], addresses);
    expect(commands.filter((command) => command.startsWith('add'))).toEqual([
      expect.stringContaining('api/a 10.0.0.1:80'),
      expect.stringContaining('api/gone 10.0.0.9:80'),
    ]);
  });

  it('forgets the address of a node that is removed', async () => {
    const addresses = new Map([['gone', '10.0.0.9']]);
    expect(await told(['a'], addresses, 'a 10.0.0.1 2 0 80\ngone 10.0.0.9 0 0 80\n')).toContain(
      'del server api/gone',
    );
    expect([...addresses.keys()]).toEqual(['a']);
  });
});

describe('createAsk', () => {
  const asked = async (server: ReturnType<typeof createServer>, command: string): Promise<string> => {
    const folder = mkdtempSync(join(tmpdir(), 'front-door-'));
    const path = join(folder, 'socket');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      return await createAsk({ path, clock: createSystemClock() })(command);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  };

  it('answers with all that is said', async () => {
    const server = createServer((socket) => {
      socket.once('data', (command) => socket.end(`you said ${command}`));
    });
    expect(await asked(server, 'show info')).toBe('you said show info\n');
  });

  it('never says two things at once', async () => {
    await expect(asked(createServer(), 'show info\nshow stat')).rejects.toThrow('more than one command');
    await expect(asked(createServer(), 'show info; show stat')).rejects.toThrow('more than one command');
  });

  it('fails where nobody listens, or nobody answers', async () => {
    const ask = createAsk({ path: '/nowhere/socket', clock: createSystemClock() });
    await expect(ask('show info')).rejects.toThrow('ENOENT');
    await expect(asked(createServer(), 'show info')).rejects.toThrow('no answer within');
  });
});
