// Holds every answer of the API against its own description: the status must be
// one that the call documents, and body and headers what it says of that status.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { describeApi } from '../../src/daemon/api/openapi.ts';
import type { Protection } from '../../src/daemon/api/route.ts';
import { ROUTES } from '../../src/daemon/api/routes.ts';

export interface SeenAnswer {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Response {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >;
}

/** What an answer of no call at all may be: it isn't there, or isn't even a path. */
const NO_CALL: Readonly<Record<number, Response>> = {
  400: {},
  401: {},
  404: {},
  405: { headers: { allow: { required: true } } },
  413: {},
  415: {},
  429: {},
};

/** Answers with what is wrong with an answer; undefined when it is as described. */
export function createConformance(protection?: Protection): (answer: SeenAnswer) => string | undefined {
  const document = JSON.parse(JSON.stringify(describeApi(ROUTES, protection))) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Formats of zod's own, as they stand in the description.
  ajv.addFormat('cidrv4', (text) => z.cidrv4().safeParse(text).success);
  ajv.addFormat('cidrv6', (text) => z.cidrv6().safeParse(text).success);
  ajv.addSchema(document, 'api');
  const compiled = new Map<string, ValidateFunction>();
  const validator = (pointer: string): ValidateFunction => {
    const known = compiled.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` });
    compiled.set(pointer, known);
    return known;
  };
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]*')}$`),
  }));

  const complaint = (answer: SeenAnswer): string | undefined => {
    const path = answer.path.split('?')[0] ?? '';
    const method = answer.method.toLowerCase();
    const template = templates.find(
      (one) => one.pattern.test(path) && document.paths[one.template]?.[method] !== undefined,
    )?.template;
    const responses = template === undefined ? NO_CALL : document.paths[template]?.[method]?.responses;
    const response = responses?.[answer.status];
    if (response === undefined) return `${template ?? 'no call'} does not document ${answer.status}`;
    const missing = Object.entries(response.headers ?? {}).find(
      ([name, { required }]) => required === true && !answer.headers.has(name),
    );
    if (missing !== undefined) return `the header ${missing[0]} is missing`;
    if (template === undefined) return bodyComplaint(answer, '/components/schemas/Error');
    const [type] = Object.keys(response.content ?? {});
    if (type === undefined) return answer.text === '' ? undefined : `a ${answer.status} must have no body`;
    if (!answer.headers.get('content-type')?.startsWith(type)) {
      return `the content type is ${answer.headers.get('content-type')}, not ${type}`;
    }
    if (type !== 'application/json') return undefined;
    const asToken = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');
    const steps = ['paths', template, method, 'responses', String(answer.status), 'content', type, 'schema'];
    return bodyComplaint(answer, `/${steps.map(asToken).map(encodeURIComponent).join('/')}`);
  };

  const bodyComplaint = ({ text }: SeenAnswer, pointer: string): string | undefined => {
    const validate = validator(pointer);
    return validate(JSON.parse(text)) === true ? undefined : ajv.errorsText(validate.errors);
  };

  return (answer) => {
    const found = complaint(answer);
    return found === undefined
      ? undefined
      : `${answer.method} ${answer.path}: ${found}; it is ${answer.text}`;
  };
}
