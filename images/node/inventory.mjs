// What is on this node's disk and in its NFS server, as one line of JSON, for
// the rig's checks. It looks with the tools of the operating system and shares
// no code with the daemon, so that a mistake of the daemon's can't hide itself.
// So it also reads COBALT_VOLUME_PATH by itself: it belongs to the node's hardware,
// as entrypoint.sh does, outside the daemon.
//
//   {volumes: [{id, quotaBytes|null, usedBytes, files: {path: sha256}, owners: {path: uid, but root's}}],
//    copies: [name], trash: [name],
//    exports: [{id, pseudo, clients: [{host, access, squash}]}], mounts: [{at, source, subvolume}],
//    coresWanted: {role: cores}, when asked for with --cores-wanted, which takes 0.5 to 16 s}
//
// Exit code 1, with the reason on stderr, when any of it could not be read: half
// an inventory would read as "nothing there".

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { coresWanted } from './cores-wanted.mjs';

const run = promisify(execFile);
const DISK = process.env.COBALT_VOLUME_PATH ?? '/srv/cobalt';
/** The root of every BTRFS subvolume has this inode number. */
const SUBVOLUME_INODE = 256;

/** ganesha's permission bits of a client (its nfs_exports.h). */
const ROOT_SQUASH = 0x02;
const ALL_SQUASH = 0x04;
const READ = 0x20;
const WRITE = 0x40;

async function namesIn(folder) {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Quota and usage by subvolume path; `--sync` first writes out what is in memory. */
async function qgroups() {
  const { stdout } = await run('btrfs', ['qgroup', 'show', '--sync', '--raw', '-re', DISK]);
  const groups = new Map();
  for (const line of stdout.split('\n')) {
    const [, used, quota, path] = /^\d+\/\d+\s+(\d+)\s+\d+\s+(\d+|none)\s+\S+\s+(\S.*?)\s*$/.exec(line) ?? [];
    if (path !== undefined)
      groups.set(path, { quotaBytes: quota === 'none' ? null : Number(quota), usedBytes: Number(used) });
  }
  return groups;
}

async function volumes() {
  const groups = await qgroups();
  const found = await Promise.all(
    (await namesIn(join(DISK, 'volumes'))).map(async (id) => {
      const folder = join(DISK, 'volumes', id);
      if ((await stat(folder)).ino !== SUBVOLUME_INODE) return [];
      const group = groups.get(`volumes/${id}`) ?? { quotaBytes: null, usedBytes: 0 };
      return [{ id, ...group, ...(await contents(folder)) }];
    }),
  );
  return found.flat();
}

/** Of every regular file, by its path relative to `folder`; a file that goes meanwhile is left out. */
async function contents(folder) {
  const files = {};
  const owners = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    try {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(path)) hash.update(chunk);
      const { uid } = await stat(path);
      files[path.slice(folder.length + 1)] = hash.digest('hex');
      if (uid !== 0) owners[path.slice(folder.length + 1)] = uid;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return { files, owners };
}

async function askGanesha(method, ...args) {
  const { stdout } = await run('dbus-send', [
    '--system',
    '--print-reply',
    '--reply-timeout=5000',
    '--dest=org.ganesha.nfsd',
    '/org/ganesha/nfsd/ExportMgr',
    `org.ganesha.nfsd.exportmgr.${method}`,
    ...args,
  ]);
  return stdout;
}

async function exports() {
  const shown = await askGanesha('ShowExports');
  const ids = [...shown.matchAll(/uint16 (\d+)/g)].map((match) => Number(match[1]));
  // Number 0 is the root of the pseudo filesystem, which ganesha makes for itself.
  const found = await Promise.all(ids.filter((id) => id !== 0).map(displayExport));
  return found.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function displayExport(number) {
  let shown;
  try {
    shown = await askGanesha('DisplayExport', `uint16:${number}`);
  } catch (error) {
    if (/No Export|not found/i.test(String(error.stderr))) return []; // Removed since it was listed.
    throw error;
  }
  const [path, pseudo] = [...shown.matchAll(/^ {3}string "(.*)"$/gm)].map((match) => match[1]);
  const clients = [...shown.matchAll(/struct \{([^}]*)\}/g)].map((match) => client(match[1]));
  return [{ id: basename(path), pseudo, clients }];
}

/** A client's fields in order: host, two of NFSv3's, a byte, anonymous uid and gid, timeout, permissions, which are set. */
function client(fields) {
  const host = /string "(.*)"/.exec(fields)[1];
  const numbers = [...fields.matchAll(/^\s*uint32 (\d+)$/gm)].map((match) => Number(match[1]));
  const permissions = numbers[numbers.length - 2];
  return {
    // ganesha writes a single address as a network of one.
    host: host.replace(/^([\d.]+)\/32$|^([\da-fA-F:.]+)\/128$/, '$1$2'),
    access: permissions & WRITE ? 'rw' : permissions & READ ? 'ro' : 'none',
    squash: permissions & ALL_SQUASH ? 'all' : permissions & ROOT_SQUASH ? 'root' : 'none',
  };
}

/** Mounts below /srv: where, of what device, and which subvolume of it. */
async function mounts() {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[4]?.startsWith('/srv/'))
    .map((fields) => ({
      at: fields[4],
      source: fields[fields.indexOf('-') + 2],
      subvolume: fields[3].slice(1),
    }));
}

try {
  // First, as what follows keeps the machine busy.
  const wanted = process.argv.includes('--cores-wanted') ? { coresWanted: await coresWanted() } : {};
  const [onDisk, copies, trash, exported, mounted] = await Promise.all([
    volumes(),
    // Read-only ones, made by moves, whole or not: <volume>.<copy>.
    namesIn(join(DISK, 'copies')),
    namesIn(join(DISK, 'trash')),
    exports(),
    mounts(),
  ]);
  console.log(
    JSON.stringify({ volumes: onDisk, copies, trash, exports: exported, mounts: mounted, ...wanted }),
  );
} catch (error) {
  console.error(`inventory: ${error.stderr?.trim() || error.message}`);
  process.exitCode = 1;
}
