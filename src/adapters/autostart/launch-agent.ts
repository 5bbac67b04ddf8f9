import type { ServiceEntry } from '../../domain/autostart-installer.js';
import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import { xmlText } from './xml-text.js';

type PlistValue = string | number | boolean | readonly string[] | { readonly [key: string]: PlistValue };

/** How long launchd waits at least between two starts. */
const throttleSeconds = 10;

/** The agent that is installed: it runs our own supervisor of this one service. */
export function serviceAgent(entry: ServiceEntry, log: string): string {
  return plist({
    Label: entry.id,
    ProgramArguments: entry.command,
    RunAtLoad: true,
    // An end that it chose itself, as after a stop, is the end.
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: throttleSeconds,
    ExitTimeOut: Math.ceil(entry.stopTimeoutMs / 1_000),
    ProcessType: 'Background',
    StandardOutPath: log,
    StandardErrorPath: log,
  });
}

/** The same daemon without us: what its spec says, in the words of launchd. */
export function exportedAgent({ id, command, spec, log }: ServiceCommand): ServiceText {
  const warnings = [
    ...spec.envFiles.map((file) => `launchd reads no environment files: ${JSON.stringify(file)} is left out`),
    ...(spec.stopSignal === 'SIGTERM' ? [] : [`launchd ends it by SIGTERM, not by ${spec.stopSignal}`]),
    ...(spec.ready.kind === 'exec' ? [] : ['launchd does not look at readiness']),
    ...(spec.health ? ['launchd asks for no health: restarts are for failures only'] : []),
  ];
  const text = plist({
    Label: id,
    ProgramArguments: command,
    WorkingDirectory: spec.cwd,
    ...(Object.keys(spec.env).length > 0 ? { EnvironmentVariables: spec.env } : {}),
    RunAtLoad: true,
    KeepAlive: { never: false, 'on-failure': { SuccessfulExit: false }, always: true }[spec.restart],
    ExitTimeOut: Math.ceil(spec.graceMs / 1_000),
    ProcessType: 'Background',
    StandardOutPath: log,
    StandardErrorPath: log,
  });
  return { text, warnings };
}

function plist(value: PlistValue): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    ...element(value, ''),
    '</plist>',
    '',
  ].join('\n');
}

function element(value: PlistValue, indent: string): readonly string[] {
  const deeper = `${indent}  `;
  if (typeof value === 'boolean') return [`${indent}<${value}/>`];
  if (typeof value === 'number') return [`${indent}<integer>${value}</integer>`];
  if (typeof value === 'string') return [`${indent}<string>${xmlText(value)}</string>`];
  if (Array.isArray(value)) return [`${indent}<array>`, ...value.flatMap((one) => element(one, deeper)), `${indent}</array>`];
  const entries = Object.entries(value).flatMap(([key, one]) => [`${deeper}<key>${xmlText(key)}</key>`, ...element(one, deeper)]);
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`];
}
