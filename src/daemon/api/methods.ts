// Which methods a path has, for those who ask with another one.

import type { Method, Route } from './route.ts';

/** Answers with the methods of whatever path a URL has, parameters being anything; none for an unknown path. */
export function createMethodLookup(routes: readonly Route[]): (url: string) => readonly Method[] {
  const known = routes.map(({ method, path }) => ({ method, parts: path.split('/') }));
  return (url) => {
    const asked = (url.split(/[?#]/)[0] ?? '').split('/');
    const fits = (parts: readonly string[]): boolean =>
      parts.length === asked.length &&
      parts.every((part, index) => (part.startsWith(':') ? asked[index] !== '' : part === asked[index]));
    return known.filter(({ parts }) => fits(parts)).map(({ method }) => method);
  };
}
