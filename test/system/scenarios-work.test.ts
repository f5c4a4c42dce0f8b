// What becomes of volumes and of their consumers while the cluster is asked for changes.

import { describe } from '@jest/globals';
import { CHOSEN, isOutage, playInContainers } from '../support/scenarios.ts';

describe('scenarios of work in containers', () =>
  playInContainers(CHOSEN.filter((scenario) => !isOutage(scenario))));
