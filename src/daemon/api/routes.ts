// Every call of the API, as one table: transports serve it, openapi.ts describes it.

import { nodeRoutes } from './nodes.ts';
import type { Route } from './route.ts';
import { serviceRoutes } from './service.ts';
import { volumeRoutes } from './volumes.ts';

export const ROUTES: readonly Route[] = [...volumeRoutes, ...nodeRoutes, ...serviceRoutes];
