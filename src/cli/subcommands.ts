// Every subcommand by name: what it is for, and where it is made. `rig --help` needs the first alone; the
// second is loaded for the one that was asked for, for most of what one needs another doesn't.

import type { Command } from 'commander';

type Register = (program: Command) => void;

export interface Subcommand {
  /** One line of `rig --help`, and the head of its own help. */
  readonly summary: string;
  readonly load: () => Promise<Register>;
  /** Another name of it. */
  readonly alias?: string;
}

/** By heading of `rig --help`, in the order in which they are listed there. */
export const SUBCOMMANDS: Readonly<Record<string, Readonly<Record<string, Subcommand>>>> = {
  'Clusters:': {
    up: {
      summary: 'start a cluster and leave it up: etcd, three nodes, two consumers',
      load: async () => (await import('./up.ts')).registerUp,
    },
    down: {
      summary: 'remove a cluster that rig up started or rig run kept, disks included',
      load: async () => (await import('./down.ts')).registerDown,
    },
  },
  'Runs:': {
    scenarios: {
      summary: 'list the scenarios and what each shows',
      load: async () => (await import('./scenarios.ts')).registerScenarios,
    },
    run: {
      summary: 'run scenarios, each on a cluster of its own, and judge them',
      load: async () => (await import('./run.ts')).registerRun,
    },
    replay: {
      summary: 'run a simulated run again, and tell whether it comes to the same, byte by byte',
      load: async () => (await import('./replay.ts')).registerReplay,
    },
    check: {
      summary: 'judge a recorded run again, offline',
      load: async () => (await import('./check.ts')).registerCheck,
    },
    diff: {
      summary: 'compare two recorded runs: verdicts, times, calls, faults',
      load: async () => (await import('./diff.ts')).registerDiff,
    },
    faults: {
      summary: 'list the faults, what each takes, and whether it can be had here',
      load: async () => (await import('./faults.ts')).registerFaults,
    },
    reap: {
      summary: 'heal what a rig that died has left broken in its cluster',
      load: async () => (await import('./reap.ts')).registerReap,
    },
  },
  'This machine:': {
    doctor: {
      summary: 'tell what the rig needs of this machine, and what it found',
      load: async () => (await import('./doctor.ts')).registerDoctor,
    },
    images: {
      summary: 'build the images whose inputs have changed, and print the tags of all',
      load: async () => (await import('./images.ts')).registerImages,
      alias: 'build',
    },
    render: {
      summary: 'print a compose file for exploration, or write them all to compose/',
      load: async () => (await import('./render.ts')).registerRender,
    },
    bench: {
      summary: 'measure, side by side; prints ratios and distributions',
      load: async () => (await import('./bench.ts')).registerBench,
    },
  },
};
