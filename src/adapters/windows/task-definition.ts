import type { ServiceEntry } from '../../domain/autostart-installer.js';
import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import { xmlText } from '../autostart/xml-text.js';
import { quoteArgument } from './command-line.js';
import { namesVariable } from './winsw-config.js';

/**
 * A task of the Task Scheduler that runs when its user logs in, with the rights that he has then: none of it needs elevation.
 * No encoding is declared: UTF-8 where it is printed, UTF-16 with its mark where it is handed to schtasks.
 */
export function serviceTask(entry: ServiceEntry, user: string): string {
  return task({ ...entry, user, restarts: entry.restartLimit });
}

/** The same daemon without us. */
export function exportedTask({ name, command, spec }: ServiceCommand, user: string): ServiceText {
  const variables = Object.keys(spec.env).length > 0 || spec.envFiles.length > 0;
  const warnings = [
    ...(variables ? ['a task has no variables of its own: they are left out'] : []),
    ...(spec.ready.kind === 'exec' ? [] : ['the Task Scheduler does not look at readiness']),
    ...(spec.health ? ['the Task Scheduler asks for no health: restarts are for failures only'] : []),
    ...(command.some(namesVariable) ? ['the Task Scheduler puts in variables between signs of percent, where it has such ones'] : []),
    'a task ends its program at once, and its output goes nowhere',
  ];
  const restarts = spec.restart === 'never' ? 0 : Math.min(spec.restartLimit || mostRestarts, mostRestarts);
  return { text: task({ description: name, command, cwd: spec.cwd, user, restarts }), warnings };
}

/** What the Task Scheduler takes for a count, and the shortest pause that it takes. */
const mostRestarts = 255;
const restartPause = 'PT1M';

interface Task {
  readonly description: string;
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly user: string;
  readonly restarts: number;
}

function task({ description, command, cwd, user, restarts }: Task): string {
  const [program = '', ...args] = command;
  const who = xmlText(user);
  return [
    '<?xml version="1.0"?>',
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    '  <RegistrationInfo>',
    `    <Description>${xmlText(description)}</Description>`,
    '  </RegistrationInfo>',
    '  <Triggers>',
    '    <LogonTrigger>',
    '      <Enabled>true</Enabled>',
    `      <UserId>${who}</UserId>`,
    '    </LogonTrigger>',
    '  </Triggers>',
    '  <Principals>',
    '    <Principal id="Author">',
    `      <UserId>${who}</UserId>`,
    '      <LogonType>InteractiveToken</LogonType>',
    '      <RunLevel>LeastPrivilege</RunLevel>',
    '    </Principal>',
    '  </Principals>',
    '  <Settings>',
    // One that runs already is enough.
    '    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
    '    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>',
    '    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>',
    '    <StartWhenAvailable>true</StartWhenAvailable>',
    '    <Enabled>true</Enabled>',
    // Else it would be ended after three days.
    '    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
    ...(restarts === 0
      ? []
      : [
          '    <RestartOnFailure>',
          `      <Interval>${restartPause}</Interval>`,
          `      <Count>${Math.min(restarts, mostRestarts)}</Count>`,
          '    </RestartOnFailure>',
        ]),
    '  </Settings>',
    '  <Actions Context="Author">',
    '    <Exec>',
    `      <Command>${xmlText(program)}</Command>`,
    ...(args.length === 0 ? [] : [`      <Arguments>${xmlText(args.map(quoteArgument).join(' '))}</Arguments>`]),
    ...(cwd === undefined ? [] : [`      <WorkingDirectory>${xmlText(cwd)}</WorkingDirectory>`]),
    '    </Exec>',
    '  </Actions>',
    '</Task>',
    '',
  ].join('\n');
}
