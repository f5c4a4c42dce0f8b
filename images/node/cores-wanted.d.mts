// cores-wanted.mjs for whoever imports it: it runs as it is in a node's container.

/** By role, of a core; `pids`: of which processes. Default: of this machine's daemon. */
export function coresWanted(
  pids?: () => Promise<readonly { readonly pid: string; readonly role: string }[]>,
): Promise<Readonly<Partial<Record<'api' | 'engine' | 'agent', number>>>>;
