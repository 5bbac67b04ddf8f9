import { formatDuration } from '../../domain/quantity.js';

/** Waits for work that isn't ours, no longer than `boundMs`. Throws what it throws, or an error that says it took too long. */
export async function settlesWithin(work: () => Promise<unknown>, boundMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not finish within ${formatDuration(boundMs)}`)), boundMs);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
