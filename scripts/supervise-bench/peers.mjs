// Other supervisors, each as its own manual has it, in a folder of its own. Their logs go nowhere, where they can.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { plainEnvironment } from './managers.mjs';
import { familyOf, parentOf, untilDead, waitFor } from './processes.mjs';

/** `extra`: folders that are searched before PATH. */
export function peersIn(extra) {
  const path = [...extra, ...(process.env.PATH ?? '').split(delimiter)];
  const find = (program) => path.map((folder) => join(folder, program)).find(isExecutable);
  return [pm2(find('pm2')), supervisord(find('supervisord'), find('supervisorctl')), s6(find('s6-svscan')), runit(find('runsvdir'))];
}

function pm2(file) {
  return {
    name: 'pm2',
    find: () =>
      file && `pm2 ${output(file, ['--version'], { ...plainEnvironment(), PM2_HOME: '/nonexistent', PM2_DISCRETE_MODE: 'true' })}`,
    async open(folder, programs) {
      const env = { ...plainEnvironment(), PM2_HOME: join(folder, 'pm2'), PM2_DISABLE_VERSION_CHECK: 'true' };
      const call = (...args) =>
        execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
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
      call('start', config);
      return {
        startMs: performance.now() - began,
        pids: () => [manager],
        list: () => call('list'),
        close: () => closeFamily([manager], () => call('kill')),
      };
    },
  };
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
        `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${join(folder, 'pid')}\nminfds=4096\n
[unix_http_server]\nfile=${socket}\n
[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n
[supervisorctl]\nserverurl=unix://${socket}\n\n${sections.join('\n')}`,
      );
      const manager = spawn(file, ['-c', config], { env: plainEnvironment(), stdio: 'ignore' });
      await waitFor('supervisord', () => existsSync(socket));
      const call = (verb) => execFileSync(control, ['-c', config, verb, ...(verb === 'start' ? ['all'] : [])], { env: plainEnvironment() });
      const began = performance.now();
      call('start');
      return {
        startMs: performance.now() - began,
        pids: () => [manager.pid],
        list: () => call('status'),
        close: () => closeFamily([manager.pid], () => manager.kill('SIGTERM')),
      };
    },
  };
}

function s6(file) {
  return {
    name: 's6',
    find: () => file && 's6 (no version of its own to tell)',
    open: (folder, programs) =>
      openFolderOfServices(folder, programs, {
        file,
        args: (services) => ['-c', '2000', services],
        isUp: (service) =>
          existsSync(join(service, 'supervise', 'status')) && readFileSync(join(service, 'supervise', 'status')).length > 0,
        endSignal: 'SIGTERM',
      }),
  };
}

function runit(file) {
  return {
    name: 'runit',
    find: () => file && 'runit (no version of its own to tell)',
    open: (folder, programs) =>
      openFolderOfServices(folder, programs, {
        file,
        args: (services) => ['-P', services],
        isUp: (service) => Number(readIfThere(join(service, 'supervise', 'pid'))) > 0,
        endSignal: 'SIGHUP',
      }),
  };
}

/** One manager for all, and a small one for each: what is resident are all of them. */
async function openFolderOfServices(folder, programs, { file, args, isUp, endSignal }) {
  const services = join(folder, 'services');
  mkdirSync(services);
  writeRunScripts(services, programs);
  const began = performance.now();
  const manager = spawn(file, args(services), { env: plainEnvironment(), stdio: 'ignore' });
  await waitFor('all services', () => programs.every(({ name }) => isUp(join(services, name))));
  const startMs = performance.now() - began;
  const keepers = () => [manager.pid, ...familyOf([manager.pid]).filter((pid) => parentOf(pid) === manager.pid)];
  return { startMs, pids: keepers, close: () => closeFamily([manager.pid], () => manager.kill(endSignal)) };
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
  const family = familyOf(managers).reverse();
  ask();
  const impatience = performance.now() + 10_000;
  for (const pid of family.reverse()) {
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

function output(file, args, env) {
  return execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .split('\n')
    .at(-1);
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
