import type { ReadinessProbe, ReadySubject } from '../../domain/ports.js';
import type { ReadyCondition } from '../../domain/ready-condition.js';
import type { SimulatedActor } from './simulated-actor.js';

export class SimulatedReadinessProbe implements ReadinessProbe {
  constructor(private readonly actor: SimulatedActor) {}

  check(condition: ReadyCondition, subject: ReadySubject): Promise<boolean> {
    return this.actor.call('readiness.check', () => {
      const { disk, network } = this.actor.world;
      switch (condition.kind) {
        case 'exec':
          return this.actor.process.space.processes.get(subject.pid)?.life === 'running';
        case 'socket':
          return subject.socket !== null && network.find(subject.socket) !== undefined;
        case 'port':
          return network.find(`port:${condition.port}`) !== undefined;
        case 'http':
          return network.find(`port:${new URL(condition.url).port}`) !== undefined;
        case 'notify':
          return subject.notifyFile !== null && (disk.files.get(subject.notifyFile) ?? '') !== '';
        case 'log': {
          const output = disk.outputFrom(subject.log, subject.logOffset);
          const pattern = new RegExp(condition.pattern);
          return output
            .split('\n')
            .slice(0, -1)
            .some((line) => pattern.test(line));
        }
      }
    });
  }
}
