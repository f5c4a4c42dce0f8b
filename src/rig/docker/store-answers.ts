// Reads what etcdctl says.

/** Of `-w fields`: a line `"Name" : value` each; undefined for one that isn't there. */
export const fieldOf = (text: string, name: string): string | undefined =>
  new RegExp(`^"${name}" : (\\d+)$`, 'm').exec(text)?.[1];

/** The key's lease as etcdctl wants it; `-w fields` gives it in decimal digits, 0 for none. */
export function leaseOf(text: string): string | undefined {
  const lease = BigInt(fieldOf(text, 'Lease') ?? 0);
  return lease === 0n ? undefined : lease.toString(16);
}

/** Of `member list`: ids by name; one that has not started yet has no name. */
export function membersOf(text: string): ReadonlyMap<string, string> {
  const rows = text.split('\n').map((line) => line.split(', '));
  return new Map(
    rows.flatMap(([id = '', , name = '']) => (name === '' || id === '' ? [] : [[name, id] as const])),
  );
}
