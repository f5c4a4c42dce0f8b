import { createSystemRandom, hex } from '../base/random.ts';

/** Tells apart whatever runs side by side on one machine. */
export const newRunId = (): string => hex(createSystemRandom(), 8);
