// The commands that a document names, in its blocks of `sh` and in its lines.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

export interface DocumentedCommand {
  readonly words: readonly string[];
  /** One that a line only mentions, such as `rig fault`, may leave out what it takes. */
  readonly isMention: boolean;
}

const BLOCK = /^```sh\n(.*?)^```$/gms;
const INLINE = /`([^`\n]+)`/g;
/** Set for one command alone: `NAME=value command`. */
const VARIABLE = /^[A-Z_]+=\S+$/;
/** What the documents promise to be there; everything else is the reader's own shell. */
const OURS = /^(?:rig|npm|docker compose|\.\/scripts\/\S+)(?: |$)/;

export function commandsOf(document: string): readonly DocumentedCommand[] {
  const text = readFileSync(join(ROOT_FOLDER, document), 'utf8');
  const blocks = [...text.matchAll(BLOCK)].flatMap(([, block = '']) => withComposeFiles(block));
  const inline = [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(INLINE)].map(([, code = '']) => code);
  return [
    ...blocks.flatMap((line) => read(line, false)),
    ...inline.flatMap((line) => read(line, true)),
  ].filter(({ words }) => OURS.test(words.join(' ')));
}

/** Compose takes the files that COMPOSE_FILE names where it is given none. */
function withComposeFiles(block: string): readonly string[] {
  const files = /^export COMPOSE_FILE=(\S+)$/m.exec(block)?.[1]?.split(':') ?? [];
  const given = files.map((file) => `-f ${file} `).join('');
  return block
    .trim()
    .split('\n')
    .map((line) => line.replace(/^docker compose (?!-f )/, `$&${given}`));
}

/** Comments go, as a shell takes them; what is joined by `&&` or `|` is several. */
function read(line: string, isMention: boolean): readonly DocumentedCommand[] {
  return line
    .replace(/(?:^|\s)#.*$/, '')
    .split(/ (?:&&|\|) /)
    .map((part) => {
      const words = (part.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) =>
        word.replace(/^(['"])(.*)\1$/, '$2'),
      );
      const first = words.findIndex((word) => !VARIABLE.test(word));
      return { words: words.slice(Math.max(first, 0)), isMention };
    });
}
