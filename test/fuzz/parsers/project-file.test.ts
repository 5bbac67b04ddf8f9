import { isAbsolute } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { importEcosystem } from '../../../src/adapters/project/import/ecosystem.js';
import { importProcfile } from '../../../src/adapters/project/import/procfile.js';
import { projectData, projectYaml } from '../../../src/adapters/project/import/project-yaml.js';
import { importSupervisord } from '../../../src/adapters/project/import/supervisord.js';
import { parseProject } from '../../../src/adapters/project/read-project.js';
import { isDaemonError } from '../../../src/domain/daemon-error.js';
import { checkedName } from '../../../src/domain/daemon-name.js';
import type { Project } from '../../../src/domain/project.js';
import { badFiles, goodFiles, subtleFiles } from '../../adapters/project/project-files.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, hostileJson } from '../support/mutations.js';

const file = '/srv/shop/daemonry.yaml';

/** A project that is sound, or `undefined` with errors that each have a place within the text and one line. */
function read(text: string, of = file): Project | undefined {
  try {
    const project = parseProject(text, of);
    expectSound(project);
    return project;
  } catch (error) {
    if (!isDaemonError(error)) throw error;
    expect(error.code).toBe('invalid-project');
    const errors = error.facts.errors as { line: number; column: number; message: string }[];
    expect(errors.length).toBeGreaterThan(0);
    const lines = text.split('\n').length;
    for (const { line, column, message } of errors) {
      expect(line >= 1 && line <= lines + 1 && column >= 1, `${line}:${column} of ${JSON.stringify(text)}`).toBe(true);
      expect(message).toMatch(/^\P{Cc}{1,601}$/u);
    }
    return undefined;
  } finally {
    expect(isPrototypeClean()).toBe(true);
  }
}

function expectSound({ daemons }: Project): void {
  const keys = new Set(daemons.map(({ key }) => key.toLowerCase()));
  expect(keys.size).toBe(daemons.length);
  for (const { name, spec, dependsOn } of daemons) {
    checkedName(name);
    expect(spec.command.length > 0 && spec.command[0] !== '').toBe(true);
    expect([spec.cwd, ...spec.envFiles, spec.log ?? '/', spec.socket ?? '/'].every(isAbsolute)).toBe(true);
    expect([...spec.command, ...Object.values(spec.env)].every((text) => typeof text === 'string' && !text.includes('\0'))).toBe(true);
    for (const need of Object.keys(dependsOn)) expect(keys.has(need.toLowerCase())).toBe(true);
  }
}

const files = [...goodFiles, ...badFiles, ...subtleFiles.map(([text]) => text)];
const yamlBits = [
  '*a',
  '&a ',
  '<<: ',
  '? ',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '!!str ',
  '!x ',
  '|\n',
  '>-\n',
  '"',
  "'",
  '#',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '\t',
  '\r',
  '\u0085',
  '\u2028',
  '\ufeff',
  '__proto__: ',
  '~',
  'null',
];

/** A file with pieces of others, or of YAML, put in. */
const spliced = fc
  .tuple(
    fc.constantFrom(...files),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 6 }), fc.oneof(fc.constantFrom(...yamlBits), fc.string({ maxLength: 4 }))), { maxLength: 4 }),
  )
  .map(([text, splices]) =>
    splices.reduce((now, [at, cut, added]) => now.slice(0, at % (now.length + 1)) + added + now.slice((at % (now.length + 1)) + cut), text),
  );

