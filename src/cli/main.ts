#!/usr/bin/env node
// The entry of the rig's command line. Only what must come before anything is
// loaded is here: where compiled code is kept.

import { keepCompiled } from './compile-cache.ts';

keepCompiled();
// `rig check <run> | head` stops reading: nothing that a run should end for, cleaning up included.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv);
