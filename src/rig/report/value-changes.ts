// What differs between two values of a key, field by field. Pure.

/** `state: "scheduling" → "ready"`, a line each; none when they are the same. */
export function changesBetween(before: unknown, after: unknown): readonly string[] {
  const [old, now] = [leavesOf(before), leavesOf(after)];
  const text = (value: string | undefined): string => value ?? 'nothing';
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) =>
    old.get(path) === now.get(path)
      ? []
      : [`${path || 'value'}: ${text(old.get(path))} → ${text(now.get(path))}`],
  );
}

/** By path, such as `control.task`; a list is a leaf, and so is what is empty. */
function leavesOf(value: unknown, path = ''): ReadonlyMap<string, string> {
  const isBranch =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!isBranch) return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([name, field]) => [
      ...leavesOf(field, path === '' ? name : `${path}.${name}`),
    ]),
  );
}
