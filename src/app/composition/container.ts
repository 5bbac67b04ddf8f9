import { Container, ContainerModule } from 'inversify';
import type { Machine } from '../../domain/ports.js';
import type { Binding } from './binding.js';
import { bindingsFor } from './bindings.js';
import { type MachineSettings, machineSettings, type SettingsOptions } from './settings.js';
import { machineFrom, serviceIdentifier, tokens } from './tokens.js';

/** The machine that the use cases run on here. */
export function createMachine(options: SettingsOptions = {}): Machine {
  const container = createContainer(machineSettings(options));
  return machineFrom((token) => container.get(serviceIdentifier(token)));
}

/** The composition as an inversify container, in which a program or a test may bind a port anew. */
export function createContainer(settings: MachineSettings): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.bind(serviceIdentifier(tokens.settings)).toConstantValue(settings);
  container.load(moduleOf(bindingsFor(settings.platform)));
  return container;
}

function moduleOf(bindings: readonly Binding[]): ContainerModule {
  return new ContainerModule(({ bind }) => {
    for (const { token, needs, make } of bindings) {
      bind(serviceIdentifier(token)).toResolvedValue(make as (...needed: unknown[]) => unknown, needs.map(serviceIdentifier));
    }
  });
}
