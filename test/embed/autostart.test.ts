import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** A program that uses the library, since the units stand in the home folder of whoever asks. */
async function ask(home: TemporaryHome, script: string): Promise<unknown> {
  const program = `import(${JSON.stringify(libraryFile)}).then(async ({ autostart }) => console.log(JSON.stringify(await (${script}))))
    .catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`;
  const end = await home.spawn(process.execPath, ['-e', program]).end();
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  return JSON.parse(end.stdout);
}

describe.concurrent('autostart of the library', () => {
  test('enables, tells, exports and disables, as the command line does', async ({ home }) => {
    await home.startSleeper('clock');
    const answer = await ask(home, `autostart.enable({ name: 'clock' }, { verify: false })`);
    expect(answer).toMatchObject({ outcome: 'enabled', names: ['clock'], verified: false, takenOver: [] });
    const { definition, service } = answer as { definition: string; service: string };
    expect(readFileSync(definition, 'utf8')).toContain(home.at('_autostart', 'launcher'));
    expect(await ask(home, `autostart.status(['clock'])`)).toMatchObject([{ name: 'clock', enabled: true, service, managed: false }]);
    expect(await ask(home, `autostart.export('clock', 'systemd')`)).toMatchObject({ text: expect.stringContaining('ExecStart=') });
    expect(await ask(home, `autostart.disable({ name: 'clock' })`)).toEqual({ outcome: 'disabled', names: ['clock'] });
    expect(existsSync(definition)).toBe(false);
    expect(readdirSync(join(home.folder, '.config/systemd/user'))).toEqual(['default.target.wants']);
  });

  test('fails by code for what is no subject, name, option or manager', async ({ home }) => {
    const wrong = [
      'enable(null)',
      "enable({ name: 'x' }, 5)",
      'enable({ file: 5 })',
      'enable({ file: undefined })',
      "disable({ name: 'x' }, { home: 5 })",
      'status(5)',
      'status([5])',
    ];
    const more = [
      'status([], null)',
      "enable({ name: 'x' }, { verify: 'no' })",
      "export(5, 'systemd')",
      "export('x', 'systemd', null)",
      "export('x', 5)",
    ];
    const calls = [...wrong, ...more].map((call) => `autostart.${call}.catch(({ code }) => code)`);
    expect(await ask(home, `Promise.all([${calls}])`)).toEqual(calls.map(() => 'invalid-spec'));
  });

  test('fails by code for a daemon that was never started', async ({ home }) => {
    expect(await ask(home, `autostart.enable({ name: 'nobody' })`)).toMatchObject({ code: 'not-found' });
    expect(await ask(home, `autostart.export('nobody', 'compose')`)).toMatchObject({ code: 'not-found' });
    expect(await ask(home, `autostart.disable({ name: '../x' })`)).toMatchObject({ code: 'invalid-name' });
  });
});
