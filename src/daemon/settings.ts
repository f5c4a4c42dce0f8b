// The daemon's settings: the only place of the product that reads the
// environment. `.env.template` documents every variable for its users.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { type FailpointActions, parseFailpoints } from '../base/failpoints.ts';
import type { LogLevel } from '../base/log.ts';
import { type Labels, labelsSchema, nodeNameSchema } from '../model/names.ts';
import { ROLES, type Role, roleSchema } from '../model/volume.ts';

export type RestartPolicy = 'always' | 'never';

/** Sizes in GiB, durations in the unit that the name ends with. */
export interface Settings {
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
  readonly reconcileIntervalMs: number;
  readonly trashRetentionMs: number;
  readonly storage: 'btrfs' | 'memory';
  readonly exporter: 'ganesha' | 'memory';
  readonly logLevel: LogLevel;
  /** What happens at the failpoints that are switched on; for tests only. */
  readonly failpoints: FailpointActions;
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
    context.addIssue({ code: 'custom', message: `${message}. ${next}` });
    return z.NEVER;
  }
});

const variables = z.object({
  COBALT_NODE_NAME: nodeNameSchema,
  COBALT_ADDRESS: addressSchema.optional(),
  COBALT_ETCD_ENDPOINTS: list.pipe(z.array(endpointSchema).min(1)),
  COBALT_ROLES: list
    .pipe(z.array(roleSchema).min(1))
    .refine((roles) => new Set(roles).size === roles.length, 'must name each role once')
    .default([...ROLES]),
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
  COBALT_RECONCILE_INTERVAL_MS: wholeNumber({ least: 10, most: 3_600_000 }).default(10_000),
  COBALT_TRASH_RETENTION_MS: wholeNumber({ least: 0, most: 999_999_999_999 }).default(86_400_000),
  COBALT_STORAGE: z.enum(['btrfs', 'memory']).default('btrfs'),
  COBALT_EXPORTER: z.enum(['ganesha', 'memory']).default('ganesha'),
  COBALT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  COBALT_FAILPOINTS: failpointsSchema.default({}),
});

/**
 * Validates the environment (default: the process's own). An empty variable
 * counts as unset. Throws `invalid`, naming the variable at fault.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const given = Object.fromEntries(
    Object.keys(variables.shape)
      .map((name) => [name, environment[name]?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = variables.safeParse(given);
  if (!result.success) throw refusal(result.error, given);
  const read = result.data;
  return {
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
    reconcileIntervalMs: read.COBALT_RECONCILE_INTERVAL_MS,
    trashRetentionMs: read.COBALT_TRASH_RETENTION_MS,
    storage: read.COBALT_STORAGE,
    exporter: read.COBALT_EXPORTER,
    logLevel: read.COBALT_LOG_LEVEL,
    failpoints: read.COBALT_FAILPOINTS,
  };
}

function refusal(error: z.ZodError, given: Environment): RigError {
  const [issue] = error.issues;
  const name = String(issue?.path[0]);
  const next = `Set ${name} as .env.template describes it.`;
  if (given[name] === undefined) return new RigError('invalid', `${name} is not set`, { next });
  return new RigError('invalid', `${name}: ${issue?.message} (it is '${given[name]}')`, { next });
}
