const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C, a request to end, or a terminal that is gone: a way to leave a verb, which has its own end to make first. */
export class Interruption {
  private readonly controller = new AbortController();
  private again: (() => void) | undefined;
  private readonly onSignal = () => this.interrupt();

  constructor() {
    for (const signal of signals) process.on(signal, this.onSignal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  interrupt(): void {
    if (this.controller.signal.aborted) this.again?.();
    else this.controller.abort();
  }

  /** What a second one asks for. */
  onceMore(again: () => void): void {
    this.again = again;
  }

  dispose(): void {
    for (const signal of signals) process.off(signal, this.onSignal);
  }
}
