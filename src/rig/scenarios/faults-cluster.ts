import { threeNodes } from './common.ts';
import { faultFamily } from './fault-family.ts';

const [, , node3] = threeNodes.nodes;

/** What operators do to a cluster that is in use; the node that joins takes the place of the one that leaves. */
export const faultsCluster = faultFamily({
  name: 'faults-cluster',
  title:
    'Clients work while engines step down, nodes are restarted and renewed in turn, one joins and one leaves',
  topology: {
    ...threeNodes,
    nodes: [...threeNodes.nodes, { name: 'node4', labels: node3.labels, starts: 'later' }],
  },
  faults: [
    { inject: { fault: 'engine-demotion' } },
    { inject: { fault: 'rolling-restart' } },
    { inject: { fault: 'rolling-upgrade' } },
    { inject: { fault: 'node-added', node: 'node4' } },
    { inject: { fault: 'node-removed', node: 'node3' } },
  ],
  checks: ['rebalance-converges'],
});
