// The samples were printed by dbus-send 1.16 for nfs-ganesha 6.5.

import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import { formatNetwork } from '../../../src/model/network.ts';
import { freeExportId } from '../../../src/nfs/export-id.ts';
import { busError } from '../../../src/nfs/ganesha-bus.ts';
import { parseDisplayExport, parseShowExports } from '../../../src/nfs/ganesha-output.ts';
import { parseMountinfo } from '../../../src/nfs/mountinfo.ts';

const shownExport = (id: number, path: string): string => `      struct {
         uint16 ${id}
         string "${path}"
         struct {
            struct {
               string "NFSv3"
               boolean false
            }
            struct {
               string "9P"
               boolean false
            }
         }
         struct {
            uint64 0
            uint64 0
         }
      }
`;

const client = (host: string, options: number): string => `      struct {
         string "${host}"
         int32 0
         byte 253
         byte 255
         int32 2
         uint32 4294967294
         uint32 4294967294
         uint32 0
         uint32 ${options}
         uint32 487
      }
`;

const displayed = (
  clients: string,
): string => `method return time=1795218458.735840 sender=:1.0 -> destination=:1.2 serial=35 reply_serial=2
   uint16 7
   string "/srv/exports/v0000000000000001"
   string "/v0000000000000001"
   string ""
   array [
${clients}   ]
`;

describe('ShowExports', () => {
  it('gives ids and paths', () => {
    const output = `method return time=1795218458.739576 sender=:1.0 -> destination=:1.3 serial=36 reply_serial=2
   struct {
      uint64 1795218428
      uint64 200117585
   }
   array [
${shownExport(0, '/')}${shownExport(7, '/srv/exports/v0000000000000001')}   ]
`;
    expect(parseShowExports(output)).toEqual([
      { exportId: 0, path: '/' },
      { exportId: 7, path: '/srv/exports/v0000000000000001' },
    ]);
  });
});

describe('DisplayExport', () => {
  it('gives clients with access and squash, in order', () => {
    const output = displayed(
      client('172.17.0.0/16', 53490144) + client('fd00::17/128', 53490146) + client('10.9.9.9/32', 53489828),
    );
    const seen = parseDisplayExport(output).clients.map(({ network, access, squash }) => [
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
    expect(parseDisplayExport(displayed(''))).toEqual({ clients: [], foreign: [] });
  });

  it('tells a client that Cobalt never makes from those that it does', () => {
    for (const [host, options] of [
      ['*', 53490144],
      ['@group', 53490144],
      ['10.0.0.1/32', 0],
    ] as const) {
      const { clients, foreign } = parseDisplayExport(
        displayed(client(host, options) + client('10.9.9.9/32', 53489828)),
      );
      expect(clients).toHaveLength(1);
      expect(foreign).toEqual([`${host} with options ${options}`]);
    }
  });

  it('is not trusted when a client in it can not be read', () => {
    const cut = displayed(client('10.0.0.1/32', 53490144).replace(/ +byte 255\n/, ''));
    expect(() => parseDisplayExport(cut)).toThrow(/1 clients; 0 could be read/);
  });
});

describe("dbus-send's last words", () => {
  it.each([
    [
      'Error org.freedesktop.DBus.Error.ServiceUnknown: The name org.ganesha.nfsd was not provided by any .service files',
      'unavailable',
      true,
    ],
    [
      'Failed to open connection to "system" message bus: Failed to connect to socket /nowhere: No such file or directory',
      'unavailable',
      true,
    ],
    [
      'Error org.freedesktop.DBus.Error.NoReply: Message recipient disconnected from message bus without replying',
      'unavailable',
      false,
    ],
    [
      'Error org.freedesktop.DBus.Error.InvalidArgs: lookup_export failed with Export id not found',
      'not_found',
      true,
    ],
    [
      'Error org.freedesktop.DBus.Error.InvalidArgs: another export admin operation is in progress, try again later',
      'conflict',
      true,
    ],
    [
      'Error org.freedesktop.DBus.Error.InvalidFileContent: Selected entries in /run/ganesha/exports/7.conf already active!!!',
      'io',
      false,
    ],
  ])('%s', (words, code, definite) => {
    const error = busError('AddExport', new RigError('io', `dbus-send --system x: ${words}`));
    expect(error).toMatchObject({ code, definite });
    expect(error.message).toBe(`ganesha's AddExport: ${words}`);
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
