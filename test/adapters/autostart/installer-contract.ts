import { describe, expect, it } from 'vitest';
import type { AutostartInstaller } from '../../../src/domain/autostart-installer.js';
import { isDaemonError } from '../../../src/domain/daemon-error.js';
import { entry } from './support.js';

/** A service manager under an adapter: real, or one that is played. */
export interface InstallerStage {
  readonly installer: AutostartInstaller;
  /** The services that run now. */
  running(): readonly string[];
  /** Somebody turns a service off by the manager's own means, and leaves its definition where it is. */
  turnOff(id: string): void;
  dispose(): void;
}

const { id } = entry;

/** What every adapter of a service manager does. */
export function describeInstaller(name: string, create: () => InstallerStage): void {
  describe(`the autostart installer ${name}`, () => {
    const onStage = async (work: (stage: InstallerStage) => Promise<void>) => {
      const stage = create();
      try {
        await work(stage);
      } finally {
        stage.dispose();
      }
    };

    it('finds nothing where nothing is installed, and takes nothing away', () =>
      onStage(async ({ installer }) => {
        expect(await installer.sight(id)).toMatchObject({ definition: undefined, obstacles: [] });
        await installer.uninstall(id);
        expect((await installer.sight(id)).definition).toBeUndefined();
      }));

    it('installs a definition, and starts nothing by that', () =>
      onStage(async ({ installer, running }) => {
        await installer.insist();
        await installer.install(entry);
        const { definition, obstacles } = await installer.sight(id);
        expect(definition).toContain(installer.keepsText ? installer.define(entry) : '<Task ');
        expect(obstacles.filter(({ code }) => code === 'disabled')).toEqual([]);
        expect(running()).toEqual([]);
      }));

    it('installs again what is installed, as it is asked for then', () =>
      onStage(async ({ installer }) => {
        await installer.install(entry);
        const other = { ...entry, command: [...entry.command, 'another'] };
        await installer.install(other);
        expect((await installer.sight(id)).definition).toContain('another');
      }));

    it('starts a service, again and again, and ends it with its definition', () =>
      onStage(async ({ installer, running }) => {
        await installer.install(entry);
        await installer.restart(entry);
        expect(running()).toEqual([id]);
        await installer.restart(entry);
        expect(running()).toEqual([id]);
        await installer.uninstall(id);
        expect(running()).toEqual([]);
        expect((await installer.sight(id)).definition).toBeUndefined();
      }));

    it('fails to start what is not installed, and says what the manager says', () =>
      onStage(async ({ installer }) => {
        const error = await installer.restart(entry).catch((thrown: unknown) => thrown);
        expect(isDaemonError(error) && error.code).toBe('autostart-failed');
        expect((error as Error).message).toMatch(/not found|No such|cannot find/);
      }));

    it('sees that somebody has turned a service off, and turns it on when it installs it again', () =>
      onStage(async ({ installer, turnOff }) => {
        await installer.install(entry);
        turnOff(id);
        const seen = (await installer.sight(id)).obstacles.find(({ code }) => code === 'disabled');
        expect(seen).toMatchObject({ untilLogin: false, hint: expect.stringContaining(id) });
        await installer.install(entry);
        expect((await installer.sight(id)).obstacles.filter(({ code }) => code === 'disabled')).toEqual([]);
      }));

    it('makes the same text of the same entry', () =>
      onStage(async ({ installer }) => {
        expect(installer.define(entry)).toBe(installer.define({ ...entry }));
        expect(installer.define({ ...entry, command: ['/bin/x'] })).not.toBe(installer.define(entry));
      }));
  });
}
