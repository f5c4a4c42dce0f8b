#!/usr/bin/env node
// The entry of the rig's command line. Only what must come before anything is
// loaded is here: where compiled code is kept.

import { keepCompiled } from './compile-cache.ts';
import { outliveOutput } from './lost-output.ts';

keepCompiled();
outliveOutput();

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv);
