import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { feedCommand, readCommand, runLongCommand } from '../../../src/base/stream-command.ts';

const clock = createSystemClock();

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  for await (const chunk of stream) read.push(chunk);
  return Buffer.concat(read).toString();
}

/** Resolves when the process of that number is gone. */
async function untilGone(pid: number): Promise<void> {
  await waitFor({
    clock,
    what: `the end of process ${pid}`,
    timeoutMs: 5_000,
    probe: async () => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch {
        return true;
      }
    },
  });
}

describe('reading a command', () => {
  it('gives all that it printed', async () => {
    const args = ['-c', 'head -c 3000000 /dev/zero; printf end'];
    const text = await textOf(readCommand({ file: 'sh', args }));
    expect(text).toHaveLength(3_000_003);
    expect(text.endsWith('end')).toBe(true);
  });

  it('throws after what it printed when it fails', async () => {
    let read = '';
    const reading = async (): Promise<void> => {
      const args = ['-c', 'printf half; echo bad luck >&2; exit 3'];
      for await (const chunk of readCommand({ file: 'sh', args })) read += Buffer.from(chunk).toString();
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'io',
      definite: false,
      message: expect.stringMatching(/bad luck$/),
    });
    expect(read).toBe('half');
  });

  it('ends it, and what it has started, when nobody reads on', async () => {
    const args = ['-c', 'sleep 60 & echo $!; echo $$; wait'];
    let pids: number[] = [];
    for await (const chunk of readCommand({ file: 'sh', args })) {
      pids = [...pids, ...Buffer.from(chunk).toString().split('\n').filter(Boolean).map(Number)];
      if (pids.length === 2) break;
    }
    expect(pids).toHaveLength(2);
    for (const pid of pids) await untilGone(pid);
  });

  it('lets it wait for a consumer that is slow', async () => {
    const script = 'echo $$; head -c 50000000 /dev/zero';
    const stream = readCommand({ file: 'sh', args: ['-c', script] });
    const first = await stream.next();
    const pid = Number(
      Buffer.from(first.value as Uint8Array)
        .toString()
        .split('\n')[0],
    );
    await waitFor({
      clock,
      what: 'the command to wait for room in its pipe',
      timeoutMs: 5_000,
      probe: async () => {
        const [child] = (await textOf(readCommand({ file: 'pgrep', args: ['-P', String(pid)] }))).split('\n');
        const waitsIn = await readFile(`/proc/${child}/stat`, 'utf8');
        return /\) S /.test(waitsIn) ? true : undefined;
      },
    });
    await stream.return(undefined);
    await untilGone(pid);
  });

  it('says when it is not installed', async () => {
    const reading = textOf(readCommand({ file: 'no-such-command-here', args: [] }));
    await expect(reading).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('feeding a command', () => {
  const feed = (script: string, input: AsyncIterable<Uint8Array>): Promise<void> =>
    feedCommand({ file: 'sh', args: ['-c', script], input });

  it('gives it everything, in order', async () => {
    await feed('test "$(cat)" = onetwothree', chunks('one', 'two', 'three'));
    await expect(feed('test "$(cat)" = onetwothree', chunks('one', 'three'))).rejects.toMatchObject({
      code: 'io',
    });
  });

  it('kills it when the input breaks off, and says why', async () => {
    let pid = 0;
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begin\n');
      pid = await pidOf('feed-me-in-this-test');
      throw new RigError('unavailable', 'the other node is gone');
    };
    const fed = feed(': feed-me-in-this-test; read line; cat > /dev/null; sleep 60', broken());
    await expect(fed).rejects.toMatchObject({ code: 'unavailable' });
    expect(pid).toBeGreaterThan(0);
    await untilGone(pid);
  });

  it('keeps the words of a network error apart from those of the command', async () => {
    const reset = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begin\n');
      throw Object.assign(new Error('reset by peer'), { code: 'ECONNRESET' });
    };
    await expect(feed('cat > /dev/null', reset())).rejects.toMatchObject({ message: 'reset by peer' });
  });

  it('fails at once with the command, even while the input is silent', async () => {
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begin\n');
      await new Promise(() => {});
    };
    await expect(feed('read line; echo no room >&2; exit 1', silent())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/no room$/),
    });
  });

  it('ends the input when the command fails', async () => {
    let ended = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        ended = true;
      }
    };
    await expect(feed('head -c 100000 > /dev/null; exit 1', endless())).rejects.toMatchObject({ code: 'io' });
    await waitFor({
      clock,
      what: 'the end of the input',
      timeoutMs: 5_000,
      probe: async () => ended || undefined,
    });
  });

  it('does not take a command for done that left some of its input', async () => {
    const much = async function* (): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 64; sent++) yield Buffer.alloc(65_536);
    };
    await expect(feed('head -c 10 > /dev/null', much())).rejects.toMatchObject({ code: 'io' });
  });
});

describe('a long command', () => {
  it('ends when told to, and is not begun when told before', async () => {
    const stop = new AbortController();
    const running = runLongCommand({ file: 'sleep', args: ['60'], signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
    const late = runLongCommand({ file: 'no-such-command-here', args: [], signal: stop.signal });
    await expect(late).rejects.toMatchObject({ code: 'aborted' });
  });

  it('says how it failed', async () => {
    await runLongCommand({ file: 'true', args: [] });
    const failed = runLongCommand({ file: 'ls', args: ['/nowhere'] });
    await expect(failed).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/No such file/),
    });
  });
});

/** Of the first process with this text in its command line. */
async function pidOf(text: string): Promise<number> {
  const found = await textOf(readCommand({ file: 'pgrep', args: ['-f', text] }));
  return Number(found.split('\n')[0]);
}

it('does not wait for ever for a command that can not be killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-'));
  const pidFile = join(folder, 'pid');
  // One in a session of its own, which our kill doesn't reach, keeps its stderr open.
  const script = 'setsid sh -c \'echo $$ > "$0.new" && mv "$0.new" "$0" && exec sleep 60\' "$1" & wait';
  const controller = new AbortController();
  const running = runLongCommand({
    ...{ file: 'sh', args: ['-c', script, 'sh', pidFile] },
    signal: controller.signal,
  });
  const ended = expect(running).rejects.toMatchObject({ code: 'aborted' });
  const probe = () => readFile(pidFile, 'utf8').catch(() => undefined);
  const pid = Number(await waitFor({ clock, what: 'the command', timeoutMs: 5_000, probe }));
  controller.abort();
  await ended;
  // It is still there: nobody has waited for its end.
  process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true });
}, 20_000);
