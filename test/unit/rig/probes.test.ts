import { describe, expect, it } from '@jest/globals';
import { ROUTES } from '../../../src/daemon/api/routes.ts';
import { CALLS_THAT_NEED_ETCD } from '../../../src/rig/probes.ts';

describe('the calls by which it is seen how an API answers without etcd', () => {
  const needEtcd = ROUTES.filter(({ local }) => local !== true);
  const routeOf = ({ method, path }: { readonly method: string; readonly path: string }) =>
    needEtcd.find(
      (route) =>
        route.method === method && new RegExp(`^${route.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path),
    );

  it('are one of each that needs it', () => {
    expect(new Set(CALLS_THAT_NEED_ETCD.map(routeOf))).toEqual(new Set(needEtcd));
    expect(CALLS_THAT_NEED_ETCD).toHaveLength(needEtcd.length);
  });

  it('would be accepted', () => {
    for (const call of CALLS_THAT_NEED_ETCD) {
      const { body, params, path } = routeOf(call) ?? {};
      if (body !== undefined) expect(body.safeParse(call.body).error).toBeUndefined();
      const parts = call.path.split('/');
      const given = (path ?? '')
        .split('/')
        .flatMap((part, index) => (part.startsWith(':') ? [[part.slice(1), parts[index]]] : []));
      if (params !== undefined) expect(params.safeParse(Object.fromEntries(given)).error).toBeUndefined();
    }
  });
});
