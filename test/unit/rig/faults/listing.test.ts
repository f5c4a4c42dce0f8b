import { describe, expect, it } from '@jest/globals';
import { FAULTS } from '../../../../src/rig/faults/catalogue.ts';
import { EXAMPLES, listed, listing } from '../../../../src/rig/faults/listing.ts';

describe('the list of faults', () => {
  it('has an example of every kind', () => {
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(Object.keys(FAULTS).toSorted());
    for (const [name, { fault }] of Object.entries(EXAMPLES)) expect(fault).toBe(name);
  });

  it.each([40, 80])('fits %i columns, and says what each takes and lacks', async (columns) => {
    const found = await listed(async ({ fault }) =>
      fault === 'loss' ? "the kernel lacks iptables' statistic match (xt_statistic)" : undefined,
    );
    const lines = listing(found, columns);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    const text = lines.join('\n').replaceAll(/\s+/g, ' ');
    expect(text).toContain('latency (network) such as');
    expect(text).toContain('takes on, delayMs, jitterMs available');
    expect(text).toContain('takes from, to, oneWay? available');
    expect(text).toContain("NOT available: the kernel lacks iptables' statistic match (xt_statistic)");
    expect(text).toContain("available; needs disk: 'breakable' for the node");
    expect(text).toContain('rolling-restart (cluster) such as a rolling restart of all nodes takes nothing');
  });
});
