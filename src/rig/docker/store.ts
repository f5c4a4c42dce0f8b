// etcd as its operator handles it: by etcdctl, in the containers of its members.

import { RigError } from '../../base/errors.ts';
import { PEER_PORT } from '../compose/render.ts';
import type { ExecResult, Store } from '../deployment.ts';
import type { Containers } from './containers.ts';
import { fieldOf, leaseOf, membersOf } from './store-answers.ts';

const ETCDCTL = ['etcdctl', '--dial-timeout=1s', '--command-timeout=3s'];
const ENDPOINT = ['etcdctl', '--dial-timeout=1s', '--command-timeout=2s', 'endpoint'];
/** Defragmenting stops the member for as long as it takes. */
const DEFRAGMENT = ['etcdctl', '--command-timeout=20s', 'defrag'];

/** `members` are etcd's; `recreate` makes a member's container and data folder anew, to join a cluster that exists. */
export function createStore(options: {
  readonly containers: Containers;
  readonly members: () => readonly string[];
  readonly recreate: (member: string) => Promise<void>;
}): Store {
  const { containers } = options;

  const running = async (): Promise<readonly string[]> => {
    const states = await Promise.all(options.members().map((member) => containers.state(member)));
    return options.members().filter((_, index) => states[index] === 'running');
  };

  /** What the first member says that can answer; `definite` are failures that are answers, too. */
  const ask = async (command: readonly string[], definite?: RegExp): Promise<ExecResult> => {
    let last = 'no member runs';
    for (const member of await running()) {
      const result = await containers.exec(member, [...ETCDCTL, ...command]);
      if (result.exitCode === 0 || definite?.test(result.stderr) === true) return result;
      last = `${member}: ${result.stderr.trim().split('\n').at(-1)}`;
    }
    throw new RigError('unavailable', `etcd doesn't do ${command.slice(0, 2).join(' ')}: ${last}`);
  };

  const members: Store['members'] = async () => membersOf((await ask(['member', 'list'])).stdout);

  return {
    read: async (key) => {
      const { stdout } = await ask(['get', key, '-w', 'fields']);
      const createRevision = fieldOf(stdout, 'CreateRevision');
      if (createRevision === undefined) return undefined;
      return { createRevision: Number(createRevision), lease: leaseOf(stdout) };
    },
    lives: async (lease) => !/already expired/.test((await ask(['lease', 'timetolive', lease])).stdout),
    revoke: async (lease) => void (await ask(['lease', 'revoke', lease], /lease not found/)),
    compact: async (revision) => void (await ask(['compact', String(revision)], /has been compacted/)),
    isCompacted: async (revision) => {
      const { exitCode } = await ask(['get', '/', `--rev=${revision}`], /has been compacted/);
      return exitCode !== 0;
    },
    defragment: async (member) => {
      const { exitCode, stderr } = await containers.exec(member, DEFRAGMENT);
      if (exitCode !== 0) throw new RigError('unavailable', `cannot defragment ${member}: ${stderr.trim()}`);
    },
    members,
    ailment: async (member) => {
      const { exitCode, stderr } = await containers.exec(member, [...ENDPOINT, 'health']);
      return exitCode === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? '');
    },
    leads: async (member) => {
      // One that has ended meanwhile leads nobody.
      const answer = await containers
        .exec(member, [...ENDPOINT, 'status', '-w', 'fields'])
        .catch(() => undefined);
      if (answer?.exitCode !== 0) return false;
      const leader = fieldOf(answer.stdout, 'Leader');
      return leader !== undefined && fieldOf(answer.stdout, 'MemberID') === leader;
    },
    lose: options.recreate,
    readmit: async (member) => {
      const listed = (await ask(['member', 'list'])).stdout;
      const peer = `http://${member}:${PEER_PORT}`;
      const known = listed.split('\n').find((line) => line.includes(` ${peer},`));
      // One that was added and has not started yet.
      if (known?.includes(', unstarted,') === true) return;
      const id = known?.split(',')[0];
      if (id !== undefined) await ask(['member', 'remove', id]);
      await ask(['member', 'add', member, `--peer-urls=${peer}`]);
    },
  };
}
