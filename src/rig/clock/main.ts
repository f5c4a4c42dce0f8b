// Keeps a node's clock as wrong as the rig wants it: runs beside the daemon, with
// the true time, and tells libfaketime what to add to it.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createSystemClock } from '../../base/clock.ts';
import { type ActiveCondition, CONDITIONS_FILE, OFFSET_FILE, offsetMs, offsetText } from './offsets.ts';

/** A drifting clock goes in steps of this; at 1.1 that is 2 ms at a time. */
const EVERY_MS = 20;

const clock = createSystemClock();

function conditions(): readonly ActiveCondition[] {
  try {
    return JSON.parse(readFileSync(CONDITIONS_FILE, 'utf8')) as readonly ActiveCondition[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

for (let before = ''; ; await clock.sleep(EVERY_MS)) {
  const text = offsetText(offsetMs(conditions(), clock.nowMs()));
  if (text === before) continue;
  // Whole or not at all: nobody reads half a number.
  writeFileSync(`${OFFSET_FILE}.new`, text);
  renameSync(`${OFFSET_FILE}.new`, OFFSET_FILE);
  before = text;
}
