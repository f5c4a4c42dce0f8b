// Every check by name, so that a scenario can ask for it as data.

import type { Check } from '../history.ts';
import { access } from './access.ts';
import { completeHistory } from './complete-history.ts';
import { constraints } from './constraints.ts';
import { convergence } from './convergence.ts';
import { durability } from './durability.ts';
import { expectations } from './expectations.ts';
import { fencing } from './fencing.ts';
import { heartbeats } from './heartbeats.ts';
import { legalTransitions } from './legal-transitions.ts';
import { logs } from './logs.ts';
import { minimumTraffic } from './minimum-traffic.ts';
import { noOvercommit } from './no-overcommit.ts';
import { noStaleLeases } from './no-stale-leases.ts';
import { oneLeader } from './one-leader.ts';
import { oneNodePerVolume } from './one-node-per-volume.ts';
import { outageChangesNothing } from './outage-changes-nothing.ts';
import { trafficUninterrupted } from './traffic-uninterrupted.ts';

/** The names that a scenario may put into its `checks`. */
export type CheckName =
  | 'access'
  | 'complete-history'
  | 'constraints'
  | 'convergence'
  | 'durability'
  | 'expectations'
  | 'fencing'
  | 'heartbeats'
  | 'legal-transitions'
  | 'logs'
  | 'minimum-traffic'
  | 'no-overcommit'
  | 'no-stale-leases'
  | 'one-leader'
  | 'one-node-per-volume'
  | 'outage-changes-nothing'
  | 'traffic-uninterrupted';

export const CHECKS: Readonly<Record<CheckName, Check>> = {
  access,
  'complete-history': completeHistory,
  constraints,
  convergence,
  durability,
  expectations,
  fencing,
  heartbeats,
  'legal-transitions': legalTransitions,
  logs,
  'minimum-traffic': minimumTraffic,
  'no-overcommit': noOvercommit,
  'no-stale-leases': noStaleLeases,
  'one-leader': oneLeader,
  'one-node-per-volume': oneNodePerVolume,
  'outage-changes-nothing': outageChangesNothing,
  'traffic-uninterrupted': trafficUninterrupted,
};

export const CHECK_NAMES = Object.keys(CHECKS) as readonly CheckName[];
