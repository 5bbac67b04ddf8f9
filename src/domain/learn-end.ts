import type { Clock, ProcessEnd } from './ports.js';

/**
 * How often a parent looks whether it has learned how a child ended that is seen dead, a millisecond apart. Looks are counted, and no
 * time: a parent that was kept from its core for longer than any deadline learns of the end a turn after its timers.
 */
const mostLooks = 1_000;

/** `undefined` where it is never learned: of a process that is not our child after all. */
export async function learnEnd(clock: Pick<Clock, 'sleep'>, end: () => ProcessEnd | undefined): Promise<ProcessEnd | undefined> {
  for (let looks = 0; end() === undefined && looks < mostLooks; looks++) await clock.sleep(1);
  return end();
}
