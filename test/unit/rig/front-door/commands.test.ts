import { describe, expect, it } from '@jest/globals';
import { commandsFor, parseServersState, type ServerState } from '../../../../src/rig/front-door/commands.ts';

const wanted = (name: string, address = '10.0.0.1') => ({ name, address, port: 8080 });
const state = (name: string, more: Partial<ServerState> = {}): ServerState => ({
  ...wanted(name),
  isUp: true,
  isInMaintenance: false,
  unchangedSeconds: 60,
  ...more,
});
const OPENED = ['enable health api/a', 'set server api/a state ready', 'set server api/a health down'];

describe('commandsFor', () => {
  it('changes nothing where all is as it should be', () => {
    expect(commandsFor([state('a'), state('b')], [wanted('b'), wanted('a')])).toEqual([]);
  });

  it('adds a server that is down until its check holds', () => {
    expect(commandsFor([], [wanted('a')])).toEqual([
      'add server api/a 10.0.0.1:8080 check inter 1s fall 2 rise 1',
      ...OPENED,
    ]);
    expect(commandsFor([], [wanted('a', 'fd00::1')])[0]).toContain('[fd00::1]:8080');
  });

  it('opens one that was added and not yet opened', () => {
    expect(commandsFor([state('a', { isUp: false, isInMaintenance: true })], [wanted('a')])).toEqual(OPENED);
  });

  it('follows a node to another address', () => {
    expect(commandsFor([state('a')], [wanted('a', 'fd00::1')])).toEqual([
      'set server api/a addr fd00::1 port 8080',
    ]);
  });

  it('takes one away in three steps, all of which are due again while it is there', () => {
    const removal = ['set server api/a state maint', 'shutdown sessions server api/a', 'del server api/a'];
    expect(commandsFor([state('a')], [])).toEqual(removal);
    expect(commandsFor([state('a', { isUp: false, isInMaintenance: true })], [])).toEqual(removal);
  });

  it('ends the streams of a server that is down only while another is up', () => {
    const down = state('a', { isUp: false });
    const both = [wanted('a'), wanted('b')];
    expect(commandsFor([down, state('b')], both)).toEqual(['shutdown sessions server api/a']);
    expect(commandsFor([down, state('b', { isUp: false })], both)).toEqual([]);
    expect(commandsFor([down], [wanted('a')])).toEqual([]);
  });

  it('leaves the calls of a server that has just gone down to HAProxy, which may send them elsewhere', () => {
    const down = state('a', { isUp: false, unchangedSeconds: 5 });
    expect(commandsFor([down, state('b')], [wanted('a'), wanted('b')])).toEqual([]);
  });

  it.each([
    wanted('a b'),
    wanted('a\nshow info'),
    wanted('a;b'),
    wanted(''),
    wanted('a', 'node1'),
    wanted('a', '10.0.0.1\nshow info'),
    wanted('a', 'fe80::1%eth0'),
    { ...wanted('a'), port: 0 },
    { ...wanted('a'), port: Number.NaN },
    { ...wanted('a'), port: 80.5 },
  ])('says nothing at all with %p in it', (server) => {
    expect(() => commandsFor([], [server])).toThrow(/is no (name|address)/);
  });
});

describe('parseServersState', () => {
  const HEADER =
    '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_time_since_last_change srv_port';

  it('reads what HAProxy prints', () => {
    const text = `${HEADER}\n3 api 1 node1 10.0.0.1 2 0 1 8080\n3 api 2 node2 fd00::2 0 1 7 81\n\n`;
    expect(parseServersState(text)).toEqual([
      {
        name: 'node1',
        address: '10.0.0.1',
        port: 8080,
        isUp: true,
        isInMaintenance: false,
        unchangedSeconds: 1,
      },
      {
        name: 'node2',
        address: 'fd00::2',
        port: 81,
        isUp: false,
        isInMaintenance: true,
        unchangedSeconds: 7,
      },
    ]);
    expect(parseServersState(`${HEADER}\n\n`)).toEqual([]);
  });

  it('takes nothing else for a list without servers', () => {
    expect(() => parseServersState('')).toThrow('tells of no servers');
    expect(() => parseServersState("Can't find backend.\n")).toThrow("Can't find backend");
  });
});
