import type { DaemonMarks } from '../../domain/ports.js';
import { gateName } from '../posix/gate-script.js';
import { parseMarks } from '../posix/marks.js';

/** What `ps -o pid= -o command=` printed: the text of each process, one line each since `ps` encodes line breaks. */
export function parseCommands(text: string): ReadonlyMap<number, string> {
  const commands = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [, pid, command] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    if (pid !== undefined && command !== undefined) commands.set(Number(pid), command);
  }
  return commands;
}

/**
 * The marks in an environment that `ps -E` appended to a command. The command without it is asked for too: a process that
 * merely names a mark in its arguments, as a `grep` for it does, carries none.
 *
 * Values run on until the next name, for they may hold spaces and the home of a Mac does.
 */
export function marksInText(withEnvironment: string, commandAlone: string): DaemonMarks | undefined {
  if (!withEnvironment.startsWith(`${commandAlone} `)) return undefined;
  const environment = withEnvironment.slice(commandAlone.length + 1);
  return parseMarks(environment.split(/ (?=[A-Za-z_][A-Za-z0-9_]*=)/));
}

/** Whether a process, by its `stat` and `command`, has become its command and is not the launch gate any more. */
export function hasLeftGate(stat: string, command: string): boolean {
  if (stat === '' || stat.startsWith('Z') || command === '') return false;
  // Arguments that can't be read; the name in brackets is the program's, and the gate's is `sh`.
  if (/^\(.*\)$/.test(command)) return command !== '(sh)';
  const isGate = /^\S+ -c read -r daemonry_word /.test(command) && command.includes(` ${gateName} `);
  return !isGate && !/^\S+ -u DAEMONRY_CARRY_/.test(command);
}
