import { expect, test } from 'vitest';
import { IdleCount } from '../../src/domain/idle-count.js';

const minute = 60_000;

/** Two clocks, and a daemon that looks at them whenever it is told to. Returns after how long by the wall it has ended. */
class Machine {
  monotonicMs = 5_000;
  wallMs = 1_800_000_000_000;
  readonly count: IdleCount;
  private waitMs: number;

  constructor(idleMs: number) {
    this.count = new IdleCount(idleMs, this);
    this.waitMs = this.count.next({ ...this });
  }

  /** Awake for this long. False once the time is over. */
  runs(ms: number): boolean {
    for (let leftMs = ms; leftMs > 0 && this.waitMs > 0; ) {
      const stepMs = Math.min(this.waitMs, leftMs);
      this.passes(stepMs);
      leftMs -= stepMs;
    }
    return this.waitMs > 0;
  }

  /** What a sleep adds to each clock, at the end of the wait that it falls into. */
  sleeps(ms: { monotonic: number; wall: number }): boolean {
    this.passes(this.waitMs, ms);
    return this.waitMs > 0;
  }

  private passes(ms: number, more = { monotonic: 0, wall: 0 }): void {
    this.monotonicMs += ms + more.monotonic;
    this.wallMs += ms + more.wall;
    this.waitMs = this.count.next({ ...this });
  }
}

test('idle time: is over after as long as was asked for, and not before', () => {
  const machine = new Machine(30 * minute);
  expect(machine.runs(29 * minute + 59_000)).toBe(true);
  expect(machine.runs(1_000)).toBe(false);
});

test.each([
  ['stands still', { monotonic: 0, wall: 8 * 60 * minute }],
  ['goes on', { monotonic: 8 * 60 * minute, wall: 8 * 60 * minute }],
])('idle time: after a sleep in which the monotonic clock %s there is a grace, and not much more (F55)', (_, slept) => {
  const machine = new Machine(30 * minute);
  expect(machine.runs(5 * minute)).toBe(true);
  expect(machine.sleeps(slept)).toBe(true);
  expect(machine.runs(29_000)).toBe(true);
  expect(machine.runs(2_000)).toBe(false);
});

test('idle time: a short sleep counts as idle, and takes no more than it took', () => {
  const machine = new Machine(30 * minute);
  expect(machine.sleeps({ monotonic: 0, wall: 10 * minute })).toBe(true);
  expect(machine.runs(19 * minute)).toBe(true);
  expect(machine.runs(minute)).toBe(false);
});

test('idle time: of a daemon that may be idle only for a moment the grace is as long as that', () => {
  const machine = new Machine(2_000);
  expect(machine.sleeps({ monotonic: 0, wall: minute })).toBe(true);
  expect(machine.runs(1_999)).toBe(true);
  expect(machine.runs(1)).toBe(false);
});

test('idle time: a wall clock that is set back changes nothing', () => {
  const machine = new Machine(minute);
  expect(machine.runs(30_000)).toBe(true);
  machine.sleeps({ monotonic: 0, wall: -60 * minute });
  expect(machine.runs(19_000)).toBe(true);
  expect(machine.runs(1_000)).toBe(false);
});
