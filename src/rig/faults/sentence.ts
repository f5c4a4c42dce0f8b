// A fault and whom it hit, as one sentence.

/** `latency of 200 ms ± 50 ms at leader (node2)`: whom it hit only where the words don't say. */
export function sentenceOf(hit: { readonly fault: string; readonly members: readonly string[] }): string {
  const isSaid = hit.members.every((member) => hit.fault.includes(member));
  return isSaid ? hit.fault : `${hit.fault} (${hit.members.join(', ')})`;
}
