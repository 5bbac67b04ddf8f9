import { describe, expect, test } from 'vitest';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { DaemonFixture, web } from './daemon-fixture.js';

describe('flight recorder', () => {
  test.each(['before', 'after'] as const)('has a run once, whose stopper was killed %s it cleared the record', async (when) => {
    const fixture = new DaemonFixture();
    const { descriptor } = await fixture.start();
    const stopper = fixture.faultyActor((call) => (call === 'descriptors.clear' ? { when, what: 'crash' } : undefined));
    await stopper.attempt(() => stopDaemon(stopper.machine, { ref: web }));
    await fixture.stop();
    expect(fixture.folder.runs).toMatchObject([{ instanceId: descriptor.instanceId, cause: 'stop' }]);
  });

  test('that can not be read or written keeps no daemon from being stopped', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    const error = new Error('the disk is broken');
    const stopper = fixture.faultyActor((call) => (call.startsWith('runs.') ? { when: 'before', what: error } : undefined));
    await fixture.attempt(() => stopDaemon(stopper.machine, { ref: web }), stopper);
    fixture.expectNothingLeft();
  });
});
