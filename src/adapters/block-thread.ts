/** Others run meanwhile, and nothing of this program does. Milliseconds; no timer of Node's is as short as a part of one. */
export function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
