const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C, a request to end, or a terminal that is gone: a way to leave a verb, which has its own end to make first. */
export class Interruption {
  private readonly controller = new AbortController();
  private again: (() => void) | undefined;
  private forward: ((signal: NodeJS.Signals) => void) | undefined;
  private readonly onSignal = (signal: NodeJS.Signals) => {
    if (this.forwarded.includes(signal)) this.forward?.(signal);
    else this.interrupt();
  };

  /** `forwarded`: signals that are somebody else's, and end nothing here. */
  constructor(private readonly forwarded: readonly NodeJS.Signals[] = []) {
    for (const signal of new Set([...signals, ...forwarded])) process.on(signal, this.onSignal);
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

  onForwarded(forward: (signal: NodeJS.Signals) => void): void {
    this.forward = forward;
  }

  dispose(): void {
    for (const signal of new Set([...signals, ...this.forwarded])) process.off(signal, this.onSignal);
  }
}
