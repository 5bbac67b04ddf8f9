import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import { xmlText } from '../autostart/xml-text.js';
import { quoteArgument } from './command-line.js';

/**
 * The configuration of WinSW, which makes a real service of any program: https://github.com/winsw/winsw. No package of npm's
 * has a WinSW that is younger than 2016, so that the program itself has to be had from there.
 */
export function exportedWinsw({ id, name, command, spec }: ServiceCommand): ServiceText {
  const [program = '', ...args] = command;
  const warnings = [
    ...spec.envFiles.map((file) => `WinSW reads no environment files: ${JSON.stringify(file)} is left out`),
    ...(spec.ready.kind === 'exec' ? [] : ['WinSW does not look at readiness']),
    ...(spec.health ? ['WinSW asks for no health: restarts are for failures only'] : []),
    // There is no way to write that sign otherwise.
    ...([...command, spec.cwd].some(namesVariable) ? ['WinSW puts in variables between signs of percent, where it has such ones'] : []),
  ];
  const text = [
    '<service>',
    `  <id>${xmlText(id)}</id>`,
    `  <name>${xmlText(name)}</name>`,
    `  <description>${xmlText(name)}</description>`,
    `  <executable>${xmlText(program)}</executable>`,
    ...(args.length === 0 ? [] : [`  <arguments>${xmlText(args.map(quoteArgument).join(' '))}</arguments>`]),
    `  <workingdirectory>${xmlText(spec.cwd)}</workingdirectory>`,
    ...Object.entries(spec.env).map(([variable, value]) => `  <env name="${xmlText(variable)}" value="${xmlText(value)}"/>`),
    ...(spec.restart === 'never'
      ? []
      : [`  <onfailure action="restart" delay="${Math.max(1, Math.ceil(spec.restartDelayMs / 1_000))} sec"/>`]),
    `  <stoptimeout>${Math.ceil(spec.graceMs / 1_000)} sec</stoptimeout>`,
    '  <startmode>Automatic</startmode>',
    '  <log mode="roll-by-size"/>',
    '</service>',
    '',
  ].join('\n');
  return { text, warnings };
}

export function namesVariable(text: string): boolean {
  return /%[^%]+%/.test(text);
}
