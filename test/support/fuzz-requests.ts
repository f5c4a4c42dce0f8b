// Random requests, valid and not, for every call that the API describes.

import { type Agent, request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { describeApi } from '../../src/daemon/api/openapi.ts';
import { ROUTES } from '../../src/daemon/api/routes.ts';
import type { SeenAnswer } from './conforming.ts';
import { arbitraryOf, NASTY_TEXT, type Schema } from './schema-arbitrary.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

const document = JSON.parse(JSON.stringify(describeApi(ROUTES))) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
const named = document.components.schemas;

/** Sent as they are, which no JSON writer would. */
const RAW_BODIES = [
  '',
  'null',
  'NaN',
  '{',
  '{"name":',
  '{"requested":{"reserved_size":NaN}}',
  '{"name":"a","requested":{"reserved_size":1e999}}',
  '{"name":"a","requested":{"reserved_size":-1e999}}',
  '{"name":"a","name":"b","requested":{"reserved_size":1}}',
  '{"__proto__":{"reserved_size":1}}',
  '{"constructor":{"prototype":{}}}',
  '\ufeff{}',
  '['.repeat(20_000),
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
];
/** Of a weight of its own: every run of a few hundred requests has to meet the limit. */
const TOO_LARGE = `"${'x'.repeat(70_000)}"`;
const CONTENT_TYPES = [
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/jsonx',
  'json',
  ';',
];
const TAGS = ['*', '"1"', 'W/"1"', '"', '""', 'x', '"1", "2"', `"${'9'.repeat(400)}"`, '"(a+)+$"'];

/** What is there, which a good share of the requests is about. */
export interface Known {
  readonly volumes: readonly string[];
  readonly nodes: readonly string[];
  readonly subscriptions: readonly string[];
}

export function arbitraryRequest(known: Known): fc.Arbitrary<FuzzRequest> {
  const operations = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      requestOf(template, method.toUpperCase(), operation, known),
    ),
  );
  return fc.oneof(...operations);
}

function requestOf(
  template: string,
  method: string,
  operation: Operation,
  known: Known,
): fc.Arbitrary<FuzzRequest> {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const [, noun = ''] = template.split('/');
  const there = fc.constantFrom(...(known[noun as keyof Known] ?? known.volumes));
  const parameter = fc.oneof(
    { weight: 8, arbitrary: there },
    { weight: 1, arbitrary: fc.constantFrom(...NASTY_TEXT) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
  const path = fc
    .tuple(parameter, fc.boolean(), queryOf(operation))
    .map(([text, raw, query]) => `${template.replace(/\{\w+\}/, () => inPath(text, raw))}${query}`);
  return fc.record({
    method: fc.constant(method),
    path,
    headers: headersOf(schema),
    body: bodyOf(schema, known.volumes),
  });
}

/** As a path holds it; `raw`: as little escaped as a client may send it. */
function inPath(text: string, raw: boolean): string {
  const wellFormed = text.toWellFormed();
  return raw ? encodeURI(wellFormed).replaceAll('%25', '%') : encodeURIComponent(wellFormed);
}

/** Of anything: an object may well have a `toString` of its own that is no function. */
const textOf = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);

function queryOf({ parameters = [] }: Operation): fc.Arbitrary<string> {
  const own = parameters.filter((one) => one.in === 'query');
  const pair = fc.oneof(
    ...own.map(({ name, schema }) => fc.tuple(fc.constant(name), arbitraryOf(named, schema, 20))),
    fc.tuple(fc.constantFrom(...NASTY_TEXT), fc.constantFrom(...NASTY_TEXT)),
  );
  const pairs = fc.oneof(
    { weight: own.length > 0 ? 3 : 30, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(pair, { maxLength: 3 }) },
  );
  return pairs.map((all) => {
    const text = all
      .map(([name, value]) => `${inPath(name, false)}=${inPath(textOf(value), false)}`)
      .join('&');
    return text === '' ? '' : `?${text}`;
  });
}

function headersOf(schema: Schema | undefined): fc.Arbitrary<Record<string, string>> {
  const usual = schema === undefined ? {} : { 'content-type': 'application/json' };
  const optional = <T>(arbitrary: fc.Arbitrary<T>, weight: number) =>
    fc.oneof({ weight: 20 - weight, arbitrary: fc.constant({}) }, { weight, arbitrary });
  const tag = (name: string) => fc.constantFrom(...TAGS).map((value) => ({ [name]: value }));
  return fc
    .tuple(
      optional(
        fc.constantFrom(...CONTENT_TYPES).map((type) => ({ 'content-type': type })),
        2,
      ),
      optional(tag('if-match'), 3),
      optional(tag('if-none-match'), 3),
    )
    .map((parts) => Object.assign({ ...usual }, ...parts));
}

function bodyOf(schema: Schema | undefined, ids: readonly string[]): fc.Arbitrary<string | undefined> {
  const raw = fc.constantFrom(...RAW_BODIES);
  if (schema === undefined) {
    return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: raw });
  }
  // What doesn't come about by chance: the id of a volume that is there, and a URL.
  const likely = fc.record({ id: fc.constantFrom(...ids), url: fc.webUrl() });
  const often = fc.nat(3).map((n) => n > 0);
  const meant = fc.tuple(arbitraryOf(named, schema), likely, often).map(([body, values, replaced]) => {
    if (!replaced || typeof body !== 'object' || body === null || Array.isArray(body))
      return JSON.stringify(body);
    const present = Object.entries(values).filter(([name]) => name in body);
    return JSON.stringify({ ...body, ...Object.fromEntries(present) });
  });
  return fc.oneof(
    { weight: 27, arbitrary: meant },
    { weight: 3, arbitrary: raw },
    { weight: 2, arbitrary: fc.constant(TOO_LARGE) },
  );
}

/** Sends it and waits for the answer. A stream is left as soon as it begins. */
export function sendRequest(port: number, request: FuzzRequest, agent: Agent): Promise<SeenAnswer> {
  const { method, path, body } = request;
  return new Promise((resolve, reject) => {
    const headers = {
      ...request.headers,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    };
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      const found = new Headers();
      for (const [name, value] of Object.entries(response.headers)) found.set(name, String(value));
      let text = '';
      const done = (): void =>
        resolve({ method, path, status: response.statusCode ?? 0, headers: found, text });
      if (found.get('content-type')?.startsWith('text/event-stream') === true) {
        response.destroy();
        done();
        return;
      }
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', done);
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
