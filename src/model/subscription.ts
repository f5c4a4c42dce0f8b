// Callbacks of consumers, as etcd holds them and as they are shown.

import { z } from 'zod';
import { clusterEventSchema } from './event.ts';
import { volumeIdSchema } from './names.ts';
import { contains, isSingleHost, type Network, parseNetwork, readNetwork } from './network.ts';

/** So many subscriptions are told of events at a time; one more is refused. */
export const MAX_SUBSCRIPTIONS = 1000;

export const subscriptionIdSchema = z
  .string()
  .regex(/^s[0-9a-f]{16}$/, 'must be s and 16 hexadecimal digits')
  .meta({ description: 'Id of a subscription.' });

/**
 * Where no callback may lead: this host in general, the link (where clouds serve their machines'
 * credentials: 169.254.169.254, and fd00:ec2::254), and groups of hosts.
 */
const FORBIDDEN = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/128',
  'fe80::/10',
  '64:ff9b::/96',
  'fd00:ec2::/32',
  'ff00::/8',
].map(parseNetwork);

/**
 * What leads to this very host, or hides an IPv4 address that may: loopback, IPv4-compatible IPv6, 6to4
 * (RFC 3056) and the local NAT64 prefix (RFC 8215). Forbidden unless a cluster's settings allow it.
 */
const OWN = ['127.0.0.0/8', '::/96', '2002::/16', '64:ff9b:1::/48'].map(parseNetwork);

/** True for an IP address that no callback may be sent to; a name is looked up by whoever sends. */
export const isForbiddenAddress = (address: string): boolean => isOneOf(FORBIDDEN, address);

/** True for an IP address that leads to whoever calls it. */
export const isOwnAddress = (address: string): boolean => isOneOf(OWN, address);

/** The same of a callback's URL, as far as it says so itself. */
export function leadsToOwnHost(url: string): boolean {
  const { hostname } = new URL(url);
  return /(^|\.)localhost\.?$/.test(hostname) || isOwnAddress(hostname);
}

function isOneOf(networks: readonly Network[], address: string): boolean {
  const network = readNetwork(address.replace(/^\[|\]$/g, '').replace(/%.*$/, ''));
  return network !== undefined && isSingleHost(network) && networks.some((one) => contains(one, network));
}

/** Why a URL is refused as a callback; undefined for one that may be. */
export function misfitOfCallback(text: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(text)) return 'must hold no spaces, control characters or letters beyond ASCII';
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return 'must be a URL that begins with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not hold credentials';
  if (text.includes('#')) return 'must not hold a fragment';
  if (isForbiddenAddress(url.hostname))
    return 'must not lead to a link-local, multicast or unspecified address';
  return undefined;
}

export const callbackUrlSchema = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((url, context) => {
    const message = misfitOfCallback(url);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({ description: 'Where events are sent by POST: http or https, without credentials or fragment.' });

export const secretSchema = z
  .string()
  .regex(/^[\x21-\x7e]{16,128}$/, 'must be 16-128 printable ASCII characters without spaces')
  .meta({ description: 'Signs what is sent. Shown only once, in the answer to the order.' });

export const subscribedVolumesSchema = z
  .array(volumeIdSchema)
  .min(1)
  .max(100)
  .nullable()
  .meta({ description: 'The volumes whose events are sent; null: all volumes.' });

const shown = {
  id: subscriptionIdSchema,
  url: callbackUrlSchema,
  volumes: subscribedVolumesSchema,
  created: z.iso.datetime(),
  delivered: z.int().nonnegative().meta({
    description: 'All events up to this revision are delivered or given up; 0: none since the order.',
  }),
  dropped: z.int().nonnegative().meta({ description: 'Events that were given up.' }),
  failing_since: z.iso.datetime().nullable().meta({
    description: 'Since when the callback has not been answered with success; null when all is well.',
  }),
  last_error: z
    .strictObject({
      at: z.iso.datetime(),
      revision: z.int().positive().meta({ description: 'Of the event that was not delivered.' }),
      message: z
        .string()
        .max(500)
        .meta({ description: 'timeout, refused, unreachable, or status and what it was.' }),
    })
    .nullable(),
};

/** `subscriptions/<id>`. */
export const subscriptionSchema = z.strictObject({ ...shown, secret: secretSchema });
export type Subscription = z.infer<typeof subscriptionSchema>;

/** As anybody may see it, who may use the API. */
export const subscriptionView = z.strictObject(shown).meta({ description: 'A callback for events.' });

export function subscriptionViewOf({
  secret: _secret,
  ...view
}: Subscription): z.infer<typeof subscriptionView> {
  return view;
}

/**
 * What is sent, as JSON. Events come in order and at least once; `id` tells a repetition.
 * Only `export`, `move` and `reset` events are sent.
 */
export const callbackBodySchema = z
  .strictObject({
    id: z
      .string()
      .meta({ description: 'Of the event, to be taken as it is: the same however often it is sent.' }),
    subscription: subscriptionIdSchema,
    event: clusterEventSchema,
  })
  .meta({ description: 'What a subscriber is sent.' });

export type CallbackBody = z.infer<typeof callbackBodySchema>;

/** `t` is the time of signing in seconds, `v1` the HMAC-SHA256 of `<t>.<body>` with the subscription's secret, in hexadecimal. */
export const SIGNATURE_HEADER = 'cobalt-signature';
/** The event's id. */
export const EVENT_HEADER = 'cobalt-event';
