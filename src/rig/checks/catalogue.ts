// Every check by name, so that a scenario can ask for it as data.

import type { Check } from '../history.ts';
import { access } from './access.ts';
import { atRest } from './at-rest.ts';
import { clones } from './clones.ts';
import { completeHistory } from './complete-history.ts';
import { constraints } from './constraints.ts';
import { convergence } from './convergence.ts';
import { durability } from './durability.ts';
import { ends } from './ends.ts';
import { expectations } from './expectations.ts';
import { faults } from './faults.ts';
import { fencing } from './fencing.ts';
import { heartbeats } from './heartbeats.ts';
import { legalTransitions } from './legal-transitions.ts';
import { linearizable } from './linearizable.ts';
import { logs } from './logs.ts';
import { minimumTraffic } from './minimum-traffic.ts';
import { moves } from './moves.ts';
import { noOvercommit } from './no-overcommit.ts';
import { noStaleLeases } from './no-stale-leases.ts';
import { oneLeader } from './one-leader.ts';
import { oneNodePerVolume } from './one-node-per-volume.ts';
import { outageChangesNothing } from './outage-changes-nothing.ts';
import { rebalanceConverges } from './rebalance-converges.ts';
import { told } from './told.ts';
import { trafficUninterrupted } from './traffic-uninterrupted.ts';
import { watch } from './watch.ts';

/** The names that a scenario may put into its `checks`. */
export type CheckName =
  | 'access'
  | 'at-rest'
  | 'clones'
  | 'complete-history'
  | 'constraints'
  | 'convergence'
  | 'durability'
  | 'ends'
  | 'expectations'
  | 'faults'
  | 'fencing'
  | 'heartbeats'
  | 'legal-transitions'
  | 'linearizable'
  | 'logs'
  | 'minimum-traffic'
  | 'moves'
  | 'no-overcommit'
  | 'no-stale-leases'
  | 'one-leader'
  | 'one-node-per-volume'
  | 'outage-changes-nothing'
  | 'rebalance-converges'
  | 'told'
  | 'traffic-uninterrupted'
  | 'watch';

export const CHECKS: Readonly<Record<CheckName, Check>> = {
  access,
  'at-rest': atRest,
  clones,
  'complete-history': completeHistory,
  constraints,
  convergence,
  durability,
  ends,
  expectations,
  faults,
  fencing,
  heartbeats,
  'legal-transitions': legalTransitions,
  linearizable,
  logs,
  'minimum-traffic': minimumTraffic,
  moves,
  'no-overcommit': noOvercommit,
  'no-stale-leases': noStaleLeases,
  'one-leader': oneLeader,
  'one-node-per-volume': oneNodePerVolume,
  'outage-changes-nothing': outageChangesNothing,
  'rebalance-converges': rebalanceConverges,
  told,
  'traffic-uninterrupted': trafficUninterrupted,
  watch,
};

export const CHECK_NAMES = Object.keys(CHECKS) as readonly CheckName[];
