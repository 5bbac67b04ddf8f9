import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportedUnit, serviceUnit } from '../../../src/adapters/autostart/systemd-unit.js';
import { systemdPath } from '../../../src/adapters/autostart/systemd-words.js';
import { findTool } from '../../../src/adapters/posix/find-executable.js';
import { fc } from '../../domain/property.js';
import { argument, argv, commandOf, entry, expectGolden, rich } from './support.js';

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', s: ' ' };

/** What stands behind a key, as systemd reads a file: line by line, with a backslash at the end joining the next one. */
function settingOf(unit: string, key: string): string {
  const line = unit
    .replaceAll('\\\n', ' ')
    .split('\n')
    .find((one) => one.startsWith(`${key}=`));
  if (line === undefined) throw new Error(`there is no ${key} in ${unit}`);
  return line.slice(key.length + 1).trim();
}

/**
 * The words of a line by the rules of systemd.syntax(7) and systemd.service(5): quotes, the escapes of C, specifiers. All
 * that begins with a percent sign but the doubled one is a specifier, and fails here. Variables are put in, in arguments only.
 */
function wordsOf(line: string, { variables }: { variables: boolean }): string[] {
  const words: string[] = [];
  for (let at = 0; at < line.length; ) {
    if (/[ \t\r\n]/.test(line[at] as string)) {
      at++;
      continue;
    }
    let word = '';
    let quote: string | undefined;
    for (; at < line.length; at++) {
      const character = line[at] as string;
      if (character === '\\') {
        const [, hex, letter] = /^\\(?:x([0-9a-f]{2})|(.))/s.exec(line.slice(at)) ?? [];
        if (hex !== undefined) word += String.fromCharCode(Number.parseInt(hex, 16));
        else if (letter !== undefined && letter in escapes) word += escapes[letter];
        else if (letter !== undefined && `\\"'`.includes(letter)) word += letter;
        else throw new Error(`systemd knows no escape ${line.slice(at, at + 4)}`);
        at += hex === undefined ? 1 : 3;
      } else if (quote === undefined && /[ \t\r\n]/.test(character)) break;
      else if (character === quote) quote = undefined;
      else if (quote === undefined && `"'`.includes(character)) quote = character;
      else word += character;
    }
    if (quote !== undefined) throw new Error(`a quote is open in ${line}`);
    words.push(withoutSpecifiers(word));
  }
  const [program = '', ...args] = words;
  return variables ? [program, ...args.map(withVariables)] : words;
}

function withoutSpecifiers(word: string): string {
  return word.replace(/%(.?)/gsu, (_, letter) => {
    if (letter === '%') return '%';
    throw new Error(`a specifier in ${word}`);
  });
}

function withVariables(word: string): string {
  return word.replace(/\$(.?)/gsu, (_, next) => {
    if (next === '$') return '$';
    throw new Error(`a variable in ${word}`);
  });
}

describe('a unit of systemd', () => {
  it('has any arguments in it that are read again as they are', () => {
    fc.assert(
      fc.property(argv, (args) => {
        const { text } = exportedUnit(commandOf(['/usr/bin/env', ...args]));
        expect(wordsOf(settingOf(text, 'ExecStart'), { variables: true })).toEqual(['/usr/bin/env', ...args]);
      }),
      { numRuns: 500 },
    );
  });

  it('runs any program, in any folder, through a shell where systemd itself refuses its path', () => {
    fc.assert(
      fc.property(argument, argument, (program, folder) => {
        const cwd = `/${folder}`;
        const { text } = exportedUnit(commandOf([`/${program}`, 'x'], { cwd }));
        const words = wordsOf(settingOf(text, 'ExecStart'), { variables: true });
        expect(words.slice(-2)).toEqual([`/${program}`, 'x']);
        expect(words[0]).toMatch(/^\/[^\p{Cc}"'\\]*$/u);
        if (systemdPath(cwd) === undefined) expect(words).toContain(cwd);
        else expect(settingOf(text, 'WorkingDirectory').replaceAll('%%', '%')).toBe(cwd);
      }),
      { numRuns: 500 },
    );
  });

  it('has any value of a variable in it that systemd can set, and says which it can not', () => {
    fc.assert(
      fc.property(argument, (value) => {
        const { text, warnings } = exportedUnit(commandOf(['/bin/true'], { env: { NAME: value } }));
        if (/[^\P{Cc}\t\n]/u.test(value)) expect(warnings).toEqual([expect.stringContaining('"NAME"')]);
        else expect(wordsOf(settingOf(text, 'Environment'), { variables: false })).toEqual([`NAME=${value}`]);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same text for the same daemon, and looks like this', async () => {
    await expectGolden('service.service', serviceUnit(entry, { canNotify: true }));
    const { text, warnings } = exportedUnit(rich);
    await expectGolden('exported.service', text);
    expect(exportedUnit(rich)).toEqual({ text, warnings });
    expect(warnings).toEqual([expect.stringContaining('readiness'), expect.stringContaining('health')]);
  });

  it('leaves out what systemd can not name, and says so', () => {
    const { text, warnings } = exportedUnit(commandOf(['/bin/true'], { env: { 'a.b': '1', GOOD: '2' }, envFiles: ['/a*', '/good'] }));
    expect(text).toMatch(/^Environment="GOOD=2"$/m);
    expect(text).toMatch(/^EnvironmentFile=\/good$/m);
    expect(text).not.toMatch(/a\.b|\/a\*/);
    expect(warnings).toEqual([expect.stringContaining('/a*'), expect.stringContaining('a.b')]);
  });

  const analyze = findTool('systemd-analyze', process.env.PATH);
  it.skipIf(analyze === undefined)('is accepted by systemd-analyze verify (needs systemd-analyze)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'units-'));
    try {
      const node = process.execPath;
      const strange = commandOf([node, ...fc.sample(argument, { numRuns: 50, seed: 8 })], { cwd: '/tmp' });
      const units = {
        'installed.service': serviceUnit(entry, { canNotify: true }),
        'unnotified.service': serviceUnit({ ...entry, restartLimit: 0 }, { canNotify: false }),
        'rich.service': exportedUnit({ ...rich, command: [node, ...rich.command.slice(1)] }).text,
        'always.service': exportedUnit(commandOf([node, 'x'], { restart: 'always', restartLimit: 0 })).text,
        'strange.service': exportedUnit(strange).text,
        'in-a-strange-folder.service': exportedUnit({ ...strange, spec: { ...strange.spec, cwd: '/tmp/ "x\\' } }).text,
      };
      const paths = Object.entries(units).map(([file, text]) => {
        writeFileSync(join(folder, file), text);
        return join(folder, file);
      });
      const env = { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder };
      const { status, stderr } = spawnSync(analyze as string, ['verify', '--user', '--recursive-errors=no', ...paths], {
        env,
        encoding: 'utf8',
      });
      expect({ status, said: stderr.split('\n').filter((line) => line.includes(folder)) }).toEqual({ status: 0, said: [] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
