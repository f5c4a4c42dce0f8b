// Every command that the documents name is there, and takes what they give it.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Command, CommanderError } from 'commander';
import { parse } from 'yaml';
import { createProgram } from '../../../src/cli/program.ts';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';
import { readBugs } from '../../planted/sources.ts';
import { commandsOf, type DocumentedCommand } from './commands.ts';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT_FOLDER })].sort();
const SCRIPTS = (
  JSON.parse(readFileSync(join(ROOT_FOLDER, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
).scripts;
const BUGS = new Set(readBugs().map(({ name }) => name));
const TESTS = globSync('test/**/*.test.ts', { cwd: ROOT_FOLDER });
/** Of Compose, those that are followed by one. */
const NAMING_A_SERVICE = ['port', 'kill', 'start', 'stop', 'exec', 'logs', 'restart', 'pause', 'unpause'];
/** What a mention may lack: commander's words for an argument, and for one of several commands. */
const LEFT_OUT = ['commander.missingArgument', 'commander.help'];
const NPM_COMMANDS = ['ci', 'pack', 'install', 'test'];

it.each(DOCUMENTS)('%s', async (document) => {
  const wrong = await Promise.all(
    commandsOf(document).map(async (command) => {
      const complaint = await whatIsWrong(command, document);
      return complaint === undefined ? [] : [`${command.words.join(' ')}: ${complaint}`];
    }),
  );
  expect(wrong.flat()).toEqual([]);
});

it('finds what README names', () => {
  expect(commandsOf('README.md').map(({ words }) => words.join(' '))).toEqual(
    expect.arrayContaining(['rig kill leader', 'npm run system-test', './scripts/test']),
  );
});

describe('the look at commands', () => {
  it.each([
    'rig kil leader',
    'rig kill',
    'rig up --nme other',
    'rig run all --mod simulated',
    'rig volume creat first',
    'npm run bench:none',
    'npm run test:unit -- no/such/test',
    'npm run rig -- doctr',
    'npm run planted -- no-such-bug',
    'docker compose -f compose/none.yaml up -d',
    'docker compose -f compose/cobalt-3.yaml kill node9',
    './scripts/none',
  ])('refuses %s', async (line) => {
    await expect(whatIsWrong({ words: line.split(' '), isMention: false })).resolves.toEqual(
      expect.any(String),
    );
  });
});

/** Undefined where nothing is. */
async function whatIsWrong(
  { words, isMention }: DocumentedCommand,
  document = 'README.md',
): Promise<string | undefined> {
  const [program = '', ...args] = words;
  if (program === 'rig') return wrongOfRig(args, isMention);
  if (program === 'npm') return wrongOfNpm(args, isMention, document);
  if (program === 'docker') return wrongOfCompose(args.slice(1), isMention);
  return existsSync(join(ROOT_FOLDER, program)) ? undefined : `there is no ${program}`;
}

/** By what parses a command, without what it does. */
async function wrongOfRig(args: readonly string[], isMention: boolean): Promise<string | undefined> {
  const given = args.map((word) => word.replace(/^\[(.*)\]$/, '$1'));
  const program = await createProgram(given.find((word) => !word.startsWith('-')));
  withoutEffects(program);
  try {
    await program.parseAsync(given, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) return String(error);
    return isMention && LEFT_OUT.includes(error.code) ? undefined : error.message;
  }
}

function withoutEffects(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  if (command.commands.length === 0) command.action(() => undefined);
  for (const each of command.commands) withoutEffects(each);
}

async function wrongOfNpm(
  args: readonly string[],
  isMention: boolean,
  document: string,
): Promise<string | undefined> {
  const [command = '', ...rest] = args.filter((word) => word !== '-s');
  if (command !== 'run') return NPM_COMMANDS.includes(command) ? undefined : `npm has no '${command}'`;
  const [script, ...given] = rest.filter((word) => word !== '--');
  // A mention of npm's own listing.
  if (script === undefined) return undefined;
  if (SCRIPTS[script] === undefined) return `there is no script '${script}'`;
  if (script === 'rig') return wrongOfRig(given, isMention);
  if (script === 'system-test') return wrongOfRig(['run', 'all', ...given], isMention);
  const names = given.filter((word) => !/^[-<]/.test(word));
  if (script === 'planted') return names.find((name) => !BUGS.has(name));
  const [, kind] = /^test:(\w+)$/.exec(script) ?? [];
  if (kind === undefined) return undefined;
  // A document may have its reader write the test.
  const text = readFileSync(join(ROOT_FOLDER, document), 'utf8');
  const isThere = (pattern: string): boolean =>
    TESTS.some((path) => path.startsWith(`test/${kind}/`) && path.includes(pattern)) ||
    text.includes(`/${pattern}.test.ts\n`);
  return names.find((pattern) => !isThere(pattern));
}

function wrongOfCompose(args: readonly string[], isMention: boolean): string | undefined {
  const files = args.flatMap((word, index) => (args[index - 1] === '-f' ? [word] : []));
  if (files.length === 0) return isMention ? undefined : 'it names no file';
  const absent = files.find((path) => !existsSync(join(ROOT_FOLDER, path)));
  if (absent !== undefined) return `there is no ${absent}`;
  const services = files.flatMap((path) => {
    const document = parse(readFileSync(join(ROOT_FOLDER, path), 'utf8')) as { services: object };
    return Object.keys(document.services);
  });
  const [verb = '', service] = args.filter((word, index) => word !== '-f' && args[index - 1] !== '-f');
  if (!NAMING_A_SERVICE.includes(verb)) return undefined;
  return service !== undefined && services.includes(service) ? undefined : `no ${service} in ${files.join()}`;
}
