import { expect } from 'vitest';
import { type ContractSubject, describeContract, eventually } from './contract-machine.js';

const peer = { instanceId: 'instance-1', name: 'contract', version: '1.2.3' };

export function describeControlChannelContract(subject: ContractSubject): void {
  describeContract('ControlChannel', subject, (test) => {
    test('hello: nobody is at a path where nothing is', async ({ machine, host }) => {
      expect(await machine.control.hello(host.socket('absent.sock'), 1_000)).toEqual({ kind: 'nobody' });
    });

    test('hello: a daemon says who it is', async ({ machine, host }) => {
      const socket = host.socket('peer.sock');
      await host.serveControl(socket, peer);
      expect(await machine.control.hello(socket, 5_000)).toEqual({ kind: 'hello', ...peer, protocol: 1 });
    });

    test('hello: a daemon may have no version', async ({ machine, host }) => {
      const socket = host.socket('peer.sock');
      await host.serveControl(socket, { ...peer, version: null });
      expect(await machine.control.hello(socket, 5_000)).toEqual({ kind: 'hello', ...peer, version: null, protocol: 1 });
    });

    test('hello: one that says nothing is somebody else, after the time and not much more', async ({ machine, host }) => {
      const socket = host.socket('mute.sock');
      await host.listen(socket);
      const before = machine.clock.monotonicMs();
      expect(await machine.control.hello(socket, 80)).toEqual({ kind: 'other' });
      expect(machine.clock.monotonicMs() - before).toBeGreaterThanOrEqual(78);
      expect(machine.clock.monotonicMs() - before).toBeLessThan(20_000);
    });

    test('shutdown: the instance that is meant agrees, once', async ({ machine, host }) => {
      const socket = host.socket('peer.sock');
      const server = await host.serveControl(socket, peer);
      expect(await machine.control.shutdown(socket, peer.instanceId, 5_000)).toBe(true);
      await eventually(machine, 'the shutdown', async () => server.shutdowns() > 0);
      expect(server.shutdowns()).toBe(1);
    });

    test('shutdown: another instance is not asked to end', async ({ machine, host }) => {
      const socket = host.socket('peer.sock');
      const server = await host.serveControl(socket, peer);
      expect(await machine.control.shutdown(socket, 'instance-2', 5_000)).toBe(false);
      await machine.clock.sleep(30);
      expect(server.shutdowns()).toBe(0);
    });

    test('shutdown: nobody agrees where nobody is, or where nobody answers', async ({ machine, host }) => {
      expect(await machine.control.shutdown(host.socket('absent.sock'), peer.instanceId, 1_000)).toBe(false);
      const socket = host.socket('mute.sock');
      await host.listen(socket);
      expect(await machine.control.shutdown(socket, peer.instanceId, 80)).toBe(false);
    });

    test('occupation: a daemon to which nobody is connected but who asks is idle, unless it says that it is busy', async ({
      machine,
      host,
    }) => {
      for (const [isBusy, occupation] of [
        [undefined, 'idle'],
        [false, 'idle'],
        [true, 'busy'],
      ] as const) {
        const socket = host.socket(`${isBusy}.sock`);
        await host.serveControl(socket, { ...peer, ...(isBusy === undefined ? {} : { isBusy }) });
        expect(await machine.control.occupation(socket, peer.instanceId, 5_000)).toBe(occupation);
      }
    });

    test('occupation: of nobody there is none; of one that says nothing, or is another instance, it can not be told', async ({
      machine,
      host,
    }) => {
      expect(await machine.control.occupation(host.socket('absent.sock'), peer.instanceId, 1_000)).toBe('nobody');
      await host.listen(host.socket('mute.sock'));
      expect(await machine.control.occupation(host.socket('mute.sock'), peer.instanceId, 80)).toBe('other');
      await host.serveControl(host.socket('peer.sock'), peer);
      expect(await machine.control.occupation(host.socket('peer.sock'), 'instance-2', 1_000)).toBe('other');
    });

    test(
      'reload: the instance that is meant reloads, once',
      async ({ machine, host }) => {
        const socket = host.socket('peer.sock');
        const server = await host.serveControl(socket, peer);
        expect(await machine.control.reload(socket, peer.instanceId, 5_000)).toBe('reloaded');
        expect([server.reloads(), server.shutdowns()]).toEqual([1, 0]);
      },
      'reloads',
    );

    test('reload: another instance is not asked', async ({ machine, host }) => {
      const socket = host.socket('peer.sock');
      const server = await host.serveControl(socket, peer);
      expect(await machine.control.reload(socket, 'instance-2', 5_000)).toBe('not-served');
      expect(server.reloads()).toBe(0);
    });

    test('reload: is not served where nobody is, or where nobody answers', async ({ machine, host }) => {
      expect(await machine.control.reload(host.socket('absent.sock'), peer.instanceId, 1_000)).toBe('not-served');
      const socket = host.socket('mute.sock');
      await host.listen(socket);
      expect(await machine.control.reload(socket, peer.instanceId, 80)).toBe('not-served');
    });
  });
}
