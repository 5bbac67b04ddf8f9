/** No timer of Node's is as short. */
const momentMs = 0.25;

/**
 * Lets others onto the processor for a moment: whoever was just told something has mostly done it by then, if he was let. Nothing
 * else of this program runs meanwhile.
 */
export function giveWay(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, momentMs);
}
