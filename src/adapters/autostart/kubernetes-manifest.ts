import type { HealthProbe } from '../../domain/health-check.js';
import type { ReadyCondition } from '../../domain/ready-condition.js';
import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import { containerImage } from './container-image.js';
import { containerYaml } from './container-yaml.js';

/** A Deployment of one. Files of this machine are not in a cluster, so none is mounted: the image has to have them. */
export function kubernetesManifest({ name, command, spec }: ServiceCommand): ServiceText {
  const image = containerImage(command);
  const label = kubernetesName(name);
  const secret = `${label}-env`;
  const container = {
    name: label,
    image: image.name,
    command: [image.program, ...command.slice(1)].map(literal),
    workingDir: spec.cwd,
    ...(Object.keys(spec.env).length > 0
      ? { env: Object.entries(spec.env).map(([variable, value]) => ({ name: variable, value: literal(value) })) }
      : {}),
    // Values out of a file are likely to be secrets, and stay out of this one.
    ...(spec.envFiles.length > 0 ? { envFrom: [{ secretRef: { name: secret } }] } : {}),
    ...readiness(spec.ready),
    ...(spec.health && spec.health.probe.kind !== 'ping'
      ? {
          livenessProbe: {
            ...probe(spec.health.probe),
            periodSeconds: seconds(spec.health.intervalMs),
            timeoutSeconds: seconds(spec.health.timeoutMs),
            failureThreshold: spec.health.threshold,
            initialDelaySeconds: seconds(spec.health.startGraceMs),
          },
        }
      : {}),
  };
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: label, labels: { app: label } },
    spec: {
      replicas: 1,
      // Never two at a time.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { app: label } },
      template: {
        metadata: { labels: { app: label } },
        spec: { containers: [container], terminationGracePeriodSeconds: seconds(spec.graceMs) },
      },
    },
  };
  const makeSecret = `kubectl create secret generic ${secret} ${spec.envFiles.map((file) => `--from-env-file=${shellWord(file)}`).join(' ')}`;
  const notes = [image.note, `the image has to have ${spec.cwd}`, ...(spec.envFiles.length > 0 ? [`first: ${makeSecret}`] : [])];
  const warnings = [
    ...notes,
    ...(spec.restart === 'always' ? [] : ['Kubernetes starts it again whenever it ends']),
    ...(spec.stopSignal === 'SIGTERM' ? [] : [`Kubernetes ends it by the signal of its image, not by ${spec.stopSignal}`]),
    ...(isProbed(spec.ready) || spec.ready.kind === 'exec' ? [] : ['Kubernetes knows no such readiness: it is left out']),
    ...(spec.health?.probe.kind === 'ping' ? ['Kubernetes can not ask over its socket: health is left out'] : []),
  ];
  const text = containerYaml(manifest);
  return { text: `${notes.map((note) => `# ${note.replace(/[\p{Cc}]/gu, '?')}\n`).join('')}${text}`, warnings };
}

/** Lower case, digits and hyphens, as a label of the domain name system has them. */
function kubernetesName(name: string): string {
  return name.toLowerCase().replaceAll(/[._]/g, '-').replace(/-+$/, '').slice(0, 50);
}

/** Two dollars are one, whatever comes after: `$(NAME)` would be a variable. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function isProbed(ready: ReadyCondition): ready is ReadyCondition & { kind: 'port' | 'http' } {
  return ready.kind === 'port' || ready.kind === 'http';
}

function readiness(ready: ReadyCondition): object {
  return isProbed(ready) ? { readinessProbe: probe(ready) } : {};
}

function probe(of: Exclude<HealthProbe, { kind: 'ping' }> | (ReadyCondition & { kind: 'port' | 'http' })): object {
  switch (of.kind) {
    case 'port':
      return { tcpSocket: { port: of.port } };
    case 'http': {
      const { protocol, port, pathname, search } = new URL(of.url);
      const isSafe = protocol === 'https:';
      const portNumber = port === '' ? (isSafe ? 443 : 80) : Number(port);
      return { httpGet: { path: pathname + search, port: portNumber, scheme: isSafe ? 'HTTPS' : 'HTTP' } };
    }
    case 'command':
      return { exec: { command: ['/bin/sh', '-c', of.line] } };
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
