import { describe, expect, it } from 'vitest';
import { PosixSignalSender } from '../../../src/adapters/posix/posix-signal-sender.js';
import type { Vantage } from '../../../src/domain/identity.js';

/** A signal that does nothing to whoever does not ask for it. */
const harmless = 'SIGWINCH';

const here: Vantage = {
  pid: process.pid,
  startToken: '1',
  bootId: 'boot',
  pidNamespace: 'pid',
  timeNamespace: 'time',
  host: 'host',
  uid: 0,
  exclusiveHome: false,
};

describe('signal sender: numbers that kill(2) takes for more than one process', () => {
  /** Everything is what it should be, in any slot: only the number itself can stand in the way. */
  const sender = (processGroup: number) =>
    new PosixSignalSender({
      vantage: () => here,
      observe: () => ({ kind: 'process', startToken: '1', zombie: false, uid: 0, processGroup, session: processGroup }),
    });

  it.each([0, 1, -1, -2, 1.5, Number.NaN])('F10: sends nothing to %s', (number) => {
    expect(sender(number).send({ ...here, pid: number }, harmless)).toBe('not-ours');
    expect(sender(number).sendToGroup(here, number, harmless)).toBe('not-ours');
  });
});
