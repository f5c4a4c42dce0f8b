// The daemon's settings: the only place of the product that reads the
// environment. `.env.template` documents every variable for its users.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { type FailpointActions, parseFailpoints } from '../base/failpoints.ts';
import type { LogLevel } from '../base/log.ts';
import { type Labels, labelsSchema, nodeNameSchema } from '../model/names.ts';
import { fieldErrors } from '../model/parse.ts';
import { ROLES, type Role } from '../model/volume.ts';
import { misfitsOf, type SecuritySettings, securityOf, securityVariables } from './security-settings.ts';

export type RestartPolicy = 'always' | 'never';

/** Sizes in GiB, durations in the unit that the name ends with. */
export interface Settings extends SecuritySettings {
  readonly nodeName: string;
  /** Host name or IP address at which clients reach this node's NFS server. */
  readonly address: string;
  readonly etcdEndpoints: readonly string[];
  readonly roles: readonly Role[];
  readonly restart: Readonly<Record<Role, RestartPolicy>>;
  readonly volumePath: string;
  /** Null: the whole disk. Counts at the node's first start only; afterwards its spec in etcd wins. */
  readonly capacityGib: number | null;
  readonly labels: Labels;
  readonly leaseTtlSeconds: number;
  readonly apiHost: string;
  readonly apiPort: number;
  /** Calls that one client address may make in a second; 0: any number. */
  readonly apiRatePerSecond: number;
  /** Where this node's agent listens for other nodes'. */
  readonly agentHost: string;
  readonly agentPort: number;
  /** Moves under way at a time that no client asked for, in the whole cluster. */
  readonly maxMoves: number;
  /** How far above the average, in per cent of its capacity, a node's reservations may be before volumes move away; 100: never. */
  readonly rebalancePercent: number;
  readonly reconcileIntervalMs: number;
  readonly trashRetentionMs: number;
  /** How long a callback that isn't answered is tried again. */
  readonly callbackGiveUpMs: number;
  /** Whether callbacks may lead to the engine's own host. */
  readonly callbackLoopback: boolean;
  readonly storage: 'btrfs' | 'memory';
  readonly exporter: 'ganesha' | 'memory';
  /** A Unix socket at which disk and NFS server answer, in the place of both; for tests only. */
  readonly backendsSocket: string | null;
  readonly logLevel: LogLevel;
  /** What happens at the failpoints that are switched on; for tests only. */
  readonly failpoints: FailpointActions;
  /** A file by which they are switched while the daemon runs; for tests only. */
  readonly failpointsFile: string | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const wholeNumber = (range: { readonly least: number; readonly most: number }) =>
  z
    .string()
    .regex(/^[0-9]{1,12}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(range.least).max(range.most));

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const pairs = list.transform((items, context) => {
  const entries = items.map((item) => {
    const at = item.indexOf('=');
    if (at < 1) context.addIssue({ code: 'custom', message: `must be a list of key=value, not '${item}'` });
    return [item.slice(0, at).trim(), item.slice(at + 1).trim()] as const;
  });
  if (new Set(entries.map(([key]) => key)).size !== entries.length) {
    context.addIssue({ code: 'custom', message: 'must name each key once' });
  }
  return Object.fromEntries(entries);
});

const policySchema = z.enum(['always', 'never']);

const policiesSchema = z.strictObject({
  api: policySchema.default('always'),
  engine: policySchema.default('always'),
  agent: policySchema.default('always'),
});

/** One policy for all roles, or `role=policy` pairs; a role that isn't named is restarted. */
const restartSchema = z.union(
  [
    policySchema.transform((policy) => ({ api: policy, engine: policy, agent: policy })),
    pairs.transform((entries, context) => {
      const policies = policiesSchema.safeParse(entries);
      if (policies.success) return policies.data;
      context.addIssue({ code: 'custom', message: 'must name roles and policies' });
      return z.NEVER;
    }),
  ],
  "must be 'always', 'never', or a list such as engine=never,agent=always",
);

const endpointSchema = z
  .string()
  .regex(/^https?:\/\/[A-Za-z0-9._-]+(:[0-9]{1,5})?\/?$|^https?:\/\/\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?\/?$/, {
    error: (issue) => `must be a list of URLs such as http://etcd:2379, not '${String(issue.input)}'`,
  })
  .transform((url) => url.replace(/\/$/, ''));

// No whitespace and nothing that means something to a shell, to ganesha or in a URL.
const addressSchema = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,253}[A-Za-z0-9])?$/, 'must be a host name or an IP address');

