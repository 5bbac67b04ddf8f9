import { exitCodeGivenUp, type ServiceEntry } from '../../domain/autostart-installer.js';
import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import { isSystemdProgram, systemdArgument, systemdMs, systemdPath, systemdWord } from './systemd-words.js';

export interface UnitOptions {
  /** Whether there is a `systemd-notify` by which it can say that it is ready. */
  readonly canNotify: boolean;
}

/** The unit that is installed: it runs our own supervisor of this one service, which says when all is ready. */
export function serviceUnit(entry: ServiceEntry, { canNotify }: UnitOptions): string {
  const { description, command, startTimeoutMs, stopTimeoutMs, restartLimit, restartWindowMs } = entry;
  return unit([
    '# Written by daemonry: autostart enable writes it anew, autostart disable takes it away.',
    '[Unit]',
    `Description=${line(description)}`,
    restartLimit === 0 ? 'StartLimitIntervalSec=0' : `StartLimitIntervalSec=${systemdMs(restartWindowMs)}`,
    ...(restartLimit === 0 ? [] : [`StartLimitBurst=${restartLimit}`]),
    '',
    '[Service]',
    ...(canNotify ? ['Type=notify', 'NotifyAccess=all'] : ['Type=exec']),
    `ExecStart=${execLine(command)}`,
    'Restart=on-failure',
    'RestartSec=1s',
    `RestartPreventExitStatus=${exitCodeGivenUp}`,
    `TimeoutStartSec=${systemdMs(startTimeoutMs)}`,
    `TimeoutStopSec=${systemdMs(stopTimeoutMs)}`,
    // It ends its daemons by their own rules; what is left after that is killed.
    'KillMode=mixed',
    '',
    '[Install]',
    'WantedBy=default.target',
  ]);
}

/** The same daemon without us: what its spec says, in the words of systemd. */
export function exportedUnit({ name, command, spec }: ServiceCommand): ServiceText {
  const warnings: string[] = [];
  const files = spec.envFiles.flatMap((file) => {
    const path = systemdPath(file);
    // A pattern, to systemd.
    if (path !== undefined && !/[*?[\\]/.test(path)) return `EnvironmentFile=${path}`;
    warnings.push(`systemd can't name the environment file ${JSON.stringify(file)}: it is left out`);
    return [];
  });
  const variables = Object.entries(spec.env).flatMap(([variable, value]) => {
    if (/^[A-Za-z_]\w*$/.test(variable) && !/[^\P{Cc}\t\n]/u.test(value)) return `Environment=${systemdWord(`${variable}=${value}`)}`;
    warnings.push(`systemd can't set the variable ${JSON.stringify(variable)}: it is left out`);
    return [];
  });
  const folder = systemdPath(spec.cwd);
  if (spec.ready.kind !== 'exec') warnings.push('systemd does not look at readiness: the unit counts as started once its program runs');
  if (spec.health) warnings.push('systemd asks for no health: restarts are for failures only');
  const text = unit([
    '[Unit]',
    `Description=${line(name)}`,
    ...(spec.restart === 'never' || spec.restartLimit === 0
      ? []
      : [`StartLimitIntervalSec=${systemdMs(spec.restartWindowMs)}`, `StartLimitBurst=${spec.restartLimit}`]),
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${execLine(folder === undefined ? fromFolder(spec.cwd, command) : command)}`,
    ...(folder === undefined ? [] : [`WorkingDirectory=${folder}`]),
    ...files,
    ...variables,
    `Restart=${{ never: 'no', 'on-failure': 'on-failure', always: 'always' }[spec.restart]}`,
    ...(spec.restart === 'never' ? [] : [`RestartSec=${systemdMs(Math.max(spec.restartDelayMs, 100))}`]),
    ...(spec.successCodes.some((code) => code !== 0) ? [`SuccessExitStatus=${spec.successCodes.join(' ')}`] : []),
    `KillSignal=${spec.stopSignal}`,
    `TimeoutStopSec=${systemdMs(spec.graceMs)}`,
    'KillMode=mixed',
    '',
    '[Install]',
    'WantedBy=default.target',
  ]);
  return { text, warnings };
}

function execLine(command: readonly string[]): string {
  const [program = '', ...args] = isSystemdProgram(command[0] ?? '') ? command : ['/bin/sh', '-c', 'exec "$0" "$@"', ...command];
  return [systemdWord(program), ...args.map(systemdArgument)].join(' ');
}

/** For a folder that `WorkingDirectory=` can't name. */
function fromFolder(cwd: string, command: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', 'cd -- "$0" && exec "$@"', cwd, ...command];
}

/** A description is for people: what would end its line, or begin a specifier, is made harmless. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\\]/gu, '?').replaceAll('%', '%%');
}

function unit(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
