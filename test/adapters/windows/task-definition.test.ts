import { describe, expect, it } from 'vitest';
import { exportedTask, serviceTask } from '../../../src/adapters/windows/task-definition.js';
import { exportedWinsw } from '../../../src/adapters/windows/winsw-config.js';
import { fc } from '../../domain/property.js';
import { askPython, commandOf, entry, expectGolden, python, rich, xmlArgv } from '../autostart/support.js';
import { takeApart } from './take-apart.js';

const reader = `
import json, sys, xml.etree.ElementTree as tree
def bare(tag): return tag.split('}')[-1]
def read(text):
    found = {}
    for element in tree.fromstring(text).iter():
        found.setdefault(bare(element.tag), element.text)
        found.update({'env:' + element.get('name'): element.get('value')} if bare(element.tag) == 'env' else {})
    return found
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;

const program = 'C:\\Program Files\\x.exe';
const wordsOf = (line: string | null | undefined) => takeApart(`"${program}" ${line ?? ''}`).slice(1);

describe('a task of Windows', () => {
  it.skipIf(python === undefined)('has any arguments in it that a program is given as they are (needs python3)', () => {
    const cases = fc.sample(xmlArgv, { numRuns: 500, seed: 8 });
    const read = askPython<Record<string, string | null>[]>(
      reader,
      cases.map((args) => exportedTask(commandOf([program, ...args]), 'HOST\\ann').text),
    );
    for (const [index, args] of cases.entries()) {
      expect(read[index]).toMatchObject({ Command: program, UserId: 'HOST\\ann' });
      expect(wordsOf(read[index]?.Arguments)).toEqual(args);
    }
  });

  it('is the same text for the same daemon, and looks like this', async () => {
    const command = [
      'C:\\Windows\\System32\\conhost.exe',
      '--headless',
      'C:\\Windows\\System32\\cmd.exe',
      '/d',
      '/c',
      'launcher.cmd',
      'daemonry-clock',
    ];
    const service = { ...entry, command, cwd: 'C:\\Users\\änn & co\\AppData\\Local\\daemonry\\_autostart' };
    await expectGolden('service-task.xml', serviceTask(service, 'HOST\\änn'));
    const { text, warnings } = exportedTask(rich, 'HOST\\ann');
    await expectGolden('exported-task.xml', text);
    expect(exportedTask(rich, 'HOST\\ann')).toEqual({ text, warnings });
    expect(warnings).toEqual(['variables of its own', 'readiness', 'health', 'at once'].map((word) => expect.stringContaining(word)));
  });

  it('says where the Task Scheduler would put in a variable', () => {
    expect(exportedTask(commandOf([program, '%PATH%']), 'ann').warnings).toContainEqual(expect.stringContaining('percent'));
  });
});

describe("a configuration of WinSW's", () => {
  it.skipIf(python === undefined)('has any arguments and variables in it (needs python3)', () => {
    const cases = fc.sample(xmlArgv, { numRuns: 500, seed: 8 });
    const read = askPython<Record<string, string | null>[]>(
      reader,
      cases.map((args) => exportedWinsw(commandOf([program, ...args], { env: { NAME: args.join('') } })).text),
    );
    for (const [index, args] of cases.entries()) {
      expect(read[index]).toMatchObject({ executable: program, 'env:NAME': args.join('') });
      expect(wordsOf(read[index]?.arguments)).toEqual(args);
    }
  });

  it('is the same text for the same daemon, and looks like this', async () => {
    const { text, warnings } = exportedWinsw(rich);
    await expectGolden('exported-winsw.xml', text);
    expect(warnings).toEqual(['.env', 'readiness', 'health'].map((word) => expect.stringContaining(word)));
  });
});
