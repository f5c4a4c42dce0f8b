// Completions as the shells want them. Pure.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly about: string;
}

/** What can follow a command. */
export interface Completion {
  /** `[]` is rig itself, `['volume', 'create']` one of its commands. */
  readonly path: readonly string[];
  readonly subcommands: readonly Word[];
  readonly options: readonly Word[];
  /** Names that its arguments may have. */
  readonly words: readonly string[];
}

export const scriptFor = (shell: Shell, all: readonly Completion[]): string =>
  `${WRITERS[shell](all).join('\n')}\n`;

const WRITERS: Readonly<Record<Shell, (all: readonly Completion[]) => readonly string[]>> = {
  bash,
  zsh,
  fish,
};

/** In single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const wordsOf = ({ subcommands, options, words }: Completion): readonly string[] => [
  ...[...subcommands, ...options].map(({ word }) => word),
  ...words,
];

/** `$at`, by `$word` after `$word`: the command that they name. One that has commands of its own takes the next word for one. */
const follow = (all: readonly Completion[]): readonly string[] => [
  '    case "$at" in',
  ...all
    .filter(({ subcommands }) => subcommands.length > 0)
    .map(
      ({ path, subcommands }) =>
        `      ${quoted(path.join(' '))}) case "$word" in ${subcommands.map(({ word }) => word).join('|')}) at="\${at:+$at }$word" ;; esac ;;`,
    ),
  '    esac',
  '  done',
];

function bash(all: readonly Completion[]): readonly string[] {
  const cases = all.map(
    (one) => `    ${quoted(one.path.join(' '))}) words=${quoted(wordsOf(one).join(' '))} ;;`,
  );
  return [
    '# bash completion of rig',
    '_rig() {',
    '  local at="" word words',
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    ...follow(all),
    '  case "$at" in',
    ...cases,
    '  esac',
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _rig rig',
  ];
}

function zsh(all: readonly Completion[]): readonly string[] {
  const described = ({ word, about }: Word): string => quoted(`${word}:${about.replaceAll(':', '\\:')}`);
  return [
    '#compdef rig',
    '_rig() {',
    '  local at="" word',
    '  local -a offered',
    `  for word in "\${words[@]:1:$((CURRENT - 2))}"; do`,
    ...follow(all),
    '  case "$at" in',
    ...all.map((one) => {
      const { path, subcommands, options, words } = one;
      const offered = [...[...subcommands, ...options].map(described), ...words.map(quoted)];
      return `    ${quoted(path.join(' '))}) offered=(${offered.join(' ')}) ;;`;
    }),
    '  esac',
    "  _describe 'rig' offered || _files",
    '}',
    'if [ "$funcstack[1]" = "_rig" ]; then _rig "$@"; else compdef _rig rig; fi',
  ];
}

function fish(all: readonly Completion[]): readonly string[] {
  const lines = all.flatMap(({ path, subcommands, options, words }) => {
    const isHere = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const others = subcommands.map(({ word }) => word).join(' ');
    const isOpen = others === '' ? [] : [`not __fish_seen_subcommand_from ${others}`];
    const condition = [...isHere, ...isOpen].join('; and ');
    const when = condition === '' ? '' : ` -n ${quoted(condition)}`;
    return [
      ...subcommands.map(({ word, about }) => `complete -c rig -f${when} -a ${word} -d ${quoted(about)}`),
      ...options.map(
        ({ word, about }) => `complete -c rig${when} -l ${word.replace(/^--/, '')} -d ${quoted(about)}`,
      ),
      ...(words.length === 0 ? [] : [`complete -c rig -f${when} -a ${quoted(words.join(' '))}`]),
    ];
  });
  return ['# fish completion of rig', ...lines];
}
