import { describe, expect, it } from 'vitest';
import { parseProcessTable, tableColumns, withSessions } from '../../../src/adapters/macos/process-table.js';
import { onePid, processTable } from './recordings.js';

const seconds = (iso: string) => String(Date.parse(iso) / 1_000);

describe('process table: what ps prints on macOS', () => {
  const rows = parseProcessTable(processTable);
  const row = (pid: number) => rows.find((each) => each.pid === pid);

  it('reads every line', () => {
    expect(rows.map(({ pid }) => pid)).toEqual([1, 119, 312, 655, 656, 657, 701, 702, 99998, 99999]);
  });

  it('reads all of one line', () => {
    expect(parseProcessTable(onePid)).toEqual([
      {
        pid: 655,
        parent: 1,
        processGroup: 655,
        uid: 501,
        zombie: false,
        sessionLeader: true,
        startToken: seconds('2025-03-09T04:05:06Z'),
      },
    ]);
  });

  it('F4: makes the start a decimal count of seconds, also on days of one digit and across years', () => {
    expect(row(655)?.startToken).toBe(seconds('2025-03-09T04:05:06Z'));
    expect(row(701)?.startToken).toBe(seconds('2025-12-29T23:59:59Z'));
    expect(row(702)?.startToken).toBe(seconds('2026-02-24T00:00:00Z'));
    for (const { startToken } of rows) expect(startToken).toMatch(/^\d+$/);
  });

  it('F5: knows a zombie by its state', () => {
    expect(rows.filter((each) => each.zombie).map(({ pid }) => pid)).toEqual([702]);
  });

  it('reads a user id that is printed as negative, and one that is not', () => {
    expect(row(312)?.uid).toBe(4_294_967_294);
    expect(parseProcessTable(onePid.replace('  501', '4294967294'))[0]?.uid).toBe(4_294_967_294);
  });

  it('takes the flag s for a session leader, never the state before it', () => {
    expect(rows.filter((each) => each.sessionLeader).map(({ pid }) => pid)).toEqual([1, 119, 655, 99998]);
  });

  it('reads nothing out of an empty answer', () => {
    expect(parseProcessTable('')).toEqual([]);
    expect(parseProcessTable('\n')).toEqual([]);
  });

  it.each([
    ['a complaint', 'ps: Failure calling sysctl: Operation not permitted'],
    ['local words (LC_ALL was ignored)', '  655     1   655   501 Us   So  9 Mär 04:05:06 2025    '],
    ['a line cut short', '  655     1   655   501 Us   Sun Mar  9 04:0'],
    ['a start that is not known', '  655     1   655   501 Us   -                           '],
    ['a heading', '  PID  PPID  PGID   UID STAT STARTED                     '],
  ])('leaves out %s', (_, text) => {
    expect(parseProcessTable(`${text}\n`)).toEqual([]);
  });

  it('asks for each column in an option of its own', () => {
    expect(tableColumns.slice(0, 4)).toEqual(['-o', 'pid=', '-o', 'ppid=']);
  });
});

describe('process table: sessions', () => {
  const session = (pid: number) => withSessions(parseProcessTable(processTable)).find((row) => row.pid === pid)?.session;

  it('puts a session leader and its group into its session', () => {
    expect(session(655)).toBe(655);
    expect(session(656)).toBe(655);
  });

  it('knows none for a group whose leader leads no session, or is gone', () => {
    expect(session(657)).toBe(0);
    expect(session(701)).toBe(0);
    expect(session(99999)).toBe(0);
  });

  it('never takes a group that lost its leader for a session of its own', () => {
    const orphaned = processTable.replace(/^ {2}655 .*\n/m, '');
    const rows = withSessions(parseProcessTable(orphaned));
    expect(rows.find((row) => row.pid === 656)?.session).toBe(0);
  });
});
