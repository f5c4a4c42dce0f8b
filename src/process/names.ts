// What resolves the members' names for one node's processes, as a cluster's own DNS does
// for containers: loaded before their own code (node --import), it answers for these
// names with where this node reaches them, and leaves all others to the system.

import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { pathToFileURL } from 'node:url';

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
  dns.lookup = answer as typeof dns.lookup;
  // For those who import it by its name.
  syncBuiltinESMExports();
}

/** The text of a module that does so for these. */
export const namesModule = (addresses: Readonly<Record<string, string>>): string =>
  `import { answerNames } from ${JSON.stringify(pathToFileURL(import.meta.filename).href)};\n` +
  `answerNames(${JSON.stringify(addresses)});\n`;
