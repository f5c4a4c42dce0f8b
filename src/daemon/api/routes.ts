// Every call of the API, as one table: transports serve it, openapi.ts describes it.

import { eventRoutes } from './events.ts';
import { exportRoutes } from './exports.ts';
import { nodeChangeRoutes } from './node-changes.ts';
import { nodeRoutes } from './nodes.ts';
import { orderRoutes } from './orders.ts';
import type { Route } from './route.ts';
import { serviceRoutes } from './service.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { taskRoutes } from './tasks.ts';
import { volumeRoutes } from './volumes.ts';

export const ROUTES: readonly Route[] = [
  ...volumeRoutes,
  ...orderRoutes,
  ...exportRoutes,
  ...taskRoutes,
  ...nodeRoutes,
  ...nodeChangeRoutes,
  ...eventRoutes,
  ...subscriptionRoutes,
  ...serviceRoutes,
];
