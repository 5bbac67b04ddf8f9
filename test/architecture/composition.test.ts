import { describe, expect, it } from 'vitest';
import { autostartContext } from '../../src/app/composition/autostart.js';
import { bindingsFor } from '../../src/app/composition/bindings.js';
import { composeMachine } from '../../src/app/composition/compose.js';
import { createContainer } from '../../src/app/composition/container.js';
import { machineFrom, serviceIdentifier, tokens } from '../../src/app/composition/tokens.js';
import type { Clock, Machine } from '../../src/domain/ports.js';

const settingsOf = (platform: NodeJS.Platform) => ({ home: '/nowhere', env: {}, platform });

function classesOf(machine: Machine): Record<string, string> {
  return Object.fromEntries(Object.entries(machine).map(([port, adapter]) => [port, adapter.constructor.name]));
}

describe.each(['linux', 'darwin', 'win32'] as const)('composition on %s', (platform) => {
  it('is the same by the container as without it', () => {
    const settings = settingsOf(platform);
    const container = createContainer(settings);
    const byContainer = machineFrom((token) => container.get(serviceIdentifier(token)));
    expect(classesOf(byContainer)).toEqual(classesOf(composeMachine(settings)));
  });

  it('makes each adapter once', () => {
    const container = createContainer(settingsOf(platform));
    for (const { token } of bindingsFor(platform))
      expect(container.get(serviceIdentifier(token))).toBe(container.get(serviceIdentifier(token)));
  });

  it('lets a program bind a port anew', () => {
    const clock: Clock = { monotonicMs: () => 42, wallTime: () => '', sleep: async () => {} };
    const container = createContainer(settingsOf(platform));
    container.rebind(serviceIdentifier(tokens.clock)).toConstantValue(clock);
    expect(machineFrom((token) => container.get(serviceIdentifier(token))).clock).toBe(clock);
  });
});

describe('composition', () => {
  it('takes the adapters of its own platform only', () => {
    expect(classesOf(composeMachine(settingsOf('linux'))).inspector).toBe('LinuxProcessInspector');
    expect(classesOf(composeMachine(settingsOf('darwin'))).inspector).toBe('MacosProcessInspector');
    expect(classesOf(composeMachine(settingsOf('win32'))).inspector).toBe('WindowsProcessInspector');
  });

  it('takes the service manager of its own platform', () => {
    const installers = { linux: 'SystemdInstaller', darwin: 'LaunchdInstaller', win32: 'TaskInstaller' } as const;
    for (const [platform, name] of Object.entries(installers)) {
      const settings = settingsOf(platform as NodeJS.Platform);
      expect(autostartContext(composeMachine(settings), settings).installer.constructor.name).toBe(name);
    }
  });

  it('refuses a platform that it has no adapters for', () => {
    expect(() => composeMachine(settingsOf('freebsd'))).toThrow('freebsd is not supported yet');
  });
});
