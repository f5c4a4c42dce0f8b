// What watches over the containers of tests, and who can reach them.

import { expect, it } from '@jest/globals';
import { readSettings } from '../../src/cluster/settings.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { startEtcd } from '../support/etcd.ts';

const SESSION = 'org.testcontainers.session-id';

it('are reaped by our own reaper, and they and it are published on 127.0.0.1 only', async () => {
  await using etcd = await startEtcd();
  const port = Number(new URL(etcd.endpoints[0] as string).port);
  const docker = await connectEngine(readSettings().engine);
  const all = await docker.listContainers();
  const server = all.find(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port));
  const session = server?.Labels[SESSION];
  expect(session).toMatch(/./);

  const ofSession = all.filter(({ Labels }) => Labels[SESSION] === session);
  const reapers = ofSession.filter(({ Labels }) => Labels['org.testcontainers.ryuk'] === 'true');
  expect(reapers.map(({ Names }) => Names)).toEqual([[expect.stringMatching(/^\/cobalt-rig-reaper-/)]]);
  const published = ofSession.flatMap(({ Ports }) => Ports).filter(({ PublicPort }) => PublicPort);
  expect(published.length).toBeGreaterThanOrEqual(2);
  expect(new Set(published.map(({ IP }) => IP))).toEqual(new Set(['127.0.0.1']));
}, 30_000);
