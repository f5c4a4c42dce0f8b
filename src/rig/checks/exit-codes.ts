// What a process that judges, or can't, exits with.

import type { Judgement } from '../history.ts';

/** Exit codes, as README's section on results has them, best first. */
const EXIT_CODES: Readonly<Record<Judgement, number>> = { valid: 0, invalid: 1, unknown: 2 };

/** The rig, its input or the machine is at fault. */
export const EXIT_MACHINE = 3;

export const exitCodeOf = (verdict: Judgement): number => EXIT_CODES[verdict];
