// The calls on /subscriptions: who wants to be called back about exports and moves.

import { z } from 'zod';
import { hex } from '../../base/random.ts';
import { SUBSCRIPTIONS_PREFIX, subscriptionKey } from '../../kv/keys.ts';
import {
  callbackUrlSchema,
  leadsToOwnHost,
  MAX_SUBSCRIPTIONS,
  type Subscription,
  secretSchema,
  subscribedVolumesSchema,
  subscriptionIdSchema,
  subscriptionSchema,
  subscriptionView,
  subscriptionViewOf,
} from '../../model/subscription.ts';
import { limitSchema, readPage } from './paging.ts';
import { type ApiResponse, invalid, problem, type Route, route } from './route.ts';
import { errorView } from './schemas.ts';
import { readStored } from './stored.ts';

const params = z.strictObject({ id: subscriptionIdSchema });

const newSubscriptionBody = z.strictObject({
  url: callbackUrlSchema,
  volumes: subscribedVolumesSchema.default(null),
  secret: secretSchema.optional(),
});

const orderedView = subscriptionView.extend({ secret: secretSchema });
const subscriptionsView = z.strictObject({
  subscriptions: z.array(subscriptionView),
  next: subscriptionIdSchema
    .nullable()
    .meta({ description: '`after` of the next page; null on the last one.' }),
});
const subscriptionsQuery = z.strictObject({
  limit: limitSchema,
  after: subscriptionIdSchema
    .optional()
    .meta({ description: 'Begins after this id: `next` of the page before.' }),
});
const absent = { description: 'There is no such subscription.', schema: errorView };

const create = route({
  method: 'POST',
  path: '/subscriptions',
  id: 'createSubscription',
  summary:
    'Has export and move events sent by POST, as a Callback, from now on: in order, at least once, and again for a while where the answer is no success. An answer of 410 ends the subscription.',
  body: newSubscriptionBody,
  answers: {
    201: {
      description: 'The subscription, with its secret: the only answer that has it.',
      schema: orderedView,
      headers: { location: 'Path of the new subscription.' },
    },
    409: {
      description: `There are ${MAX_SUBSCRIPTIONS} already, or the id that was drawn is taken.`,
      schema: errorView,
    },
  },
  handle: async ({ kv, random, clock, loopbackCallbacks }, { body }) => {
    if (loopbackCallbacks !== true && leadsToOwnHost(body.url)) {
      return invalid([{ path: 'url', message: 'must not lead to a loopback address' }]);
    }
    const { kvs } = await kv.list(SUBSCRIPTIONS_PREFIX, { limit: MAX_SUBSCRIPTIONS });
    if (kvs.length >= MAX_SUBSCRIPTIONS) {
      return problem(409, 'too_many', `There are ${MAX_SUBSCRIPTIONS} subscriptions already; delete some.`);
    }
    const subscription: Subscription = {
      id: `s${hex(random, 16)}`,
      url: body.url,
      volumes: body.volumes === null ? null : [...new Set(body.volumes)],
      secret: body.secret ?? hex(random, 64),
      created: new Date(clock.nowMs()).toISOString(),
      delivered: 0,
      dropped: 0,
      failing_since: null,
      last_error: null,
    };
    const key = subscriptionKey(subscription.id);
    const { succeeded } = await kv.transact({
      compare: [{ key, target: 'create', equals: 0 }],
      writes: [{ kind: 'put', key, value: JSON.stringify(subscription) }],
    });
    if (!succeeded) return problem(409, 'conflict', `The id ${subscription.id} is taken; try again.`);
    return {
      status: 201,
      headers: { location: `/subscriptions/${subscription.id}`, 'cache-control': 'no-store' },
      json: subscription,
    };
  },
});

const list = route({
  method: 'GET',
  path: '/subscriptions',
  id: 'listSubscriptions',
  summary: 'Every subscription, without its secret.',
  query: subscriptionsQuery,
  answers: { 200: { description: 'All subscriptions, by id.', schema: subscriptionsView } },
  handle: async (context, { query }) => {
    const page = await readPage(context, {
      prefix: SUBSCRIPTIONS_PREFIX,
      schema: subscriptionSchema,
      ...query,
    });
    const subscriptions = page.values.map(subscriptionViewOf);
    return { status: 200, json: { subscriptions, next: page.next } };
  },
});

const get = route({
  method: 'GET',
  path: '/subscriptions/:id',
  id: 'getSubscription',
  summary: 'One subscription, without its secret: how far it is, and what goes wrong.',
  params,
  answers: { 200: { description: 'The subscription.', schema: subscriptionView }, 404: absent },
  handle: async (context, request) => {
    const { id } = request.params;
    const stored = await readStored(context, subscriptionSchema, subscriptionKey(id));
    if (stored === undefined) return missing(id);
    return { status: 200, json: subscriptionViewOf(stored.value) };
  },
});

const remove = route({
  method: 'DELETE',
  path: '/subscriptions/:id',
  id: 'deleteSubscription',
  summary: 'Ends a subscription. An event that is being sent may still arrive.',
  params,
  answers: { 204: { description: 'It is gone.' }, 404: absent },
  handle: async ({ kv }, request) => {
    const { id } = request.params;
    const key = subscriptionKey(id);
    const found = (await kv.get(key)).kv;
    if (found === undefined) return missing(id);
    // The engine writes there, too, as it delivers: only whether it is still the same key matters.
    const { succeeded } = await kv.transact({
      compare: [{ key, target: 'create', equals: found.createRevision }],
      writes: [{ kind: 'delete', key }],
    });
    return succeeded ? { status: 204 } : missing(id);
  },
});

export const subscriptionRoutes: readonly Route[] = [list, create, get, remove];

function missing(id: string): ApiResponse {
  return problem(404, 'not_found', `There is no subscription ${id}.`);
}
