#!/usr/bin/env node
// The entry of the rig's command line. Only what must come before anything is
// loaded is here: where V8 keeps compiled code, which makes every later start faster.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/rig'));
// `rig check <run> | head` stops reading: nothing that a run should end for, cleaning up included.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv);
