import type { Machine, ProcessInspector } from '../../domain/ports.js';
import { bindingsFor } from './bindings.js';
import type { MachineSettings } from './settings.js';
import { machineFrom, type Token, tokens } from './tokens.js';

/**
 * The same bindings without a container, for the command line: loading inversify takes longer than starting a daemon.
 * A test holds the two compositions against each other.
 */
export function composeMachine(settings: MachineSettings): Machine {
  return machineFrom(resolverFor(settings));
}

/** Only what sees processes, for a daemon that watches its owners. */
export function composeInspector(settings: MachineSettings): ProcessInspector {
  return resolverFor(settings)(tokens.inspector);
}

function resolverFor(settings: MachineSettings): <T>(token: Token<T>) => T {
  const made = new Map<Token<unknown>, unknown>([[tokens.settings, settings]]);
  const bindings = bindingsFor(settings.platform);
  const get = <T>(token: Token<T>): T => {
    if (!made.has(token)) {
      const binding = bindings.find((one) => one.token === token);
      if (!binding) throw new TypeError(`nothing is bound to ${String(token)}`);
      made.set(token, binding.make(...(binding.needs.map(get) as never[])));
    }
    return made.get(token) as T;
  };
  return get;
}
