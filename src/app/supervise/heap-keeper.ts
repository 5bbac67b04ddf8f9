/** After so long without news, there is time. */
const calmMs = 1_000;

/**
 * V8 looks for what is dead when it needs room, and a supervisor that has started hundreds of daemons needs none for hours. So
 * what a burst of work left is collected once that is over. Without `--expose-gc`, V8 is left to itself.
 */
export class HeapKeeper {
  private timer: NodeJS.Timeout | undefined;

  /** There is work again. */
  disturb(): void {
    const { gc } = globalThis;
    if (!gc) return;
    if (this.timer) this.timer.refresh();
    else this.timer = setTimeout(() => void gc(), calmMs).unref();
  }
}
