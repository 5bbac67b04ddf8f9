import { monotonicMs } from '../../adapters/monotonic-ms.js';
import { formatDuration } from '../../domain/quantity.js';
import { isTerminal } from './terminal.js';

const stderr = 2;
/** What is done sooner needs no spinner. */
const showAfterMs = 250;

/** A spinner with the elapsed time while `work` lasts, where somebody looks. */
export async function withProgress<T>(text: string, quiet: boolean, work: () => Promise<T>): Promise<T> {
  if (quiet || !isTerminal(stderr)) return work();
  const began = monotonicMs();
  let done = false;
  let stop = () => {};
  const timer = setTimeout(async () => {
    const { yoctoSpinner } = await import('./spinner.js');
    if (done) return;
    const spinner = yoctoSpinner({ text, stream: process.stderr }).start();
    const ticker = setInterval(() => {
      spinner.text = `${text} ${formatDuration(Math.floor((monotonicMs() - began) / 1_000) * 1_000)}`;
    }, 1_000);
    stop = () => {
      clearInterval(ticker);
      spinner.stop();
    };
  }, showAfterMs);
  timer.unref();
  try {
    return await work();
  } finally {
    done = true;
    clearTimeout(timer);
    stop();
  }
}
