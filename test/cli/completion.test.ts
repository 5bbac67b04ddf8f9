import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findTool } from '../../src/adapters/posix/find-executable.js';
import { completionScript } from '../../src/app/cli/completion/completion-script.js';
import type { CompletionShell, CompletionVerb } from '../../src/app/cli/completion/completion-verb.js';

const home = { flags: ['--home'], summary: 'where the daemons are kept', values: 'folder', takesValue: true } as const;
const json = { flags: ['--json'], summary: "answer with one JSON object: 'so', [it] \\ is", takesValue: false };

const verbs: readonly CompletionVerb[] = [
  {
    name: 'start',
    summary: "start a daemon: it's ready [then] \\o/",
    takesName: true,
    options: [
      home,
      json,
      { flags: ['--cwd'], summary: 'its working folder', values: 'folder', takesValue: true },
      { flags: ['--log'], summary: 'a log file', values: 'file', takesValue: true },
      { flags: ['--ready'], summary: 'when it is ready', values: ['exec', 'socket', 'port:', 'http:'], takesValue: true },
      { flags: ['--grace'], summary: 'how long', takesValue: true },
      { flags: ['--clean-env'], summary: 'little', takesValue: false },
    ],
  },
  { name: 'stop', summary: 'stop daemons', takesName: true, options: [home, json] },
  { name: 'list', summary: 'list them', takesName: false, options: [home, json] },
  {
    name: 'logs',
    summary: 'show output',
    takesName: true,
    options: [
      home,
      json,
      { flags: ['-f', '--follow'], summary: 'go on', takesValue: false },
      { flags: ['-n', '--lines'], summary: 'how many', takesValue: true },
    ],
  },
  { name: 'autostart', summary: 'with the machine', takesName: true, words: ['enable', 'disable'], options: [home, json] },
  { name: 'completion', summary: 'print the script', takesName: true, options: [home, json] },
];

const shells: readonly CompletionShell[] = ['bash', 'zsh', 'fish'];
const toolOf = (shell: string) => findTool(shell, process.env.PATH);

let folder = '';
let path = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'daemonry-completion-'));
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'work'));
  mkdirSync(join(folder, 'work', 'sub folder'));
  writeFileSync(join(folder, 'work', 'some file'), '');
  path = `${join(folder, 'bin')}:${process.env.PATH}`;
  for (const shell of shells) writeFileSync(scriptOf(shell), completionScript(shell, verbs));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Stands in for the command: answers as `daemonry completion --names` would. */
function daemonryAnswers(script: string): void {
  writeFileSync(join(folder, 'bin', 'daemonry'), `#!/bin/sh\n[ "$1 $2" = "completion --names" ] || exit 9\n${script}\n`, { mode: 0o755 });
}

beforeEach(() => {
  daemonryAnswers(`[ "$4" = ${folder}/x ] && echo tilde-home-x && exit
[ "$3" = --home ] && echo "in$4" | tr -c "a-zA-Z0-9\\n" - && exit
printf "%s\\n" web worker db.1`);
});

function scriptOf(shell: CompletionShell): string {
  return join(folder, `completion.${shell}`);
}

