/** The monotonic clock, in milliseconds. For the first `performance.now()` Node loads ten modules, in a millisecond. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