const pathSchema = z
  .string()
  .regex(/^(\/[A-Za-z0-9._-]+)+$/, 'must be an absolute path of plain names')
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'must not hold . or ..');

const failpointsSchema = z.string().transform((text, context): FailpointActions => {
  try {
    return parseFailpoints(text);
  } catch (error) {
    const { message, next } = RigError.from(error);
    context.addIssue({ code: 'custom', message: `can't be read: ${message}. ${next}` });
    return z.NEVER;
  }
});

const rolesSchema = list
  .pipe(z.array(z.enum(ROLES, { error: ({ input }) => `has no role '${String(input)}'` })).min(1))
  .refine((roles) => new Set(roles).size === roles.length, 'must name each role once');

const variables = z.object({
  COBALT_NODE_NAME: nodeNameSchema,
  COBALT_ADDRESS: addressSchema.optional(),
  COBALT_ETCD_ENDPOINTS: list.pipe(z.array(endpointSchema).min(1)),
  COBALT_ROLES: rolesSchema.default([...ROLES]),
  COBALT_RESTART: restartSchema.default({ api: 'always', engine: 'always', agent: 'always' }),
  COBALT_VOLUME_PATH: pathSchema.default('/srv/cobalt'),
  COBALT_CAPACITY_GIB: z
    .string()
    .regex(/^[0-9]+(\.[0-9]+)?$/, 'must be a number of GiB')
    .transform(Number)
    .pipe(
      z
        .number()
        .positive()
        .max(2 ** 20),
    )
    .nullable()
    .default(null),
  COBALT_LABELS: pairs.pipe(labelsSchema).default({}),
  COBALT_LEASE_TTL_SECONDS: wholeNumber({ least: 2, most: 600 }).default(5),
  COBALT_API_HOST: addressSchema.or(z.literal('::')).default('127.0.0.1'),
  COBALT_API_PORT: wholeNumber({ least: 0, most: 65_535 }).default(8080),
  COBALT_AGENT_HOST: addressSchema.or(z.literal('::')).default('127.0.0.1'),
  COBALT_AGENT_PORT: wholeNumber({ least: 1, most: 65_535 }).default(8081),
  COBALT_MAX_MOVES: wholeNumber({ least: 0, most: 1000 }).default(2),
  COBALT_REBALANCE_PERCENT: wholeNumber({ least: 1, most: 100 }).default(20),
  COBALT_RECONCILE_INTERVAL_MS: wholeNumber({ least: 10, most: 3_600_000 }).default(10_000),
  COBALT_TRASH_RETENTION_MS: wholeNumber({ least: 0, most: 999_999_999_999 }).default(86_400_000),
  COBALT_CALLBACK_GIVE_UP_MS: wholeNumber({ least: 0, most: 999_999_999_999 }).default(3_600_000),
  COBALT_CALLBACK_LOOPBACK: z.enum(['forbidden', 'allowed']).default('forbidden'),
  COBALT_API_RATE_PER_SECOND: wholeNumber({ least: 0, most: 1_000_000 }).default(1000),
  ...securityVariables,
  COBALT_STORAGE: z.enum(['btrfs', 'memory']).default('btrfs'),
  COBALT_EXPORTER: z.enum(['ganesha', 'memory']).default('ganesha'),
  COBALT_BACKENDS_SOCKET: pathSchema.nullable().default(null),
  COBALT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  COBALT_FAILPOINTS: failpointsSchema.default({}),
  COBALT_FAILPOINTS_FILE: pathSchema.nullable().default(null),
});

