import { describe, expect, it } from '@jest/globals';
import { describeApi } from '../../../../src/daemon/api/openapi.ts';
import { ROUTES } from '../../../../src/daemon/api/routes.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> };
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
    expect(Object.keys(document.paths['/healthz']?.get?.responses ?? {})).toEqual(['200']);
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