describe.each(shells)('completion: the script for %s', (shell) => {
  const real = toolOf(shell);

  it.skipIf(!real)(`is in order for the shell itself (needs ${shell})`, () => {
    const { status, stderr } = spawnSync(real as string, ['-n', scriptOf(shell)], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.skipIf(!real)(`is loaded without a word (needs ${shell})`, () => {
    const quiet = { bash: ['--norc', '--noprofile'], zsh: ['-f'], fish: ['--no-config'] }[shell];
    const ready = shell === 'zsh' ? 'autoload -Uz compinit && compinit -u -D && ' : '';
    const { status, stdout, stderr } = spawnSync(real as string, [...quiet, '-c', `${ready}source ${scriptOf(shell)}`], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('is made of the verbs alone', () => {
    expect(completionScript(shell, verbs)).toBe(completionScript(shell, structuredClone(verbs)));
    expect(completionScript(shell, []).length).toBeGreaterThan(0);
  });
});

type Case = readonly [line: string, offered: readonly string[]];

/** What each of the shells offers at the end of a line. */
const cases: readonly Case[] = [
  ['daemonry st', ['start', 'stop']],
  ['daemonry ', ['autostart', 'completion', 'list', 'logs', 'start', 'stop']],
  ['daemonry --json l', ['list', 'logs']],
  ['daemonry --home /x s', ['start', 'stop']],
  ['daemonry --', ['--help', '--home', '--json', '--version']],
  ['daemonry start --c', ['--clean-env', '--cwd']],
  ['daemonry logs --f', ['--follow']],
  ['daemonry list --cl', []],
  ['daemonry start w', ['web', 'worker']],
  ['daemonry start --clean-env --grace 5s w', ['web', 'worker']],
  ['daemonry stop web d', ['db.1']],
  ['daemonry list w', []],
  ['daemonry autostart e', ['enable']],
  ['daemonry autostart enable w', ['web', 'worker']],
  ['daemonry stop --home /x i', ['in-x']],
  ['daemonry --home /x stop i', ['in-x']],
  ['daemonry stop --home ~/x tilde', ['tilde-home-x']],
  ['daemonry start --ready ', ['exec', 'http:', 'port:', 'socket']],
  ['daemonry start --ready e', ['exec']],
  ['daemonry start web --ready po', ['port:']],
  ['daemonry start --grace ', []],
  ['daemonry logs -n w', []],
  ['daemonry completion ', ['bash', 'fish', 'zsh']],
  ['daemonry bogus w', []],
  ['daemonry start web -- daemonr', ['daemonry']],
];

/** Names of daemons must fail in silence. */
const failing = 'daemonry start w';

describe('completion: bash, by its function', () => {
  const bash = toolOf('bash');
  const needsBash = it.skipIf(!bash);

  /** As readline would call it for these words, the last of which is being written. */
  function offer(words: readonly string[], setup = ''): readonly string[] {
    const run = `${setup}\nsource ${scriptOf('bash')}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=\${#COMP_LINE}
_daemonry
((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}" || :`;
    const stdout = execFileSync(bash as string, ['--norc', '--noprofile', '-c', run, 'bash', ...words], {
      cwd: join(folder, 'work'),
      env: { PATH: path, HOME: folder },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // As readline shows them: a command that stands in two folders of PATH is named once.
    return [...new Set(stdout.split('\n').slice(0, -1))].sort();
  }

  const split = (line: string) => line.split(' ');

  needsBash.each(cases)('%j offers %j', (line, offered) => {
    expect(offer(split(line))).toEqual(offered);
  });

  needsBash.each<Case>([
    ['--ready = e', ['exec']],
    ['--ready =', ['exec', 'http:', 'port:', 'socket']],
    ['--home = /x web --ready = so', ['socket']],
    ['--ready port :', []],
    ['--ready port : w', []],
  ])('reads what readline parts at = and at colons: %j', (rest, offered) => {
    expect(offer(['daemonry', 'start', ...split(rest)])).toEqual(offered);
  });

  needsBash('offers paths, with spaces in them', () => {
    expect(offer(['daemonry', 'start', '--log', 's'])).toEqual(['some file', 'sub folder']);
    expect(offer(['daemonry', 'start', '--cwd', 's'])).toEqual(['sub folder']);
    expect(offer(['daemonry', 'start', 'web', '--', 'cat', 'some'])).toEqual(['some file']);
  });

  needsBash('leaves the command after -- to its own completion where there is one', () => {
    const stub = '_command_offset() { COMPREPLY=("from $1"); }';
    expect(offer(['daemonry', 'start', 'web', '--', 'git', 'ch'], stub)).toEqual(['from 4']);
    const newer = '_comp_command_offset() { COMPREPLY=("newer from $1"); }';
    expect(offer(['daemonry', 'start', 'web', '--', ''], `${stub}\n${newer}`)).toEqual(['newer from 4']);
  });

  needsBash('offers no names where daemonry fails, and says nothing', () => {
    daemonryAnswers('echo broken >&2; exit 1');
    expect(offer(split(failing))).toEqual([]);
    rmSync(join(folder, 'bin', 'daemonry'));
    expect(offer(split(failing))).toEqual([]);
  });

  needsBash('offers nothing that the shell would run', () => {
    daemonryAnswers(`printf '%s\\n' 'w$(touch ${join(folder, 'ran')})' 'w;x' 'w x' 'w*' web`);
    expect(offer(split(failing))).toEqual(['web']);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  needsBash('works where unset variables are errors, and where the field separator is another', () => {
    expect(offer(split('daemonry stop w'), 'set -u')).toEqual(['web', 'worker']);
    expect(offer(split('daemonry start --ready '), 'set -u; IFS=,')).toEqual(['exec', 'http:', 'port:', 'socket']);
  });
});

describe('completion: fish, by its own search', () => {
  const fish = toolOf('fish');
  const needsFish = it.skipIf(!fish);

  function offer(line: string): readonly string[] {
    const stdout = execFileSync(fish as string, ['--no-config', '-c', `source ${scriptOf('fish')}; complete -C $argv[1]`, line], {
      cwd: join(folder, 'work'),
      env: { PATH: path, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const offered = stdout.split('\n').slice(0, -1);
    return offered.map((each) => each.replace(/\t.*/, '')).sort();
  }

  needsFish.each(cases)('%j offers %j', (line, offered) => {
    expect(offer(line)).toEqual(offered);
  });

  needsFish('offers paths', () => {
    expect(offer('daemonry start --log s')).toEqual(['some file', 'sub folder/']);
    expect(offer('daemonry start --cwd s')).toEqual(['sub folder/']);
    expect(offer('daemonry start web -- cat some')).toEqual(['some file']);
  });

  needsFish('offers no names where daemonry fails', () => {
    daemonryAnswers('echo broken >&2; exit 1');
    expect(offer(failing)).toEqual([]);
  });
});

describe('completion: zsh, in a terminal', () => {
  const zsh = toolOf('zsh');
  const hasTerminals =
    zsh !== undefined && spawnSync(zsh, ['-f', '-c', 'zmodload zsh/zpty && zpty probe true'], { stdio: 'ignore' }).status === 0;
  const needsZsh = it.skipIf(!hasTerminals);

  /** Inside the terminal: notes what `compadd` is given, but where it only fills a variable. */
  const inside = `
unset zle_bracketed_paste
PS1=
zstyle ":completion:*" menu no
unsetopt automenu
compadd() {
  local -a hits
  [[ " \${@[1,(i)(-|--)]} " == *" -"[OAD]" "* ]] || builtin compadd -A hits "$@"
  for hit in $hits; do print -r -- "offer:$hit" >> $NOTES; done
  builtin compadd "$@"
}
capture() { zle list-choices; print done >> $NOTES }
zle -N capture
bindkey "^I" capture
print ready >> $NOTES
`;

  /** Types a line and the key that completes into an interactive zsh. */
  const outside = `
zmodload zsh/zpty
await() { local -i i; for ((i = 0; i < 400; i++)); do grep -qs "$1" $NOTES && return; sleep 0.05; done; exit 1 }
zpty shell zsh -f -i
zpty -w shell "$1; source $2"
await ready
zpty -w -n shell "$3"$'\\t'
await done
zpty -d shell
`;

  function offer(line: string, loading = `autoload -Uz compinit && compinit -u -D && source ${scriptOf('zsh')}`): readonly string[] {
    const notes = join(folder, 'notes');
    const setup = join(folder, 'inside.zsh');
    rmSync(notes, { force: true });
    writeFileSync(setup, inside);
    execFileSync(zsh as string, ['-f', '-c', outside, 'zsh', loading, setup, line], {
      cwd: join(folder, 'work'),
      env: { PATH: path, HOME: folder, TERM: 'dumb', NOTES: notes },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const offered = /^offer:(.*)$/gm;
    return [...new Set([...readFileSync(notes, 'utf8').matchAll(offered)].map(([, word]) => word as string))].sort();
  }

  needsZsh.each(cases)('%j offers %j', (line, offered) => {
    // A dash alone is an option to _describe, which notes it among the words.
    expect(offer(line).filter((word) => !/^-[A-Z]$|^-default-$/.test(word))).toEqual(offered);
  });

  needsZsh('offers paths, quoted as they are put in', () => {
    expect(offer('daemonry start --log s')).toEqual(['some\\ file', 'sub\\ folder']);
    expect(offer('daemonry start --cwd s')).toEqual(['sub\\ folder']);
  });

  needsZsh('offers no names where daemonry fails', () => {
    daemonryAnswers('echo broken >&2; exit 1');
    expect(offer(failing)).toEqual([]);
  });

  needsZsh('is found in a folder of $fpath', () => {
    const functions = join(folder, 'functions');
    mkdirSync(functions);
    writeFileSync(join(functions, '_daemonry'), readFileSync(scriptOf('zsh')));
    const loading = `fpath=(${functions} $fpath); autoload -Uz compinit && compinit -u -D`;
    expect(offer('daemonry st', loading)).toEqual(['start', 'stop']);
  });
});
