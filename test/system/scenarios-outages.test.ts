// What becomes of the cluster while etcd, a node or the leader is away.

import { describe } from '@jest/globals';
import { CHOSEN, isOutage, playInContainers } from '../support/scenarios.ts';

describe('scenarios of outages in containers', () => playInContainers(CHOSEN.filter(isOutage)));