describe('the parser of project files', () => {
  test('whatever it reads: a sound project, or errors with places', () => {
    fc.assert(
      fc.property(spliced, (text) => void read(text)),
      runs(800),
    );
  });

  test('whatever is in a JSON file: a sound project, or errors with places', () => {
    const valid = {
      project: 'shop',
      defaults: { env: { A: 1 } },
      daemons: { a: { command: 'x' }, b: { command: ['y'], depends_on: ['a'] } },
    };
    fc.assert(
      fc.property(anyContent(valid), (bytes) => void read(bytes.toString().replaceAll('\0', '0'), '/srv/shop/daemonry.json')),
      runs(400),
    );
  });

  test('any hostile value of any key: a sound project, or errors with places', () => {
    const keys = [
      'command',
      'env',
      'env_file',
      'ready',
      'stop',
      'logs',
      'health',
      'restart',
      'depends_on',
      'groups',
      'version',
      '__proto__',
      'constructor',
    ];
    for (const key of keys) {
      for (const value of hostileJson) {
        read(`{"daemons": {"a": {"command": "x", "${key}": ${value}}}}`);
        read(`{"daemons": {"a": {"command": "x"}}, "defaults": {"${key}": ${value}}, "${key}": ${value}}`);
      }
    }
  });

  test('what is plain data is the same data in YAML', () => {
    const entry = fc.record({
      command: fc.array(
        fc.string({ minLength: 1 }).filter((text) => !text.includes('\0')),
        { minLength: 1, maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), entry, { maxKeys: 4 }), (daemons) => {
        const project = read(stringify({ daemons }));
        expect(Object.fromEntries(project?.daemons.map(({ key, spec }) => [key, { command: spec.command }]) ?? [])).toEqual({ ...daemons });
      }),
      runs(300),
    );
  });
});

describe('the importers', () => {
  const source = { file: '/srv/shop/x', folder: '/srv/shop', env: { HOME: '/h' } };
  const expectRoundTrip = (imported: Parameters<typeof projectData>[0]) => {
    if (Object.keys(imported.daemons).length === 0) return;
    const text = projectYaml(projectData(imported, '/srv/shop'));
    const project = read(text);
    expect(project, text).toBeDefined();
    for (const warning of imported.warnings) expect(warning).not.toMatch(/\n/);
  };
  const word = fc.oneof(
    fc.constantFrom(
      '%(here)s',
      '%(process_num)02d',
      '%(ENV_HOME)s',
      '%',
      '$PORT',
      '"',
      "'",
      '\\',
      ';',
      ' ;',
      ',',
      '=',
      ':',
      '10',
      'true',
      'AUTO',
      '5MB',
    ),
    fc.string({ maxLength: 6 }),
  );
  const value = fc.array(word, { maxLength: 4 }).map((words) => words.join(''));

  test('whatever a Procfile holds: what is made of it is in order', () => {
    const line = fc.oneof(
      fc.tuple(fc.stringMatching(/^[A-Za-z0-9_-]{1,50}$/), value).map(([name, command]) => `${name}: ${command}`),
      value,
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) =>
        expectRoundTrip({ ...importProcfile({ ...source, text: lines.join('\n') }), folder: source.folder }),
      ),
      runs(300),
    );
  });

  test('whatever a supervisord.conf holds: what is made of it is in order', () => {
    const keys =
      'command directory environment autostart autorestart exitcodes startsecs startretries stopsignal stopwaitsecs stdout_logfile redirect_stderr stdout_logfile_maxbytes stdout_logfile_backups numprocs process_name numprocs_start user';
    const line = fc.oneof(
      fc.tuple(fc.constantFrom(...keys.split(' ')), value).map(([key, text]) => `${key}=${text}`),
      fc.tuple(fc.constantFrom('program:', 'group:', 'include', ''), value).map(([kind, name]) => `[${kind}${name}]`),
      value,
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) =>
        expectRoundTrip({
          ...importSupervisord({ ...source, text: ['[program:a]', 'command=x', ...lines].join('\n') }),
          folder: source.folder,
        }),
      ),
      runs(400),
    );
  });

  test('whatever an ecosystem file exports: what is made of it is in order', () => {
    const keys =
      'name script args interpreter interpreter_args cwd env instances exec_mode autorestart max_restarts min_uptime restart_delay kill_timeout stop_exit_codes out_file error_file log_file other';
    const any = fc.oneof(value, fc.jsonValue({ maxDepth: 2 }), fc.integer(), fc.constantFrom('max', '10s', 'none', 3, 0, -1, false, 1e300));
    const app = fc
      .tuple(value, fc.array(fc.tuple(fc.constantFrom(...keys.split(' ')), any), { maxLength: 6 }))
      .map(([script, entries]) => Object.fromEntries([['script', script], ...entries]));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(app, { maxLength: 3 }).map((apps) => ({ apps })),
          fc.jsonValue(),
        ),
        (config) => {
          const imported = importEcosystem(config);
          if (imported) expectRoundTrip({ ...imported, folder: source.folder });
        },
      ),
      runs(400),
    );
  });
});
