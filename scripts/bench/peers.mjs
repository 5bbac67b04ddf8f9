// Other managers, each as its own manual has it, in a folder of its own. Their logs go nowhere, where they can.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { familyOf, parentOf, untilDead, waitFor } from './processes.mjs';
import { plainEnvironment } from './stage.mjs';

/** Managers that keep programs running. `extra`: folders that are searched before PATH. */
export function peersIn(extra) {
  // Some start their own helpers by name.
  process.env.PATH = [...extra, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].join(delimiter);
  return [
    pm2(find('pm2')),
    supervisord(find('supervisord'), find('supervisorctl')),
    s6(find('s6-svscan'), find('s6-svc'), find('s6-svstat')),
    runit(find('runsvdir'), find('sv')),
  ];
}

/** Command lines that start programs, and keep nothing running. After `peersIn`. */
export function startersIn() {
  return [startStopDaemon(find('start-stop-daemon')), daemonize(find('daemonize'))];
}

function find(program) {
  return process.env.PATH.split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

function pm2(file) {
  return {
    name: 'pm2',
    startsAnew: true,
    // Asked for its version, it starts its manager.
    find: () => file && `pm2 ${JSON.parse(readFileSync(join(dirname(realpathSync(file)), '..', 'package.json'), 'utf8')).version}`,
    /** Whoever comes first starts its manager, too. */
    openCold(folder) {
      const { call, line } = pm2Of(file, folder);
      return { startAnew: line.startAnew, close: () => call('kill') };
    },
    async open(folder, programs) {
      const { env, call, line } = pm2Of(file, folder);
      const apps = programs.map(({ name, command: [script, ...args] }) => ({
        name,
        script,
        args,
        interpreter: 'none',
        max_restarts: 1_000_000,
        out_file: '/dev/null',
        error_file: '/dev/null',
      }));
      const config = join(folder, 'ecosystem.config.json');
      writeFileSync(config, JSON.stringify({ apps }));
      call('ping');
      const manager = Number(readFileSync(join(env.PM2_HOME, 'pm2.pid'), 'utf8'));
      const began = performance.now();
      if (programs.length > 0) call('start', config);
      return {
        startMs: performance.now() - began,
        pids: () => [manager],
        list: line('list'),
        stopAll: line('stop', 'all'),
        start: (name) => line('start', config, '--only', name),
        status: (name) => line('describe', name),
        stop: (name) => line('stop', name),
        startAnew: line.startAnew,
        close: () => closeFamily([manager], () => call('kill')),
      };
    },
  };
}

function pm2Of(file, folder) {
  const own = { PM2_HOME: join(folder, 'pm2'), PM2_DISABLE_VERSION_CHECK: 'true' };
  const env = { ...plainEnvironment(), ...own };
  const call = (...args) => execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
  // Its environment is part of each command line, so that all can be timed alike.
  const line = (...args) => ['/usr/bin/env', ...Object.entries(own).map((pair) => pair.join('=')), file, ...args];
  line.startAnew = ([script, ...args]) => line('start', script, '--name', 'raced', '--interpreter', 'none', '--', ...args);
  return { env, call, line };
}

function supervisord(file, control) {
  return {
    name: 'supervisord',
    find: () => file && control && `supervisord ${output(file, ['--version'], plainEnvironment())}`,
    async open(folder, programs) {
      const config = join(folder, 'supervisord.conf');
      const socket = join(folder, 'control');
      const sections = programs.map(({ name, command }) => {
        const [shell] = writeRunScripts(folder, [{ name, command }]);
        return `[program:${name}]\ncommand=${shell}\nautostart=false\nautorestart=true\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n`;
      });
      writeFileSync(
        config,
        `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${join(folder, 'pid')}\nminfds=8192\nminprocs=200\n
[unix_http_server]\nfile=${socket}\n
[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n
[supervisorctl]\nserverurl=unix://${socket}\n\n${sections.join('\n')}`,
      );
      const manager = spawn(file, ['-c', config], { env: plainEnvironment(), stdio: 'ignore' });
      await waitFor('supervisord', () => existsSync(socket));
      const line = (...args) => [control, '-c', config, ...args];
      const began = performance.now();
      if (programs.length > 0) execFileSync(control, ['-c', config, 'start', 'all'], { env: plainEnvironment(), maxBuffer: 2 ** 28 });
      return {
        startMs: performance.now() - began,
        pids: () => [manager.pid],
        list: line('status'),
        stopAll: line('stop', 'all'),
        start: (name) => line('start', name),
        status: (name) => line('status', name),
        stop: (name) => line('stop', name),
        close: () => closeFamily([manager.pid], () => manager.kill('SIGTERM')),
      };
    },
  };
}

function s6(file, control, tell) {
  return {
    name: 's6',
    find: () => file && control && tell && 's6 (tells no version of its own)',
    open: (folder, programs) =>
      openFolderOfServices(folder, programs, {
        file,
        args: (services) => ['-c', '2000', services],
        isUp: (service) =>
          existsSync(join(service, 'supervise', 'status')) && readFileSync(join(service, 'supervise', 'status')).length > 0,
        endSignal: 'SIGTERM',
        lines: (service) => ({
          start: (name) => [control, '-wu', '-T', '10000', '-u', service(name)],
          status: (name) => [tell, service(name)],
          stop: (name) => [control, '-wd', '-T', '10000', '-d', service(name)],
        }),
      }),
  };
}

function runit(file, control) {
  return {
    name: 'runit',
    find: () => file && control && 'runit (tells no version of its own)',
    open: (folder, programs) =>
      openFolderOfServices(folder, programs, {
        file,
        args: (services) => ['-P', services],
        isUp: (service) => Number(readIfThere(join(service, 'supervise', 'pid'))) > 0,
        endSignal: 'SIGHUP',
        lines: (service, services) => ({
          list: [control, 'status', ...services],
          stopAll: [control, 'stop', ...services],
          start: (name) => [control, 'start', service(name)],
          status: (name) => [control, 'status', service(name)],
          stop: (name) => [control, 'stop', service(name)],
        }),
      }),
  };
}

/** One manager for all, and a small one for each: what is resident are all of them. */
async function openFolderOfServices(folder, programs, { file, args, isUp, endSignal, lines }) {
  const services = join(folder, 'services');
  mkdirSync(services);
  const began = performance.now();
  writeRunScripts(services, programs);
  const service = (name) => join(services, name);
  const manager = spawn(file, args(services), { env: plainEnvironment(), stdio: 'ignore' });
  await waitFor('all services', () => programs.every(({ name }) => isUp(service(name))));
  const startMs = performance.now() - began;
  const keepers = () => [manager.pid, ...familyOf([manager.pid]).filter((pid) => parentOf(pid) === manager.pid)];
  return {
    startMs,
    pids: keepers,
    ...lines(
      service,
      programs.map(({ name }) => service(name)),
    ),
    close: () => closeFamily([manager.pid], () => manager.kill(endSignal)),
  };
}

function startStopDaemon(file) {
  return {
    name: 'start-stop-daemon',
    find: () => file && output(file, ['--version'], plainEnvironment(), 0),
    open(
      folder,
      [
        {
          command: [program, ...args],
        },
      ],
    ) {
      const pidFile = join(folder, 'pid');
      const line = (...own) => [file, '--quiet', '--pidfile', pidFile, ...own];
      const start = line('--start', '--oknodo', '--background', '--make-pidfile', '--exec', program, '--', ...args);
      return {
        start: () => start,
        status: () => line('--status'),
        stop: () => line('--stop', '--retry', '5', '--remove-pidfile'),
      };
    },
  };
}

function daemonize(file) {
  return {
    name: 'daemonize',
    find: () => file && 'daemonize (tells no version where it succeeds)',
    open(folder, [{ command }]) {
      const pidFile = join(folder, 'pid');
      const own = ['-p', pidFile, '-l', join(folder, 'lock')];
      return {
        start: () => [file, ...own, ...command],
        // It has no verb for that, and what it has started holds its lock.
        async end() {
          const pid = Number(await waitFor('its pid file', () => readIfThere(pidFile)));
          process.kill(pid, 'SIGKILL');
          await untilDead(pid);
          rmSync(pidFile);
        },
      };
    },
  };
}

/** A folder for each, with the program as `run`. */
function writeRunScripts(folder, programs) {
  return programs.map(({ name, command }) => {
    const script = join(folder, name, 'run');
    mkdirSync(join(folder, name));
    writeFileSync(script, `#!/bin/sh\nexec ${command.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ')}\n`, { mode: 0o755 });
    return script;
  });
}

/** Asks the manager to end all; whoever is left after that is killed by pid. */
async function closeFamily(managers, ask) {
  const family = familyOf(managers);
  ask();
  const impatience = performance.now() + 10_000;
  for (const pid of family) {
    try {
      while (performance.now() < impatience) {
        process.kill(pid, 0);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone.
    }
    await untilDead(pid);
  }
}

function output(file, args, env, line = -1) {
  return execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .split('\n')
    .at(line);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
