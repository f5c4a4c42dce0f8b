// The samples are nfs-ganesha 6.5's.

import { describe, expect, it } from '@jest/globals';
import { DBusError } from 'dbus-native';
import { formatNetwork } from '../../../src/model/network.ts';
import { freeExportId } from '../../../src/nfs/export-id.ts';
import { readDisplayExport, readShowExports } from '../../../src/nfs/ganesha-answers.ts';
import { busError } from '../../../src/nfs/ganesha-bus.ts';
import { parseMountinfo } from '../../../src/nfs/mountinfo.ts';
import { NotConnectedError } from '../../../src/nfs/system-bus.ts';

const shownExport = (id: number, path: string): readonly unknown[] => [
  id,
  path,
  [
    ['NFSv3', false],
    ['9P', false],
  ],
  [0n, 0n],
];
const client = (host: string, options: number): readonly unknown[] => [
  host,
  ...[0, 253, 255, 2, 4294967294, 4294967294, 0, options, 487],
];
const displayed = (...clients: readonly unknown[]): readonly unknown[] => [
  7,
  '/srv/exports/v0000000000000001',
  '/v0000000000000001',
  '',
  clients,
];

describe('ShowExports', () => {
  it('gives ids and paths', () => {
    const answer = [
      [1795218428n, 200117585n],
      [shownExport(0, '/'), shownExport(7, '/srv/exports/v0000000000000001')],
    ];
    expect(readShowExports(answer)).toEqual([
      { exportId: 0, path: '/' },
      { exportId: 7, path: '/srv/exports/v0000000000000001' },
    ]);
  });

  it.each([[[]], [[[1n, 2n]]], [[[1n, 2n], [['7', '/x']]]], [['later']]])(
    'is not trusted as %j',
    (answer) => {
      expect(() => readShowExports(answer)).toThrow(/ganesha's answer to ShowExports/);
    },
  );
});

describe('DisplayExport', () => {
  it('gives clients with access and squash, in order', () => {
    const answer = displayed(
      client('172.17.0.0/16', 53490144),
      client('fd00::17/128', 53490146),
      client('10.9.9.9/32', 53489828),
    );
    const seen = readDisplayExport(answer).clients.map(({ network, access, squash }) => [
      formatNetwork(network),
      access,
      squash,
    ]);
    expect(seen).toEqual([
      ['172.17.0.0/16', 'rw', 'none'],
      ['fd00:0:0:0:0:0:0:17/128', 'rw', 'root'],
      ['10.9.9.9/32', 'ro', 'all'],
    ]);
  });

  it('gives none for an export that serves nobody', () => {
    expect(readDisplayExport(displayed())).toEqual({ clients: [], foreign: [] });
  });

  it('tells a client that Cobalt never makes from those that it does', () => {
    for (const [host, options] of [
      ['*', 53490144],
      ['@group', 53490144],
      ['10.0.0.1/32', 0],
    ] as const) {
      const { clients, foreign } = readDisplayExport(
        displayed(client(host, options), client('10.9.9.9/32', 53489828)),
      );
      expect(clients).toHaveLength(1);
      expect(foreign).toEqual([`${host} with options ${options}`]);
    }
  });

  it('is not trusted when a client in it can not be read', () => {
    const cut = displayed(client('10.0.0.1/32', 53490144).toSpliced(2, 1));
    expect(() => readDisplayExport(cut)).toThrow(/ganesha's answer to DisplayExport: 4\.0/);
  });
});

describe('a call that failed', () => {
  const failed = (name: string, message: string): DBusError =>
    Object.assign(new DBusError(message), { dbusName: `org.freedesktop.DBus.Error.${name}` });

  it.each([
    [
      failed('ServiceUnknown', 'The name org.ganesha.nfsd was not provided by any .service files'),
      'unavailable',
      true,
    ],
    [new NotConnectedError('no connection to /nowhere: connect ENOENT /nowhere'), 'unavailable', true],
    [
      failed('NoReply', 'Message recipient disconnected from message bus without replying'),
      'unavailable',
      false,
    ],
    [failed('Disconnected', 'Connection closed before a reply'), 'unavailable', false],
    [failed('InvalidArgs', 'lookup_export failed with Export id not found'), 'not_found', true],
    [
      failed('InvalidArgs', 'another export admin operation is in progress, try again later'),
      'conflict',
      true,
    ],
    [
      failed('InvalidFileContent', 'Selected entries in /run/ganesha/exports/7.conf already active!!!'),
      'io',
      false,
    ],
  ])('%s', (cause, code, definite) => {
    const error = busError('AddExport', cause);
    expect(error).toMatchObject({ code, definite });
    expect(error.message).toBe(`ganesha's AddExport: ${cause.message}`);
  });
});

describe('the id of an export', () => {
  const taken = (...ids: readonly number[]): { exportId: number; path: string }[] =>
    ids.map((exportId) => ({ exportId, path: '/x' }));

  it('is that of its subvolume', () => {
    expect(freeExportId(256, taken(0, 7))).toBe(256);
    expect(freeExportId(65_535, taken(0))).toBe(65_535);
  });

  it('starts over after 65,535, and is the next free one when two meet', () => {
    expect(freeExportId(65_536, taken(0))).toBe(1);
    expect(freeExportId(256, taken(0, 256, 257))).toBe(258);
    expect(freeExportId(65_535, taken(0, 65_535))).toBe(1);
  });
});

describe('/proc/self/mountinfo', () => {
  it('gives what is mounted where', () => {
    const content = [
      '76 126 0:64 / /srv/cobalt rw,noatime - btrfs /dev/loop1 rw,discard=async,space_cache=v2,subvolid=5,subvol=/',
      '148 127 254:0 /a\\040b /var/lib/cobalt rw,relatime master:1 shared:2 - ext4 /dev/vda rw,discard',
      '109 126 0:64 /volumes/v0000000000000001 /srv/exports/v0000000000000001 rw,noatime - btrfs /dev/loop1 rw,subvolid=256,subvol=/volumes/v0000000000000001',
      '',
    ].join('\n');
    expect(parseMountinfo(content)).toEqual([
      { rootPath: '/', mountPoint: '/srv/cobalt', filesystem: 'btrfs', device: '/dev/loop1', subvolumeId: 5 },
      {
        rootPath: '/a b',
        mountPoint: '/var/lib/cobalt',
        filesystem: 'ext4',
        device: '/dev/vda',
        subvolumeId: undefined,
      },
      {
        rootPath: '/volumes/v0000000000000001',
        mountPoint: '/srv/exports/v0000000000000001',
        filesystem: 'btrfs',
        device: '/dev/loop1',
        subvolumeId: 256,
      },
    ]);
  });
});
