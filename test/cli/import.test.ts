import { existsSync, readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import { isAlive, untilDead } from '../support/processes.js';
import { commandLine } from '../support/suite.js';
import { type AnyJson, type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

/** What is made of a file. What is printed must be the same in YAML and JSON, and pass `validate`. */
async function imported(home: TemporaryHome, name: string, text: string, env: Record<string, string> = {}) {
  home.file(name, text);
  const { exitCode, json, stderr } = await home.cli(['import', name, '--json'], { env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const printed = await home.cli(['import', name], { env });
  expect(parse(printed.stdout)).toEqual(json.project);
  home.file('daemonry.yaml', printed.stdout);
  const valid = await home.cli(['validate', '--json']);
  expect(valid.json).toMatchObject({ valid: true, daemons: { length: Object.keys(json.project.daemons).length } });
  expect(printed.stderr.split('\n').length - 1).toBe(json.warnings.length);
  return json as { project: AnyJson; warnings: readonly string[] };
}

describe.concurrent('import of a Procfile', () => {
  test('takes commands over, through a shell only where they need one', async ({ home }) => {
    home.file('.env', 'A=1\n');
    const { project, warnings } = await imported(
      home,
      'Procfile',
      '# comment\nweb: node server.js --name "a b"\n\nworker: bundle exec x -p $PORT | tee log\r\nwhat is this\n',
    );
    expect(project.daemons).toEqual({
      web: { command: ['node', 'server.js', '--name', 'a b'], env_file: '.env' },
      worker: { command: ['sh', '-c', 'bundle exec x -p $PORT | tee log'], env_file: '.env', env: { PORT: 5100 } },
    });
    expect(warnings).toEqual(['worker uses $PORT, which is set to 5100 as foreman would', 'line 5 is left out: it is not name: command']);
  });
});

describe.concurrent("import of pm2's ecosystem file", () => {
  const apps = `[
    { name: 'api', script: './api.js', args: 'a "b c"', node_args: '--inspect', cwd: './srv', env: { PORT: 3000, DEBUG: true, NONE: null },
      max_restarts: 5, min_uptime: '10s', restart_delay: 1500, kill_timeout: 3000, watch: true, env_production: { A: 1 } },
    { script: 'work.py', instances: 2, autorestart: false, out_file: 'out.log', error_file: 'err.log' },
    { name: 'bin', script: '/usr/bin/thing', args: ['x', 1], interpreter: 'none', stop_exit_codes: [0, 3] },
    { name: 'nothing' },
  ]`;

  test('runs it, takes over what has a counterpart, and names the rest', async ({ home }) => {
    const text = `console.log('noise'); console.error('noise'); process.stdout.write('x');\nmodule.exports = { apps: ${apps} };\n`;
    const { project, warnings } = await imported(home, 'ecosystem.config.js', text);
    const stop = { signal: 'SIGINT' };
    expect(project.daemons).toEqual({
      api: {
        command: ['node', '--inspect', './api.js', 'a', 'b c'],
        cwd: './srv',
        env: { PORT: 3000, DEBUG: true },
        stop: { signal: 'SIGINT', grace: '3s' },
        restart: { policy: 'always', delay: '1500ms', limit: 5, stable_after: '10s' },
      },
      'work-0': { command: ['python3', 'work.py'], env: { NODE_APP_INSTANCE: 0 }, stop, restart: 'never', log: 'out.log' },
      'work-1': { command: ['python3', 'work.py'], env: { NODE_APP_INSTANCE: 1 }, stop, restart: 'never', log: 'out.log' },
      bin: { command: ['/usr/bin/thing', 'x', '1'], stop, restart: { policy: 'on-failure', success_codes: [0, 3] } },
    });
    expect(warnings).toEqual([
      'api: watch is left out: it has no counterpart here',
      'api: env_production is left out: only env is taken over',
      'api: of env, NONE is left out: a variable takes a text',
      'work: its instances share no port here: each is a daemon of its own',
      'work: what it writes to stdout and stderr goes to out.log together',
      '1 of the apps have no script, and are left out',
    ]);
  });

  test('reads it as JSON or as a module, too', async ({ home }) => {
    const app = { name: 'a', script: 'a.js' };
    const expected = { a: { command: ['node', 'a.js'], stop: { signal: 'SIGINT' }, restart: 'always' } };
    expect((await imported(home, 'ecosystem.json', JSON.stringify({ apps: [app] }))).project.daemons).toEqual(expected);
    expect((await imported(home, 'ecosystem.config.mjs', `export default { apps: [${JSON.stringify(app)}] };`)).project.daemons).toEqual(
      expected,
    );
    expect((await imported(home, 'ecosystem.config.cjs', `exports.apps = ${JSON.stringify(app)};`)).project.daemons).toEqual(expected);
  });

  test.for([
    ['throws', "throw new Error('boom\\nmore');", "can't be run: boom"],
    ['is no JavaScript', 'module.exports = {', "can't be run: "],
    ['ends', 'process.exit(3);', "can't be run: it ended before it had exported anything"],
    ['exports what can not be written', 'const a = {}; a.a = a; module.exports = a;', "can't be run: Converting circular structure"],
    ['exports nothing', 'module.exports = {};', 'names nothing to run'],
  ] as const)('of one that %s is one clear line', async ([, text, why], { home }) => {
    home.file('ecosystem.config.cjs', text);
    const end = await home.cli(['import', 'ecosystem.config.cjs']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toMatch(/^daemonry: .*\n$/);
    expect(end.stderr).toContain(why);
  });

  test('ends one that does not end, with what it has started, when it is interrupted', async ({ home }) => {
    home.file(
      'ecosystem.config.cjs',
      "const { pid } = require('child_process').spawn('sleep', ['1000']); require('fs').writeFileSync('pids', process.pid + ' ' + pid); for (;;);",
    );
    const program = home.spawnCli(['import', 'ecosystem.config.cjs']);
    const pids = () => (existsSync(home.file('pids')) ? readFileSync(home.file('pids'), 'utf8').split(' ').map(Number) : []);
    await waitFor('its start', () => pids().length === 2 && pids().every(isAlive));
    program.kill('SIGINT');
    expect(await program.end()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('interrupted') });
    for (const pid of pids()) await untilDead(pid);
  });

  test('ends it also when that comes while it is just being started', async ({ home }) => {
    home.file(
      'ecosystem.config.cjs',
      "const fs = require('fs'); fs.writeFileSync('part', String(process.pid)); fs.renameSync('part', 'pid'); for (;;);",
    );
    // The Ctrl-C comes before the call has returned that starts it, which takes long on a busy machine.
    const preload = home.file(
      'interrupts.cjs',
      `const [processes, { existsSync }] = [require('node:child_process'), require('node:fs')];
      const { spawn } = processes;
      processes.spawn = (...args) => {
        const child = spawn(...args);
        while (!existsSync('pid'));
        process.kill(process.pid, 'SIGINT');
        return child;
      };`,
    );
    const end = await home.spawn(process.execPath, ['--require', preload, '--', commandLine, 'import', 'ecosystem.config.cjs']).end();
    await untilDead(Number(readFileSync(home.file('pid'), 'utf8')));
    expect(end).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('interrupted') });
  });
});

describe.concurrent('import of a supervisord.conf', () => {
  const conf = `[supervisord]
logfile=/tmp/x
; a comment
[program:web]
command=%(here)s/bin/web --name "a b" --cost $5 %(ENV_TIER)s ; inline
directory=/srv
environment=A="1,2",B='x',C=plain
autorestart=true
startretries=4
stopsignal=QUIT
stopwaitsecs=30
stdout_logfile=/var/log/web.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=3
redirect_stderr=true
user=www

[program:work]
command=work --port=80%(process_num)02d
process_name=%(program_name)s_%(process_num)02d
numprocs=2
autorestart=unexpected
exitcodes=0,2
stdout_logfile=NONE

[program:once]
command=
  once
  --now
autorestart=false

[eventlistener:x]
command=y

[group:front]
programs=web,once
`;

  test('takes over what has a counterpart, and names the rest', async ({ home }) => {
    const { project, warnings } = await imported(home, 'supervisord.conf', conf, { TIER: 'gold' });
    expect(project.daemons).toEqual({
      web: {
        command: [`${home.folder}/bin/web`, '--name', 'a b', '--cost', '$5', 'gold'],
        cwd: '/srv',
        env: { A: '1,2', B: 'x', C: 'plain' },
        restart: { policy: 'always', limit: 4 },
        stop: { signal: 'SIGQUIT', grace: '30s' },
        log: '/var/log/web.log',
        logs: { max_size: '5MB', keep: 3 },
        groups: ['front'],
      },
      work_00: { command: ['work', '--port=8000'], restart: { policy: 'on-failure', success_codes: [0, 2] } },
      work_01: { command: ['work', '--port=8001'], restart: { policy: 'on-failure', success_codes: [0, 2] } },
      once: { command: ['once', '--now'], restart: 'never', groups: ['front'] },
    });
    expect(warnings).toEqual([
      'web: command uses %(ENV_TIER)s, whose present value is written down',
      'web: user is left out: it has no counterpart here',
      'work: stdout_logfile NONE is left out: it has a log of its own',
      '[eventlistener:x] is left out: it has no counterpart here',
    ]);
  });
});

describe.concurrent('import', () => {
  test('writes a file where it is asked to, and never over another one unless forced', async ({ home }) => {
    home.file('Procfile', 'web: sleep 1000\n');
    home.file('sub/x', '');
    const first = await home.cli(['import', 'Procfile', '--output', 'sub/daemonry.yaml']);
    expect(first).toMatchObject({ exitCode: 0, stdout: `${home.file('sub/daemonry.yaml')} written: 1 daemon\n` });
    expect(parse(readFileSync(home.file('sub/daemonry.yaml'), 'utf8'))).toEqual({
      daemons: { web: { command: ['sleep', '1000'], cwd: '..' } },
    });
    home.file('Procfile', 'web: sleep 2000\n');
    const again = await home.cli(['import', 'Procfile', '--output', 'sub/daemonry.yaml']);
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is there already; --force writes over it') });
    expect(readFileSync(home.file('sub/daemonry.yaml'), 'utf8')).toContain('1000');
    await home.cli(['import', 'Procfile', '--output', 'sub/daemonry.yaml', '--force']);
    expect(readFileSync(home.file('sub/daemonry.yaml'), 'utf8')).toContain('2000');
    const up = await home.cli(['up', '--json', '--file', 'sub/daemonry.yaml']);
    expect(up.json.results).toMatchObject([{ name: 'sub.web', outcome: 'started' }]);
  });

  test('says in its help that it runs a configuration in JavaScript', async ({ home }) => {
    expect((await home.cli(['import', '--help'])).stdout).toContain('ecosystem.config.js (which it runs)');
    expect((await home.cli(['import'])).exitCode).toBe(2);
  });

  test('of what it does not know is one clear line', async ({ home }) => {
    home.file('Makefile', 'all:\n');
    const end = await home.cli(['import', 'Makefile']);
    expect(end).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('it is to be a Procfile, an ecosystem.config.js'),
    });
    expect((await home.cli(['import', 'nope.conf'])).exitCode).toBe(1);
    home.file('empty.conf', '[supervisord]\n');
    expect((await home.cli(['import', 'empty.conf'])).stderr).toContain('names nothing to run');
  });
});