/**
 * Validates the environment (default: the process's own). An empty variable
 * counts as unset. Throws `invalid`, naming every variable at fault.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const given = Object.fromEntries(
    Object.keys(variables.shape)
      .map((name) => [name, environment[name]?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = variables.safeParse(given);
  const faults = [...(result.success ? [] : faultsOf(result.error, given)), ...misfitsOf(given)];
  if (!result.success || faults.length > 0) throw refusal(faults);
  const read = result.data;
  return {
    ...securityOf(read),
    nodeName: read.COBALT_NODE_NAME,
    address: read.COBALT_ADDRESS ?? read.COBALT_NODE_NAME,
    etcdEndpoints: read.COBALT_ETCD_ENDPOINTS,
    roles: read.COBALT_ROLES,
    restart: read.COBALT_RESTART,
    volumePath: read.COBALT_VOLUME_PATH,
    capacityGib: read.COBALT_CAPACITY_GIB,
    labels: read.COBALT_LABELS,
    leaseTtlSeconds: read.COBALT_LEASE_TTL_SECONDS,
    apiHost: read.COBALT_API_HOST,
    apiPort: read.COBALT_API_PORT,
    apiRatePerSecond: read.COBALT_API_RATE_PER_SECOND,
    agentHost: read.COBALT_AGENT_HOST,
    agentPort: read.COBALT_AGENT_PORT,
    maxMoves: read.COBALT_MAX_MOVES,
    rebalancePercent: read.COBALT_REBALANCE_PERCENT,
    reconcileIntervalMs: read.COBALT_RECONCILE_INTERVAL_MS,
    trashRetentionMs: read.COBALT_TRASH_RETENTION_MS,
    callbackGiveUpMs: read.COBALT_CALLBACK_GIVE_UP_MS,
    callbackLoopback: read.COBALT_CALLBACK_LOOPBACK === 'allowed',
    storage: read.COBALT_STORAGE,
    exporter: read.COBALT_EXPORTER,
    backendsSocket: read.COBALT_BACKENDS_SOCKET,
    logLevel: read.COBALT_LOG_LEVEL,
    failpoints: read.COBALT_FAILPOINTS,
    failpointsFile: read.COBALT_FAILPOINTS_FILE,
  };
}

/** What is wrong with one variable. */
interface Fault {
  readonly name: string;
  readonly message: string;
}

function faultsOf(error: z.ZodError, given: Environment): readonly Fault[] {
  const messages = new Map<string, string[]>();
  for (const { path, message } of fieldErrors(error)) {
    const name = path.split('.')[0] ?? path;
    messages.set(name, [...(messages.get(name) ?? []), message]);
  }
  return [...messages].map(([name, said]) => {
    if (given[name] === undefined) return { name, message: 'is not set' };
    const allowed = name === 'COBALT_ROLES' ? `; it is a list of ${ROLES.join(', ')}` : '';
    // A URL may hold a password by mistake; what is printed ends up in logs.
    const message = withoutPasswords(`${said.join(' and ')}${allowed} (given: '${given[name]}')`);
    return { name, message };
  });
}

function refusal(faults: readonly Fault[]): RigError {
  const names = [...new Set(faults.map(({ name }) => name))];
  const next = `Set ${names.join(', ')} as .env.template describes ${names.length === 1 ? 'it' : 'them'}.`;
  const message = faults.map((fault) => `${fault.name} ${fault.message}`).join('; ');
  return new RigError('invalid', message, { next });
}

const withoutPasswords = (text: string): string => text.replace(/\/\/[^/@,\s]*@/g, '//***@');
