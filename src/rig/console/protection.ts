// Who may read from the console, and who may act through it. It listens on 127.0.0.1,
// where every page that a browser shows, and every user of the machine, can knock.

/** Random texts, made anew by each console. */
export interface Secrets {
  /** Opens the page: part of the URL that the command prints. */
  readonly key: string;
  /** What the browser shows of that afterwards, by itself: for reading. */
  readonly cookie: string;
  /** What the page alone knows: for acting. */
  readonly token: string;
}

export interface Knock {
  readonly method: string;
  readonly path: string;
  /** Values of headers, by their names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of the URL. */
  readonly key: string | undefined;
}

export interface Refusal {
  readonly status: 400 | 401 | 403 | 405 | 415;
  readonly why: string;
  readonly next: string;
}

/** The header that carries the page's token. */
export const TOKEN_HEADER = 'x-console-token';
/** Cookies of 127.0.0.1 go to all its ports: each console has a name of its own. */
export const cookieName = (port: number): string => `rig-console-${port}`;

/**
 * Why that is not answered; undefined when it is. `isSame` compares two texts without telling by its time how much
 * of them is the same.
 */
export function refusalOf(
  knock: Knock,
  options: {
    readonly port: number;
    readonly secrets: Secrets;
    readonly isSame: (a: string, b: string) => boolean;
  },
): Refusal | undefined {
  const { port, secrets, isSame } = options;
  const header = (name: string): string | undefined => {
    const value = knock.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const host = header('host') ?? '';
  // A name that somebody else has made to lead here.
  if (!hosts.includes(host)) return refused(403, `'${host}' is not this console`, `Open it as ${hosts[0]}.`);
  const origin = header('origin');
  if (origin !== undefined && origin !== `http://${host}`)
    return refused(403, `a page of '${origin}' may not ask this console`, 'Act on its own page.');
  if (isOfOtherSite(header('sec-fetch-site'), knock.path))
    return refused(403, 'another page may not ask this console', 'Act on its own page.');
  if (knock.method !== 'GET' && knock.method !== 'POST')
    return refused(405, `${knock.method} means nothing here`, 'GET looks, POST acts.');
  const opened = knock.path === '/' && knock.key !== undefined && isSame(knock.key, secrets.key);
  if (!opened && !isSame(cookieIn(header('cookie'), cookieName(port)), secrets.cookie))
    return refused(401, 'this console does not know you', 'Open the URL that rig console has printed.');
  if (knock.method === 'GET') return undefined;
  if (origin === undefined)
    return refused(403, 'nobody says which page this comes from', 'Act on its own page.');
  if (header('content-type')?.split(';')[0]?.trim() !== 'application/json')
    return refused(415, 'only JSON is read', 'Send application/json.');
  if (!isSame(header(TOKEN_HEADER) ?? '', secrets.token))
    return refused(403, 'the token is not that of this console', 'Load the page again.');
  return undefined;
}

const refused = (status: Refusal['status'], why: string, next: string): Refusal => ({ status, why, next });

/** The page itself may be opened from anywhere that knows its key; browsers that don't tell, are judged by the rest. */
const isOfOtherSite = (site: string | undefined, path: string): boolean =>
  path !== '/' && site !== undefined && site !== 'same-origin';

/** Empty when there is none. */
function cookieIn(text: string | undefined, name: string): string {
  const pairs = (text ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([one]) => one === name)?.[1] ?? '';
}

/** Of every answer. Nothing comes from elsewhere, nothing is shown within another page, nothing is kept. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
