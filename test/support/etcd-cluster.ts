// A real cluster of several etcd members, a container each, on a network of
// their own; each can be killed, frozen or cut off from the others alone.

import { Network } from 'testcontainers';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { answers, controlOf, etcdContainer, freePort, remove, type TestServer } from './etcd.ts';

export interface TestMember extends TestServer {
  readonly name: string;
  /** Stays the same over kill and start. */
  readonly endpoint: string;
  /** Cuts it off from the other members, not from its clients. */
  isolate(): Promise<void>;
  rejoin(): Promise<void>;
  /** Resolves when it answers a linearizable read. */
  answers(): Promise<void>;
}

export interface TestCluster extends AsyncDisposable {
  readonly members: readonly TestMember[];
  /** Of every member, in the members' order. */
  readonly endpoints: readonly string[];
  /** Who leads, as soon as all of those asked agree. */
  leader(among?: readonly TestMember[]): Promise<TestMember>;
}

/** Every packet between members, whoever opened the connection. Clients use another port. */
const PEER_TRAFFIC = ['INPUT', 'OUTPUT'].flatMap((chain) =>
  ['--dport', '--sport'].map((port) => [chain, port]),
);

export async function startEtcdCluster(size: 1 | 3 | 5): Promise<TestCluster> {
  const network = await new Network().start();
  const names = Array.from({ length: size }, (_, index) => `etcd${index + 1}`);
  const ports = await Promise.all(names.map(freePort));
  // Side by side: none is ready before a majority is there.
  const containers = await Promise.all(
    names.map((name, index) =>
      etcdContainer({
        port: ports[index] as number,
        environment: {
          ETCD_NAME: name,
          ETCD_LISTEN_CLIENT_URLS: 'http://0.0.0.0:2379',
          ETCD_ADVERTISE_CLIENT_URLS: `http://127.0.0.1:${ports[index]}`,
          ETCD_LISTEN_PEER_URLS: 'http://0.0.0.0:2380',
          ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://${name}:2380`,
          ETCD_INITIAL_CLUSTER: names.map((each) => `${each}=http://${each}:2380`).join(','),
          ETCD_INITIAL_CLUSTER_STATE: 'new',
        },
      })
        .withNetwork(network)
        .withNetworkAliases(name)
        .withAddedCapabilities('NET_ADMIN')
        .start(),
    ),
  );
  const endpoints = ports.map((port) => `http://127.0.0.1:${port}`);
  const members = await Promise.all(
    containers.map(async (container, index): Promise<TestMember> => {
      const endpoint = endpoints[index] as string;
      const server = await controlOf(container);
      const filter = async (action: '-A' | '-D'): Promise<void> => {
        const rules = PEER_TRAFFIC.map(
          ([chain, port]) => `iptables -w ${action} ${chain} -p tcp ${port} 2380 -j DROP`,
        );
        await server.exec(['sh', '-ec', rules.join('\n')]);
      };
      return {
        ...server,
        name: names[index] as string,
        endpoint,
        isolate: () => filter('-A'),
        rejoin: () => filter('-D'),
        answers: () => answers([endpoint]),
      };
    }),
  );
  await Promise.all(members.map((member) => member.answers()));
  return {
    members,
    endpoints,
    leader: (among = members) => leaderOf(members, among),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(containers.map(remove));
      await network.stop();
    },
  };
}

interface Status {
  readonly Status: { readonly header: { readonly member_id: string }; readonly leader: string };
}

async function leaderOf(members: readonly TestMember[], among: readonly TestMember[]): Promise<TestMember> {
  return waitFor({
    clock: createSystemClock(),
    what: 'the members to agree on a leader',
    timeoutMs: 10_000,
    probe: async () => {
      const statuses = await Promise.all(among.map(statusOf));
      const [leader, ...others] = new Set(statuses.map(({ leader }) => leader));
      if (others.length > 0) return undefined;
      const index = statuses.findIndex(({ id }) => id === leader);
      return index < 0 ? undefined : members.find(({ name }) => name === among[index]?.name);
    },
  });
}

/** Ids as text: they are larger than JSON's numbers can hold. */
async function statusOf(member: TestMember): Promise<{ readonly id: string; readonly leader: string }> {
  const output = await member.exec(['etcdctl', 'endpoint', 'status', '--write-out', 'json']);
  const quoted = output.replace(/"(member_id|leader)":(\d+)/g, '"$1":"$2"');
  const [status] = JSON.parse(quoted) as readonly Status[];
  if (status === undefined) throw new Error(`no status of ${member.name} in ${output}`);
  return { id: status.Status.header.member_id, leader: status.Status.leader };
}
