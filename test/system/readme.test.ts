// README's first session by hand, as it stands there: from the doctor to a failover, a mount that follows its volume, and nothing left.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';

const RIG = join(ROOT_FOLDER, 'scripts/rig');
/** Of this process alone: somebody may have a cluster of the default name. */
const NAME = `readme-${process.pid}`;
const SESSION_MS = 300_000;
const LINE_MS = 120_000;

function sessionOf(document: string): readonly string[] {
  const [, block = ''] = /^## By hand\n\n```sh\n(.*?)^```$/ms.exec(document) ?? [];
  return block
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, ''))
    .filter((line) => line.startsWith('rig '));
}

/** What comes after `--` is the consumer's. */
function named(line: string): string {
  if (line === 'rig doctor') return line;
  const [own = '', ...rest] = line.split(/ (?=-- )/);
  return [`${own} --name ${NAME}`, ...rest].join(' ');
}

const shell = (line: string) =>
  execa('sh', ['-c', `rig() { '${RIG}' "$@"; }; ${line}`], { all: true, reject: false, timeout: LINE_MS });

afterAll(async () => {
  await shell(named('rig down'));
}, LINE_MS);

it(
  'every line of the first session works, in its order',
  async () => {
    const printed = new Map<string, string>();
    await using stack = new AsyncDisposableStack();
    for (const line of sessionOf(readFileSync(join(ROOT_FOLDER, 'README.md'), 'utf8'))) {
      if (line === 'rig console') {
        printed.set(line, await openConsole(stack));
        continue;
      }
      const { exitCode, all = '' } = await shell(named(line));
      expect({ line, exitCode, all }).toMatchObject({ exitCode: 0 });
      printed.set(line, all);
    }
    expect(printed.get('rig console')).toContain('<title>');
    expect(printed.get('rig volume create first --export consumer1=rw')).toMatch(
      /state: ready\n +node: node[123]/,
    );
    expect(printed.get('rig mount first -- cat /mnt/first/greeting')).toBe('hello');
    expect(printed.get('rig etcd history volumes/')).toMatch(/moving/);
    expect(printed.get('rig down')).toContain(`removed ${NAME}`);
  },
  SESSION_MS,
);

/** The page that it serves, which it does until the end of the test. */
async function openConsole(stack: AsyncDisposableStack): Promise<string> {
  const served = execa(RIG, ['console', '--name', NAME], { reject: false });
  stack.defer(async () => {
    served.kill('SIGINT');
    await served;
  });
  let said = '';
  served.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const url = await waitFor({
    clock: createSystemClock(),
    what: 'the console to tell its address',
    timeoutMs: LINE_MS,
    probe: async () => /http:\S+(?=\n)/.exec(said)?.[0],
    describe: () => said,
  });
  return pageAt(url);
}

/** As a browser does: the key of the address is exchanged for a cookie. */
async function pageAt(url: string): Promise<string> {
  const { headers } = await fetch(url, { redirect: 'manual' });
  const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
  return (await fetch(new URL('/', url), { headers: { cookie } })).text();
}
