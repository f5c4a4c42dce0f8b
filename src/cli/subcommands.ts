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
  /** Whether it tells of the others, so that all are loaded with it. Default: false. */
  readonly tellsOfAll?: true;
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
    ps: {
      summary: 'tell how the members of each cluster are, who leads, and where they answer',
      load: async () => (await import('./ps.ts')).registerPs,
    },
    exec: {
      summary: 'run a command in a member',
      load: async () => (await import('./exec.ts')).registerExec,
    },
    volume: {
      summary: "a cluster's volumes: list, get, create, clone, resize, exports, move, delete",
      load: async () => (await import('./volume.ts')).registerVolume,
    },
    mount: {
      summary: "mount a volume in a consumer by a kernel's NFS client, or run a command where it is mounted",
      load: async () => (await import('./mount.ts')).registerMount,
    },
    mounts: {
      summary: 'list what consumers have mounted',
      load: async () => (await import('./mount.ts')).registerMounts,
    },
    unmount: {
      summary: 'unmount a volume in a consumer',
      load: async () => (await import('./mount.ts')).registerUnmount,
    },
    node: {
      summary: "a cluster's nodes: list, get, drain, undrain, label, remove",
      load: async () => (await import('./node.ts')).registerNode,
    },
    etcd: {
      summary: 'what a cluster keeps in etcd: get, watch, history',
      load: async () => (await import('./etcd.ts')).registerEtcd,
    },
  },
  'Faults by hand:': {
    kill: {
      summary: 'end members, or roles of nodes, by SIGKILL',
      load: async () => (await import('./acts.ts')).registerKill,
    },
    stop: {
      summary: 'stop members, or roles of nodes, in peace',
      load: async () => (await import('./acts.ts')).registerStop,
    },
    start: {
      summary: 'start members that are down',
      load: async () => (await import('./acts.ts')).registerStart,
    },
    restart: {
      summary: 'stop members, or roles of nodes, and start them',
      load: async () => (await import('./acts.ts')).registerRestart,
    },
    pause: {
      summary: 'freeze members, or roles of nodes: connections stay up, nothing answers',
      load: async () => (await import('./acts.ts')).registerPause,
    },
    resume: {
      summary: 'thaw what is frozen',
      load: async () => (await import('./acts.ts')).registerResume,
    },
    partition: {
      summary: 'cut members off from others, or from everybody',
      load: async () => (await import('./fault.ts')).registerPartition,
    },
    fault: {
      summary: 'inject any fault, until it is healed',
      load: async () => (await import('./fault.ts')).registerFault,
    },
    heal: {
      summary: 'undo faults; all of them, and whatever is down, when none is named',
      load: async () => (await import('./heal.ts')).registerHeal,
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
    shrink: {
      summary: 'find the fewest faults and calls that still fail as a run did, in simulated runs',
      load: async () => (await import('./shrink.ts')).registerShrink,
    },
    logs: {
      summary: 'print the logs of all members as one, in the order of time',
      load: async () => (await import('./logs.ts')).registerLogs,
    },
    check: {
      summary: 'judge a recorded run again, offline',
      load: async () => (await import('./check.ts')).registerCheck,
    },
    diff: {
      summary: 'compare two recorded runs: verdicts, times, calls, faults',
      load: async () => (await import('./diff.ts')).registerDiff,
    },
    summary: {
      summary: 'tell in Markdown what came of all runs in a folder, for the page of a pipeline',
      load: async () => (await import('./summary.ts')).registerSummary,
    },
    report: {
      summary: 'write the report of a recorded run anew, and tell where it is',
      load: async () => (await import('./report.ts')).registerReport,
    },
  },
  'Fleets:': {
    fleet: {
      summary: 'simulated nodes in front of a real etcd, until Ctrl-C; nothing is kept (see rig sim)',
      load: async () => (await import('./fleet.ts')).registerFleet,
    },
    sim: {
      summary: 'a simulated cluster that is kept, and comes back as it was',
      load: async () => (await import('./sim.ts')).registerSim,
    },
    mirror: {
      summary:
        "copy a live cluster's nodes and volumes into a simulated one; nothing is written to the live one",
      load: async () => (await import('./mirror.ts')).registerMirror,
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
    completion: {
      summary: 'print what makes a shell complete these commands: bash, zsh or fish',
      load: async () => (await import('./completion.ts')).registerCompletion,
      tellsOfAll: true,
    },
  },
};
