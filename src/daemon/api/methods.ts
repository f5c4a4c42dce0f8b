// Which methods a path has: for transports, and for those who ask with another one.

import type { Method, Route } from './route.ts';

/** Where GET is served, so is HEAD. */
export const methodsOf = ({ method }: Pick<Route, 'method'>): (Method | 'HEAD')[] =>
  method === 'GET' ? ['GET', 'HEAD'] : [method];

/** Answers with the methods of whatever path a URL has, parameters being anything; none for an unknown path. */
export function createMethodLookup(routes: readonly Route[]): (url: string) => readonly string[] {
  const known = routes.map((route) => ({ methods: methodsOf(route), parts: route.path.split('/') }));
  return (url) => {
    const asked = (url.split(/[?#]/)[0] ?? '').split('/');
    const fits = (parts: readonly string[]): boolean =>
      parts.length === asked.length &&
      parts.every((part, index) => (part.startsWith(':') ? asked[index] !== '' : part === asked[index]));
    return known.filter(({ parts }) => fits(parts)).flatMap(({ methods }) => methods);
  };
}
