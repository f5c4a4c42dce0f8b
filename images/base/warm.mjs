// Compiles a program's modules once, while its image is built, into Node's
// compile cache (NODE_COMPILE_CACHE): processes then start without stripping
// types or compiling. Three nodes of four processes on two cores feel it.
//
//   node warm.mjs FOLDER    every .ts file below it; programs (main.ts) are not run
//
// A cache is no condition for anything: what fails here is told, and goes uncached.

import { readdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const THROW = 'data:text/javascript,throw 0';

function say(path, error) {
  console.error(`warm: ${path} stays uncached: ${error?.message ?? error}`);
}

/** Evaluated, so that what it loads is cached too. */
async function warmModule(path) {
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    say(path, error);
  }
}

/** A module graph is compiled as a whole before the first module runs; that one throws here. */
async function warmProgram(path) {
  const both = [THROW, pathToFileURL(path).href].map((url) => `import ${JSON.stringify(url)};`).join('');
  try {
    await import(`data:text/javascript,${encodeURIComponent(both)}`);
  } catch (error) {
    if (error !== 0) say(path, error);
  }
}

const paths = readdirSync(process.argv[2], { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(process.argv[2], name));
const isProgram = (path) => path.endsWith('/main.ts');
for (const path of paths.filter((name) => !isProgram(name))) await warmModule(path);
for (const path of paths.filter(isProgram)) await warmProgram(path);
flushCompileCache();
process.exit(0); // A module may have left something open.
