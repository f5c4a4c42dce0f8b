// What came of a round, in lines. Pure.

import type { Round } from './round.ts';

/** What should not have been; none in a round that went well. */
export function faultsOf({ deaths, bystanderExit, bystanderSaid, changes }: Round): readonly string[] {
  return [
    ...deaths
      .filter(({ goneAfterMs }) => goneAfterMs === undefined)
      .map(({ command }) => `30 s after its death something of ${command} is there`),
    // A machine that is too slow for three clusters is no fault of the one beside.
    ...(bystanderExit === 0 || bystanderExit === 2
      ? []
      : [`the rig beside exits with ${bystanderExit}: ${bystanderSaid}`]),
    ...changes,
  ];
}

export function linesOf(round: Round): readonly string[] {
  const deaths = round.deaths.map(({ command, killedAfterMs, withItsGroup, during, goneAfterMs }) => {
    const how = withItsGroup ? 'killed with its group' : 'killed';
    const when = killedAfterMs === undefined ? 'had ended' : `${how} after ${inSeconds(killedAfterMs)}`;
    const gone = goneAfterMs === undefined ? 'NOT GONE' : `gone after ${inSeconds(goneAfterMs)}`;
    return `${command}: ${when} (${during.slice(0, 60)}), ${gone}`;
  });
  return [
    ...deaths,
    `  beside: exit code ${round.bystanderExit}`,
    ...faultsOf(round).map((fault) => `  FAULT ${fault}`),
  ];
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
