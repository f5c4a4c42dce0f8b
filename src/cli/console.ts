// `rig console`: a page on which a cluster is watched and broken by hand, or a run watched again.

import type { Command } from 'commander';
import { whenAborted } from '../base/abortable.ts';
import { createSystemClock } from '../base/clock.ts';
import { consoleAssets } from '../rig/page-assets.ts';
import { parseClusterName } from './cluster-name.ts';
import type { ClusterFlags } from './clusters.ts';
import { openConsoleSource } from './console/open.ts';
import { startConsoleServer } from './console/server.ts';
import { catchInterrupt } from './interrupt.ts';
import { wholeNumber } from './numbers.ts';
import { help, printJson, printLine } from './output.ts';

interface ConsoleFlags extends ClusterFlags {
  readonly port?: number;
  readonly json?: boolean;
}

export function registerConsole(program: Command): void {
  program
    .command('console')
    .argument('[folder]', 'of a run that is over, or of a fleet (runs/sim); default: a cluster of rig up')
    .option('--name <name>', 'which cluster of rig up (default: "default")', parseClusterName)
    .option('--run <run>', 'instead: the cluster that a run has kept, by its id or its folder')
    .option('--port <number>', 'of 127.0.0.1; default: one that is free', wholeNumber('port', 1, 65_535))
    .option('--json', 'print where it is as JSON')
    .addHelpText(
      'after',
      help(
        [
          'rig console',
          'rig console --run 1a2b3c4d',
          'rig console runs/20260101-120000-chaos-7',
          'rig console runs/sim',
        ],
        '{"url"}',
      ),
    )
    .action(openConsole);
}

async function openConsole(folder: string | undefined, flags: ConsoleFlags): Promise<void> {
  const clock = createSystemClock();
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  const { signal } = interrupt;
  const over = new AbortController();
  const source = await openConsoleSource(
    { folder, flags },
    { clock, signal: AbortSignal.any([signal, over.signal]) },
  );
  try {
    const server = await startConsoleServer({ source, assets: consoleAssets(), port: flags.port ?? 0 });
    try {
      if (flags.json === true) printJson({ url: server.url });
      else {
        printLine(`${source.title}: ${server.url}`);
        printLine('Ctrl-C ends it; what is broken then stays so, until rig heal.');
      }
      await whenAborted(signal);
    } finally {
      await server.close();
    }
  } finally {
    over.abort();
    await source.done;
  }
}
