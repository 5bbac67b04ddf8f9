import { dirname } from 'node:path';
import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import { containerImage } from './container-image.js';
import { containerYaml } from './container-yaml.js';

/** A Compose file with this one service. The daemon's folder is mounted where it is: nothing is copied. */
export function composeFile({ name, id, command, spec }: ServiceCommand): ServiceText {
  const image = containerImage(command);
  const { health } = spec;
  const mounted = [...new Set([spec.cwd, ...(image.hasProgram ? [] : [dirname(command[0] as string)])])];
  const service = {
    image: image.name,
    command: [image.program, ...command.slice(1)].map(literal),
    working_dir: literal(spec.cwd),
    volumes: mounted.map((folder) => ({ type: 'bind', source: literal(folder), target: literal(folder) })),
    ...(spec.envFiles.length > 0 ? { env_file: spec.envFiles.map(literal) } : {}),
    ...(Object.keys(spec.env).length > 0
      ? { environment: Object.entries(spec.env).map(([variable, value]) => literal(`${variable}=${value}`)) }
      : {}),
    init: true,
    restart: { never: 'no', 'on-failure': 'on-failure', always: 'always' }[spec.restart],
    stop_signal: spec.stopSignal,
    stop_grace_period: `${spec.graceMs}ms`,
    ...(health && health.probe.kind === 'command'
      ? {
          healthcheck: {
            test: ['CMD-SHELL', literal(health.probe.line)],
            interval: `${health.intervalMs}ms`,
            timeout: `${health.timeoutMs}ms`,
            retries: health.threshold,
            start_period: `${health.startGraceMs}ms`,
          },
        }
      : {}),
  };
  const warnings = [
    image.note,
    ...(health && health.probe.kind !== 'command' ? ['Compose asks for health by a command alone: it is left out'] : []),
    ...(spec.ready.kind === 'exec' ? [] : ['Compose does not look at readiness']),
  ];
  const text = containerYaml({ name: composeName(id), services: { [name]: service } });
  return { text: `# ${image.note}\n${text}`, warnings };
}

/** A dollar begins a variable of Compose's own, wherever it stands. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/** Compose takes lower case, digits, hyphens and underscores. */
function composeName(id: string): string {
  return id.toLowerCase().replaceAll('.', '-');
}
