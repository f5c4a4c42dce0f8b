// What the overlays have in common: Compose files that add a service to any of the clusters' files.

import { API_PORT } from './node-environment.ts';
import { INIT, UNPULLED } from './render.ts';

/**
 * Who is asked for the nodes that there are: those of the largest cluster here, of which one that is there is enough.
 * Compose puts in what its user's environment says instead.
 */
export const SEEDS = `\${COBALT_SEEDS:-${['node1', 'node2', 'node3'].map((name) => `${name}:${API_PORT}`).join(',')}}`;

/** Of a service that needs no right at all. */
export const OVERLAY_SERVICE = {
  ...UNPULLED,
  ...INIT,
  restart: 'on-failure',
  stop_grace_period: '5s',
  // Names that the cluster's network doesn't have are nobody's business outside of it.
  dns: '127.0.0.1',
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
};

/** Every second, as the clusters' own checks are. */
export const healthOf = (url: string, startPeriod: string) => ({
  test: ['CMD', 'curl', '-fsS', '-m', '2', url],
  interval: '1s',
  timeout: '3s',
  retries: 3,
  start_period: startPeriod,
});
