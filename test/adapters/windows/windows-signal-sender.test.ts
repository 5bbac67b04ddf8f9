import { describe, expect, it } from 'vitest';
import type { BreakTarget } from '../../../src/adapters/windows/console-break.js';
import { WindowsSignalSender } from '../../../src/adapters/windows/windows-signal-sender.js';
import type { ProcessRow } from '../../../src/domain/ports.js';

const world = { bootId: 'boot-1', pidNamespace: 'none', timeNamespace: 'none', host: 'here' };
const row = (pid: number, processGroup: number): ProcessRow => ({
  pid,
  startToken: `${pid}00`,
  parent: 0,
  processGroup,
  session: processGroup,
  uid: 1,
  zombie: false,
});
const leader = row(40, 40);
const member = row(44, 40);

/** Where processes can only be asked: to end one, the kernel of Windows is needed. */
function senderOver(accepts: boolean) {
  const breaks: BreakTarget[] = [];
  const rows = [leader, member];
  const sender = new WindowsSignalSender({
    inspector: {
      vantage: () => ({ ...world, pid: 1000, startToken: '1', uid: 1, exclusiveHome: false }),
      observe: (pid) => {
        const found = rows.find((one) => one.pid === pid);
        return found ? { ...found, kind: 'process' } : { kind: 'absent' };
      },
      survey: () => rows,
    },
    sendBreak: async (target) => {
      breaks.push(target);
      return accepts;
    },
  });
  const identity = ({ pid, startToken }: ProcessRow) => ({ ...world, pid, startToken });
  return { breaks, send: (to: ProcessRow, signal: string) => sender.send(identity(to), signal), sender, identity };
}

const needsTheKernel = { code: 'unsupported' };

describe.skipIf(process.platform === 'win32')('WindowsSignalSender', () => {
  it('asks the group of a leader by CTRL_BREAK, and its members with it (F46)', async () => {
    const { breaks, send } = senderOver(true);
    expect(await send(leader, 'SIGTERM')).toBe('sent');
    expect(await send(member, 'SIGTERM')).toBe('sent');
    expect(breaks).toEqual([{ pid: 40, startToken: '4000', group: 40 }]);
  });

  it('ends whom it can not ask', async () => {
    const { breaks, send } = senderOver(false);
    await expect(send(leader, 'SIGTERM')).rejects.toMatchObject(needsTheKernel);
    await expect(send(member, 'SIGTERM')).rejects.toMatchObject(needsTheKernel);
    expect(breaks).toHaveLength(1);
  });

  it('ends a member whose leader was not asked', async () => {
    const { breaks, send } = senderOver(true);
    await expect(send(member, 'SIGTERM')).rejects.toMatchObject(needsTheKernel);
    expect(breaks).toEqual([]);
  });

  it('asks nobody who is to be killed', async () => {
    const { breaks, send, sender, identity } = senderOver(true);
    await expect(send(leader, 'SIGKILL')).rejects.toMatchObject(needsTheKernel);
    await expect(sender.sendToGroup(identity(member), 40, 'SIGKILL')).rejects.toMatchObject(needsTheKernel);
    expect(breaks).toEqual([]);
  });

  it('asks a group through whoever bears witness for it', async () => {
    const { breaks, sender, identity } = senderOver(true);
    expect(await sender.sendToGroup(identity(member), 40, 'SIGTERM')).toBe('sent');
    expect(breaks).toMatchObject([{ pid: 44, group: 40 }]);
  });

  it('neither asks nor ends whoever is of another world, or another by now', async () => {
    const { breaks, sender, identity } = senderOver(true);
    expect(await sender.send({ ...identity(leader), bootId: 'boot-2' }, 'SIGTERM')).toBe('not-ours');
    expect(await sender.sendToGroup({ ...identity(member), startToken: '1' }, 40, 'SIGTERM')).toBe('not-ours');
    await expect(sender.send({ ...identity(leader), startToken: '1' }, 'SIGTERM')).rejects.toMatchObject(needsTheKernel);
    expect(breaks).toEqual([]);
  });
});
