// What resolves the members' names for one node's processes, as a cluster's own DNS does
// for containers: loaded before their own code (node --import), it answers for these
// names with where this node reaches them, and leaves all others to the system.

import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

export function answerNames(addresses: Readonly<Record<string, string>>): void {
  const ask = dns.lookup as (name: string, ...rest: readonly unknown[]) => void;
  const answer = (name: string, ...rest: readonly unknown[]): void => {
    const address = Object.hasOwn(addresses, name) ? addresses[name] : undefined;
    if (address === undefined) {
      ask(name, ...rest);
      return;
    }
    const callback = rest.at(-1) as Callback;
    const isAll = rest.length > 1 && (rest[0] as LookupOptions | null)?.all === true;
    queueMicrotask(() => {
      if (isAll) callback(null, [{ address, family: 4 }]);
      else callback(null, address, 4);
    });
  };
  const promised = dns.promises.lookup as (name: string, ...rest: readonly unknown[]) => Promise<unknown>;
  const promise = (name: string, options?: LookupOptions | number): Promise<unknown> => {
    const address = Object.hasOwn(addresses, name) ? addresses[name] : undefined;
    if (address === undefined) return promised(name, options);
    const found = { address, family: 4 };
    return Promise.resolve(typeof options === 'object' && options.all === true ? [found] : found);
  };
  dns.lookup = Object.assign(answer, { [promisify.custom]: promise }) as unknown as typeof dns.lookup;
  dns.promises.lookup = promise as typeof dns.promises.lookup;
  // For those who import it by its name.
  syncBuiltinESMExports();
}

/** The text of a module that does so for these. */
export const namesModule = (addresses: Readonly<Record<string, string>>): string =>
  `import { answerNames } from ${JSON.stringify(pathToFileURL(import.meta.filename).href)};\n` +
  `answerNames(${JSON.stringify(addresses)});\n`;
