import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { inodeIn, ownerOf } from '../../../src/process/socket-owner.ts';

// proc_net(5): 127.0.0.1:45678 to 127.80.0.2:27377, and the other end of it.
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0200507F:6AF1 0100007F:B26E 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0 20 0 0 10 -1
   1: 0100007F:B26E 0200507F:6AF1 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 0 0 10 -1
`;

it('finds the end of a connection in the table', () => {
  const local = { address: '127.0.0.1', port: 45_678 };
  const remote = { address: '127.80.0.2', port: 27_377 };
  expect(inodeIn(TABLE, { local, remote })).toBe('222');
  expect(inodeIn(TABLE, { local: remote, remote: local })).toBe('111');
  expect(inodeIn(TABLE, { local, remote: local })).toBeUndefined();
});

it('tells whose connection it is, and not that of others', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepting = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await accepting) as [Socket];
  expect(ownerOf(accepted, [1, process.pid])).toBe(process.pid);
  expect(ownerOf(accepted, [process.ppid])).toBeUndefined();
  client.destroy();
  accepted.destroy();
  server.close();
});
