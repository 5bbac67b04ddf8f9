import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import type { Machine } from '../../src/domain/ports.js';
import { anyRef, type ContractSubject, describeContract, soon } from './contract-machine.js';

export function describeLifecycleLockContract(subject: ContractSubject): void {
  describeContract('LifecycleLock', subject, (test) => {
    test('acquire: two holders never hold at a time, and every one has its turn', async ({ machine, host }) => {
      const contenders: Machine[] = [machine];
      while (contenders.length < 6) contenders.push(await host.secondActor());
      let inside = 0;
      let most = 0;
      let turns = 0;
      const contend = async ({ lock, clock }: Machine) => {
        for (let round = 0; round < 3; round++) {
          const held = await lock.acquire(anyRef, soon);
          most = Math.max(most, ++inside);
          turns++;
          await clock.sleep(2);
          inside--;
          await held.release();
        }
      };
      await Promise.all(contenders.map(contend));
      expect({ most, turns }).toEqual({ most: 1, turns: 18 });
    });

    test('acquire: waits for the release, then has it', async ({ machine, host }) => {
      const second = await host.secondActor();
      const held = await machine.lock.acquire(anyRef, soon);
      let hasIt = false;
      const waiting = second.lock.acquire(anyRef, soon).then((mine) => {
        hasIt = true;
        return mine;
      });
      await machine.clock.sleep(60);
      expect(hasIt).toBe(false);
      await held.release();
      await (await waiting).release();
    });

    test('acquire: spellings of one name are one lock, other names are others', async ({ machine, host }) => {
      const second = await host.secondActor();
      const held = await machine.lock.acquire({ name: 'One' }, soon);
      await expect(second.lock.acquire({ name: 'one' }, { timeoutMs: 40 })).rejects.toMatchObject({ code: 'lock-timeout' });
      await (await second.lock.acquire({ name: 'two' }, soon)).release();
      await held.release();
    });

    test('acquire: gives up in time, and names the holder', async ({ machine, host }) => {
      const second = await host.secondActor();
      const held = await machine.lock.acquire(anyRef, soon);
      const before = machine.clock.monotonicMs();
      const { pid } = await machine.inspector.vantage();
      await expect(second.lock.acquire(anyRef, { timeoutMs: 60 })).rejects.toMatchObject({
        code: 'lock-timeout',
        facts: { name: 'contract', pid },
      });
      expect(machine.clock.monotonicMs() - before).toBeLessThan(20_000);
      await held.release();
      await (await second.lock.acquire(anyRef, soon)).release();
    });

    test('acquire: an aborted wait is cancelled, and does not take the lock later', async ({ machine, host }) => {
      const second = await host.secondActor();
      const held = await machine.lock.acquire(anyRef, soon);
      const controller = new AbortController();
      const waiting = second.lock.acquire(anyRef, { timeoutMs: 60_000, signal: controller.signal });
      const refusal = expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
      await machine.clock.sleep(30);
      controller.abort();
      await refusal;
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      await held.release();
      await (await machine.lock.acquire(anyRef, soon)).release();
    });

    test('acquire: does not begin when its signal has aborted', async ({ machine }) => {
      const wait = { timeoutMs: 1_000, signal: AbortSignal.abort() };
      await expect(machine.lock.acquire(anyRef, wait)).rejects.toMatchObject({ code: 'cancelled' });
      await (await machine.lock.acquire(anyRef, soon)).release();
    });

    test('holder: is who holds it, and nobody before and after', async ({ machine, host }) => {
      const second = await host.secondActor();
      expect(await second.lock.holder(anyRef)).toBeUndefined();
      const held = await machine.lock.acquire(anyRef, soon);
      const { pid, startToken, bootId, pidNamespace, timeNamespace, host: hostName } = await machine.inspector.vantage();
      expect(await second.lock.holder(anyRef)).toMatchObject({ pid, startToken, bootId, pidNamespace, timeNamespace, host: hostName });
      await held.release();
      expect(await second.lock.holder(anyRef)).toBeUndefined();
    });

    test('acquire: the lock of a daemon makes it known, in the spelling of the first', async ({ machine }) => {
      const held = await machine.lock.acquire({ name: 'First' }, soon);
      expect(held.ref.name).toBe('First');
      await held.release();
      const again = await machine.lock.acquire({ name: 'first' }, soon);
      expect(again.ref.name).toBe('First');
      await again.release();
    });

    test("acquire: an embedding program's own path has a lock of its own", async ({ machine, host }) => {
      const ref = { name: 'contract', descriptor: host.path('own/contract.json') };
      const held = await machine.lock.acquire(anyRef, soon);
      await (await machine.lock.acquire(ref, soon)).release();
      await held.release();
    });

    test(
      'acquire: a holder that is killed holds no longer',
      async ({ machine, host }) => {
        const holder = await host.mortalActor();
        await holder.acquire(anyRef);
        expect(await machine.lock.holder(anyRef)).toMatchObject({ pid: holder.identity.pid, startToken: holder.identity.startToken });
        await expect(machine.lock.acquire(anyRef, { timeoutMs: 40 })).rejects.toMatchObject({ facts: { pid: holder.identity.pid } });
        await holder.kill();
        const held = await machine.lock.acquire(anyRef, soon);
        expect(await machine.lock.holder(anyRef)).toMatchObject({ pid: (await machine.inspector.vantage()).pid });
        await held.release();
      },
      'mortalActors',
    );

    test(
      'acquire: one of two waiters has it when the holder is killed',
      async ({ machine, host }) => {
        const holder = await host.mortalActor();
        await holder.acquire(anyRef);
        const second = await host.secondActor();
        let inside = 0;
        const enter = async ({ lock, clock }: Machine) => {
          const held = await lock.acquire(anyRef, soon);
          expect(++inside).toBe(1);
          await clock.sleep(5);
          inside--;
          await held.release();
        };
        const waiting = [enter(machine), enter(second)];
        await machine.clock.sleep(30);
        await holder.kill();
        await Promise.all(waiting);
      },
      'mortalActors',
    );
  });
}
