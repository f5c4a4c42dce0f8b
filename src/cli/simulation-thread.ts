// The entry of a thread that simulates: only what must come before anything is loaded.

import { keepCompiled } from './compile-cache.ts';

keepCompiled();
await import('./simulation-worker.ts');
