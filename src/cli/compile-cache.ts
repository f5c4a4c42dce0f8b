// Where V8 keeps compiled code, and Node.js what it has made of TypeScript: every later start is faster.

import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

/** For what this thread loads from now on: no thread has it of another. */
export const keepCompiled = (): void =>
  void enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/rig'));

/** For a thread that doesn't come to an end of its own. Best when what it loaded has run: it is kept with what was compiled by then. */
export const saveCompiled = flushCompileCache;
