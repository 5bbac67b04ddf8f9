import { extname } from 'node:path';
import { parseDuration } from '../../../domain/quantity.js';
import { splitCommand } from '../../../domain/split-command.js';
import { isPlainMap } from '../located-yaml.js';
import { durationText, ImportedDaemons, type ImportedEntry, type ImportedProject, isText } from './imported-project.js';

const mostInstances = 100;
const interpreters: Readonly<Record<string, string>> = {
  '.js': 'node',
  '.cjs': 'node',
  '.mjs': 'node',
  '.ts': 'bun',
  '.tsx': 'bun',
  '.py': 'python3',
  '.rb': 'ruby',
  '.php': 'php',
  '.pl': 'perl',
  '.sh': 'bash',
};
/** Its own default, which node programs expect. */
const stopSignal = 'SIGINT';
/** Told in what is made of them, or of no consequence here. */
const known = new Set(
  (
    'name script args interpreter exec_interpreter interpreter_args node_args cwd env instances exec_mode autorestart max_restarts ' +
    'min_uptime restart_delay exp_backoff_restart_delay kill_timeout stop_exit_codes out_file error_file log_file output error log ' +
    'merge_logs combine_logs time log_date_format namespace version vizion pmx automation'
  ).split(' '),
);

/** The `apps` of pm2's `ecosystem.config.js`, as plain data. `undefined` where there are none. */
export function importEcosystem(config: unknown): ImportedProject | undefined {
  const apps = isPlainMap(config) ? config.apps : config;
  const list = Array.isArray(apps) ? apps : isPlainMap(apps) ? [apps] : [];
  const found = list.filter((app): app is Record<string, unknown> => isPlainMap(app) && isText(app.script) && app.script !== '');
  if (found.length === 0) return undefined;
  const imported = new ImportedDaemons();
  for (const app of found) importApp(imported, app);
  if (found.length < list.length) imported.warn(`${list.length - found.length} of the apps have no script, and are left out`);
  return imported;
}

function importApp(imported: ImportedDaemons, app: Record<string, unknown>): void {
  const name = isText(app.name) && app.name !== '' ? app.name : nameOfScript(app.script as string);
  const warn = (text: string) => imported.warn(`${name}: ${text}`);
  for (const key of Object.keys(app)) {
    if (!known.has(key)) warn(`${key} is left out: ${key.startsWith('env_') ? 'only env is taken over' : 'it has no counterpart here'}`);
  }
  const count = instancesOf(app, warn);
  for (let index = 0; index < count; index++) {
    const env = { ...environment(app, warn), ...(count > 1 ? { NODE_APP_INSTANCE: index } : {}) };
    imported.add(count === 1 ? name : `${name}-${index}`, {
      command: commandOf(app, warn),
      cwd: isText(app.cwd) && app.cwd !== '' ? app.cwd : undefined,
      env: Object.keys(env).length === 0 ? undefined : env,
      stop: { signal: stopSignal, ...optional('grace', milliseconds(app.kill_timeout)) },
      restart: restartOf(app),
      log: logOf(app, warn),
    });
  }
}

function nameOfScript(script: string): string {
  return script.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '') || 'app';
}

function commandOf(app: Record<string, unknown>, warn: (text: string) => void): readonly string[] {
  const script = app.script as string;
  const given = app.interpreter ?? app.exec_interpreter;
  const interpreter = isText(given) && given !== '' ? given : interpreters[extname(script)];
  const before =
    interpreter === undefined || interpreter === 'none' ? [] : [interpreter, ...words(app.interpreter_args ?? app.node_args, warn)];
  return [...before, ...(before.length === 0 && / /.test(script) ? words(script, warn) : [script]), ...words(app.args, warn)];
}

/** A list, or a text that pm2 splits without a shell. */
function words(given: unknown, warn: (text: string) => void): readonly string[] {
  if (Array.isArray(given))
    return given.filter((one) => ['string', 'number', 'boolean'].includes(typeof one)).map((one) => String(one).replaceAll('\0', ''));
  if (!isText(given) || given.trim() === '') return [];
  const split = splitCommand(given, { literal: true });
  if (typeof split !== 'string') return split;
  warn(`${JSON.stringify(given)} can't be split: ${split}`);
  return [given];
}

function instancesOf({ instances, exec_mode }: Record<string, unknown>, warn: (text: string) => void): number {
  const asked = instances === undefined ? 1 : Number(instances);
  if (exec_mode === 'cluster' || exec_mode === 'cluster_mode' || asked > 1)
    warn('its instances share no port here: each is a daemon of its own');
  if (Number.isInteger(asked) && asked >= 1 && asked <= mostInstances) return asked;
  warn(`instances ${JSON.stringify(instances)} is taken for 1`);
  return 1;
}

function environment({ env }: Record<string, unknown>, warn: (text: string) => void): ImportedEntry {
  if (!isPlainMap(env)) return {};
  const isGood = ([name, value]: [string, unknown]) =>
    name !== '' && name !== '__proto__' && !/[=\0]/.test(name) && (isText(value) || typeof value === 'boolean' || Number.isFinite(value));
  const entries = Object.entries(env);
  const left = entries.filter((entry) => !isGood(entry)).map(([name]) => name);
  if (left.length > 0) warn(`of env, ${left.join(', ')} is left out: a variable takes a text`);
  return Object.fromEntries(entries.filter(isGood));
}

function restartOf(app: Record<string, unknown>): unknown {
  if (app.autorestart === false) return 'never';
  const codes = [app.stop_exit_codes]
    .flat()
    .filter((code): code is number => Number.isInteger(code) && (code as number) >= 0 && (code as number) <= 255);
  const limit = Number(app.max_restarts);
  const more = {
    ...optional('delay', milliseconds(app.restart_delay ?? app.exp_backoff_restart_delay)),
    ...optional('limit', Number.isInteger(limit) && limit >= 0 ? Math.min(limit, 1_000) : undefined),
    ...optional('stable_after', milliseconds(app.min_uptime)),
    ...optional('success_codes', codes.length > 0 ? codes : undefined),
  };
  const policy = codes.length > 0 ? 'on-failure' : 'always';
  return Object.keys(more).length === 0 ? policy : { policy, ...more };
}

function logOf(app: Record<string, unknown>, warn: (text: string) => void): string | undefined {
  const [out, error, both] = [app.out_file ?? app.output, app.error_file ?? app.error, app.log_file ?? app.log];
  const file = both ?? out ?? error;
  if (!isText(file) || file === '' || file === 'NULL' || file.startsWith('/dev/')) return undefined;
  if (both === undefined && out !== error) warn(`what it writes to stdout and stderr goes to ${file} together`);
  return file;
}

/** A number of milliseconds, or a text such as 10s. */
function milliseconds(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return durationText(value);
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,9}$/.test(value)) return durationText(Number(value));
  return parseDuration(value) === undefined ? undefined : value;
}

function optional(key: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [key]: value };
}
