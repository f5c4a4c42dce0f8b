import { describe, expect, it } from '@jest/globals';
import { anonymousBytes, killsOf } from '../../../src/rig/docker/memory-figures.ts';
import { fieldOf, leaseOf, membersOf } from '../../../src/rig/docker/store-answers.ts';

const KEY = `"ClusterID" : 17237436991929493444
"MemberID" : 9372538179322589801
"Revision" : 34
"Key" : "/cobalt/v1/nodes/node1"
"CreateRevision" : 7
"ModRevision" : 9
"Value" : "{\\"CreateRevision\\" : 1}"
"Lease" : 7587883212297364494
"More" : false
"Count" : 1
`;

describe("etcdctl's answers", () => {
  it('give a key its revision, and its lease without losing a digit', () => {
    expect(fieldOf(KEY, 'CreateRevision')).toBe('7');
    expect(leaseOf(KEY)).toBe('694d93944a22640e');
    expect(leaseOf('"Lease" : 0\n')).toBeUndefined();
    expect(fieldOf('"Count" : 0\n', 'CreateRevision')).toBeUndefined();
  });

  it('name the members that have joined', () => {
    const text = [
      '8e9e05c52164694d, started, etcd1, http://etcd1:2380, http://etcd1:2379, false',
      '91bc3c398fb3c146, unstarted, , http://etcd2:2380, , false',
      '',
    ].join('\n');
    expect([...membersOf(text)]).toEqual([['etcd1', '8e9e05c52164694d']]);
  });
});

describe("a container's memory", () => {
  it('is what its processes hold, by either version of the control groups', () => {
    const version1 = { usage: 900, stats: { total_rss: 100, total_shmem: 20, total_cache: 700 } };
    expect(anonymousBytes({ memory_stats: version1 })).toBe(120);
    expect(anonymousBytes({ memory_stats: { usage: 900, stats: { anon: 200, shmem: 5 } } })).toBe(205);
    expect(anonymousBytes({ memory_stats: { usage: 900 } })).toBe(900);
  });

  it('tells how many processes were killed for it', () => {
    expect(killsOf('oom_kill_disable 0\nunder_oom 0\noom_kill 3\n')).toBe(3);
    expect(killsOf('low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n')).toBe(1);
    expect(killsOf('')).toBe(0);
  });
});
