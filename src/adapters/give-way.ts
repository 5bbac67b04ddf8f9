import { blockThread } from './block-thread.js';

const momentMs = 0.25;

/** Lets others onto the processor for a moment: whoever was just told something has mostly done it by then, if he was let. */
export function giveWay(): void {
  blockThread(momentMs);
}
