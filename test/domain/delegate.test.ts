import { expect, test } from 'vitest';
import { DaemonError } from '../../src/domain/daemon-error.js';
import { startByPolicy } from '../../src/domain/delegate.js';
import type { DaemonRef } from '../../src/domain/ports.js';
import type { StartResult } from '../../src/domain/start-daemon.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

const supervisorRef: DaemonRef = { name: 'supervisor' };

function notServing(): never {
  throw new DaemonError('not-serving', 'the connection was closed', {});
}

/** Starts `web` through a supervisor that answers with what `perform` returns or throws. */
function startThrough(fixture: DaemonFixture, perform: () => Promise<StartResult>, command = ['listen']): Promise<StartResult> {
  const machine = { ...fixture.machine, supervisorSpec: specOf(command, { ready: { kind: 'socket' } }), supervisor: { perform } };
  return fixture.attempt(() => startByPolicy(machine, { ref: web, spec: specOf(['sleep'], { restart: 'always' }) }));
}

test('start through a supervisor: one that is dying just when it is asked is waited for, however often it does not answer', async () => {
  const fixture = new DaemonFixture();
  let asked = 0;
  const started = startThrough(fixture, async () => {
    if (++asked <= 8) notServing();
    return startDaemon(fixture.machine, { ref: web, spec: specOf(['sleep']) });
  });
  expect(await started).toMatchObject({ outcome: 'started' });
});

test('start through a supervisor: one that is killed while it starts is started again', async () => {
  const fixture = new DaemonFixture();
  let lives = 0;
  fixture.define('supervise', (self) => {
    if (++lives <= 2) self.after(1, () => fixture.world.kernel.exit(self.process, { exitCode: null, signal: 'SIGKILL' }));
    else self.listen();
  });
  const started = startThrough(fixture, () => startDaemon(fixture.machine, { ref: web, spec: specOf(['sleep']) }), ['supervise']);
  expect(await started).toMatchObject({ outcome: 'started' });
});

test('start through a supervisor: one that never answers is named in the end', async () => {
  const fixture = new DaemonFixture();
  await expect(startThrough(fixture, async () => notServing())).rejects.toMatchObject({ code: 'not-serving' });
  expect(await fixture.machine.descriptors.read(supervisorRef)).toMatchObject({ kind: 'present' });
});

test('start through a supervisor: one that ends by itself whenever it is started is not started for ever', async () => {
  const fixture = new DaemonFixture();
  fixture.define('broken', (self) => self.exit(1));
  const started = startThrough(fixture, async () => notServing(), ['broken']);
  await expect(started).rejects.toMatchObject({ code: 'ended-before-ready', facts: { name: 'supervisor' } });
});
