import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describeApi } from '../../../../src/daemon/api/openapi.ts';
import { ROUTES } from '../../../../src/daemon/api/routes.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly security: unknown;
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: unknown }>>;
  };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const document = JSON.parse(JSON.stringify(describeApi(ROUTES))) as {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Record<string, unknown>>> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI description', () => {
  it('is of 3.1 and describes every call, each under an id of its own', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations).toHaveLength(ROUTES.length);
    for (const route of ROUTES) {
      const path = route.path.replace(/:(\w+)/g, '{$1}');
      expect(document.paths[path]?.[route.method.toLowerCase()]?.operationId).toBe(route.id);
    }
    expect(new Set(ROUTES.map(({ id }) => id)).size).toBe(ROUTES.length);
  });

  it('names the headers that a call heeds', () => {
    const heeding = (name: string) =>
      operations
        .filter(({ operation }) =>
          operation.parameters?.some((one) => one.in === 'header' && one.name === name),
        )
        .map(({ operation }) => operation.operationId);
    expect(heeding('Last-Event-ID')).toEqual(['followEvents']);
    expect(heeding('If-Match')).toEqual(ROUTES.filter(({ conditional }) => conditional).map(({ id }) => id));
  });

  it('is found valid by a validator that knows the specification', async () => {
    for (const protection of [undefined, { token: true, certificate: true }]) {
      const described = JSON.parse(JSON.stringify(describeApi(ROUTES, protection)));
      expect(await new Validator().validate(described)).toEqual({ valid: true });
    }
    const broken = { ...document, paths: { '/volumes': { get: { responses: { 200: {} } } } } };
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });

  it('says which calls need a token or a certificate', () => {
    const guarded = describeApi(ROUTES, { token: true, certificate: true }) as unknown as typeof document;
    for (const route of ROUTES) {
      const path = route.path.replace(/:(\w+)/g, '{$1}');
      const { security, responses } = guarded.paths[path]?.[route.method.toLowerCase()] ?? {};
      expect({ path, security }).toEqual({
        path,
        security: [{ ...(route.open === true ? {} : { token: [] }), certificate: [] }],
      });
      expect('401' in (responses ?? {})).toBe(route.open !== true);
    }
    expect(operations.every(({ operation }) => JSON.stringify(operation.security) === '[{}]')).toBe(true);
  });

  it('declares what may stand in a query', () => {
    const inQuery = (operation: Operation | undefined) =>
      (operation?.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    expect(inQuery(document.paths['/volumes']?.get)).toEqual(['limit', 'after', 'state', 'node', 'name']);
    expect(inQuery(document.paths['/nodes']?.get)).toEqual(['limit', 'after', 'alive']);
    expect(document.paths['/volumes/{id}/move']?.post?.requestBody?.required).toBe(false);
    expect(document.paths['/volumes/{id}/compress']?.post?.requestBody?.required).toBe(true);
  });

  it('declares every parameter of a path', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name)).toEqual(inPath);
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  it('gives each answer a description, and 400 and 503 where they can happen', () => {
    for (const { operation } of operations) {
      for (const answer of Object.values(operation.responses)) expect(answer.description).not.toBe('');
    }
    expect(Object.keys(document.paths['/volumes']?.post?.responses ?? {})).toEqual(
      expect.arrayContaining(['202', '400', '409', '413', '415', '503']),
    );
    expect(Object.keys(document.paths['/healthz']?.get?.responses ?? {})).toEqual(['200', '431']);
  });

  it('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, target]) => target,
    );
    expect(references.length).toBeGreaterThan(5);
    for (const target of references) {
      const name = target?.replace('#/components/schemas/', '') ?? '';
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
  });

  it('shows what a client may leave out, and what an answer always holds', () => {
    expect(document.components.schemas.Reservation?.required).toEqual(['reserved_size']);
    expect(document.components.schemas.Volume?.required).toEqual(
      expect.arrayContaining(['id', 'state', 'mount']),
    );
    expect(document.components.schemas.Volume?.additionalProperties).toBe(false);
  });
});
