import { describe, expect, it } from 'vitest';
import { exportedAgent, serviceAgent } from '../../../src/adapters/autostart/launch-agent.js';
import { fc } from '../../domain/property.js';
import { askPython, commandOf, entry, expectGolden, python, rich, xmlArgv } from './support.js';

const reader = `
import json, plistlib, sys
print(json.dumps([plistlib.loads(text.encode('utf-8')) for text in json.load(sys.stdin)]))`;

describe('an agent of launchd', () => {
  it.skipIf(python === undefined)('is read by plistlib with any arguments and variables in it (needs python3)', () => {
    const cases = fc.sample(xmlArgv, { numRuns: 500, seed: 8 });
    const texts = cases.map((args) => exportedAgent(commandOf(['/bin/x', ...args], { env: { NAME: args.join('') } })).text);
    const read = askPython<Record<string, unknown>[]>(reader, texts);
    for (const [index, args] of cases.entries()) {
      expect(read[index]).toMatchObject({ ProgramArguments: ['/bin/x', ...args], EnvironmentVariables: { NAME: args.join('') } });
    }
  });

  it('refuses what a plist has no way to write, before anything is written', () => {
    expect(() => exportedAgent(commandOf(['/bin/x', '\u0001']))).toThrow("can't be written in XML");
    expect(() => exportedAgent(commandOf(['/bin/x', '\ud800']))).toThrow("can't be written in XML");
  });

  it.skipIf(python === undefined)('that is installed goes on after a failure, and ends after an end of its own (needs python3)', () => {
    const [agent] = askPython<Record<string, unknown>[]>(reader, [serviceAgent(entry, '/home/ann/log')]);
    expect(agent).toEqual({
      Label: 'daemonry-clock',
      ProgramArguments: entry.command,
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ExitTimeOut: 41,
      ProcessType: 'Background',
      StandardOutPath: '/home/ann/log',
      StandardErrorPath: '/home/ann/log',
    });
  });

  it('is the same text for the same daemon, and looks like this', async () => {
    await expectGolden(
      'service.plist',
      serviceAgent(entry, '/home/ann/Library/Application Support/daemonry/_autostart/daemonry-clock.log'),
    );
    const { text, warnings } = exportedAgent(rich);
    await expectGolden('exported.plist', text);
    expect(exportedAgent(rich)).toEqual({ text, warnings });
    expect(warnings).toEqual(['.env', 'SIGINT', 'readiness', 'health'].map((word) => expect.stringContaining(word)));
  });
});
