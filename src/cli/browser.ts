// A headless Chromium, driven over its DevTools protocol: a page is opened from a
// file or an address, and whatever it complains of is kept.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RigError } from '../base/errors.ts';
import { BROWSER_COMMANDS } from '../rig/docker/browser.ts';
import { connectDevTools, type DevTools } from './devtools.ts';

export interface Page {
  /** Value of an expression, or of what its promise resolves to. Throws what it throws. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** A key by its name in the DOM: `a`, `Enter`, `Tab`. */
  press(key: string): Promise<void>;
  drag(from: Point, to: Point): Promise<void>;
  /** Resolves once whatever waits for a frame is drawn: after two. */
  drawn(): Promise<void>;
  close(): Promise<void>;
  /** Errors of the console and of the page, requests that it made besides its own. */
  readonly complaints: readonly string[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Browser extends AsyncDisposable {
  /** `at`: the path of a file, or what begins with http://. */
  open(at: string, look: { readonly width: number; readonly dark?: boolean }): Promise<Page>;
}

const command = (): string => {
  const found = BROWSER_COMMANDS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (found !== undefined) return found;
  throw new RigError('machine', `none of ${BROWSER_COMMANDS.join(', ')} was found`, {
    next: 'Install chromium-headless-shell or chromium.',
  });
};

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'cobalt-rig-browser-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'];
  const child = spawn(command(), [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const socket = await connectDevTools(await addressOf(child));
  return {
    open: (at, look) => openPage(socket, at.startsWith('http://') ? at : `file://${at}`, look),
    [Symbol.asyncDispose]: async () => {
      await socket.send('Browser.close').catch(() => undefined);
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** What it says on its standard error once it listens. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk;
      const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) =>
      reject(new RigError('machine', `the browser ended with ${code}: ${said.slice(-500)}`)),
    );
  });
}

async function openPage(
  socket: DevTools,
  url: string,
  { width, dark = false }: { readonly width: number; readonly dark?: boolean },
): Promise<Page> {
  const { targetId } = await socket.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await socket.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method: string, params: object = {}) => socket.send(method, params, String(sessionId));
  const complaints: string[] = [];
  const loaded = new Promise<void>((resolve) => {
    socket.listeners.add(({ method, params = {}, sessionId: of }) => {
      if (of !== sessionId) return;
      if (method === 'Page.loadEventFired') resolve();
      const complaint = complaintOf(method ?? '', params, url);
      if (complaint !== undefined) complaints.push(complaint);
    });
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  await send('Emulation.setDeviceMetricsOverride', {
    width,
    height: 900,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await send('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
  });
  await send('Page.navigate', { url });
  await loaded;
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const answer = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (answer.exceptionDetails !== undefined)
      throw new RigError('internal', JSON.stringify(answer.exceptionDetails));
    return (answer.result as { readonly value: Value }).value;
  };
  return {
    complaints,
    evaluate,
    drawn: () => evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))'),
    close: async () => void (await socket.send('Target.closeTarget', { targetId })),
    press: async (key) => {
      const stroke = STROKES[key] ?? (key.length === 1 ? { text: key } : {});
      await send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...stroke });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key });
    },
    drag: async (from, to) => {
      const at = { button: 'left', buttons: 1, clickCount: 1 };
      await send('Input.dispatchMouseEvent', { type: 'mousePressed', ...from, ...at });
      await send('Input.dispatchMouseEvent', { type: 'mouseMoved', ...to, ...at });
      await send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...to, ...at });
    },
  };
}

/** What a browser needs to do by itself what a key does: press a button, go on to the next. */
const STROKES: Readonly<Record<string, object>> = {
  Enter: { text: '\r', windowsVirtualKeyCode: 13 },
  Tab: { windowsVirtualKeyCode: 9 },
  ' ': { text: ' ', windowsVirtualKeyCode: 32 },
};

function complaintOf(
  method: string,
  params: Readonly<Record<string, unknown>>,
  opened: string,
): string | undefined {
  if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') return JSON.stringify(params);
  if (method === 'Runtime.consoleAPICalled') return JSON.stringify(params);
  if (method !== 'Network.requestWillBeSent') return undefined;
  const { url } = params.request as { readonly url: string };
  return isOwn(url, opened) || url.startsWith('data:') ? undefined : `asks for ${url}`;
}

/** A file is alone; a server may have more than one page. */
const isOwn = (url: string, opened: string): boolean =>
  opened.startsWith('file:') ? url.split('#')[0] === opened : new URL(url).origin === new URL(opened).origin;
