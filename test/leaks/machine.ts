// All that a rig could leave on a machine, as it is now: what the engine has, and what Docker's labels don't tell.

import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';

/** By kind: one line each, which is the same for as long as the thing is there. */
export type MachineState = ReadonlyMap<string, ReadonlySet<string>>;

/** Whose things these are: told by what is in the environment of their processes, and by where their temporary files are. */
export interface Owner {
  readonly marks: readonly string[];
  readonly temporaryFolders: readonly string[];
}

export async function readMachine(owner: Owner): Promise<MachineState> {
  const kinds: Readonly<Record<string, () => Promise<readonly string[]>>> = {
    ...ON_ENGINE,
    ...IN_KERNEL,
    process: async () => processesOf(owner.marks),
    'temporary file': async () => owner.temporaryFolders.flatMap((folder) => readdirSync(folder)),
  };
  const readings = await Promise.all(
    Object.entries(kinds).map(async ([kind, read]) => {
      const lines = (await read()).map((line) => line.trim()).filter((line) => line !== '');
      return [kind, new Set(lines)] as const;
    }),
  );
  return new Map(readings);
}

/** `+ kind: what` for what came, `- kind: what` for what went. */
export function changesOf(before: MachineState, after: MachineState): readonly string[] {
  const of = (sign: string, from: MachineState, to: MachineState): readonly string[] =>
    [...to].flatMap(([kind, lines]) =>
      [...lines]
        .filter((line) => from.get(kind)?.has(line) !== true)
        .map((line) => `${sign} ${kind}: ${line}`),
    );
  return [...of('+', before, after), ...of('-', after, before)];
}

const linesOf = async (file: string, args: readonly string[]): Promise<readonly string[]> =>
  (await execa(file, args)).stdout.split('\n');

const ON_ENGINE = {
  container: () => linesOf('docker', ['ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}}']),
  network: () => linesOf('docker', ['network', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Name}}']),
  volume: () => linesOf('docker', ['volume', 'ls', '--format', '{{.Name}}']),
};

const IN_KERNEL = {
  'loop device': () => linesOf('losetup', ['--list', '--noheadings', '--raw', '--output', 'NAME,BACK-INO']),
  // Where each is.
  mount: async () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? ''),
  'network interface': async () =>
    (await linesOf('ip', ['-oneline', 'link'])).map((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? ''),
  // Policies have counters, which change.
  'packet filter': async () => (await linesOf('iptables-save', [])).filter((line) => line.startsWith('-')),
  'queueing discipline': () => linesOf('tc', ['qdisc', 'show']),
  'network namespace': () => linesOf('lsns', ['--type', 'net', '--noheadings', '--output', 'NS']),
};

function processesOf(marks: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        if (!marks.some((mark) => environment.includes(mark))) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
      } catch {
        return []; // It has ended.
      }
    });
}
