export interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/** A binary heap: the earliest timer first, and of two for one moment the one that was set first. */
export class TimerQueue {
  private readonly heap: Timer[] = [];
  private order = 0;

  add(dueMs: number, fire: () => void): { cancel(): void } {
    const timer: Timer = { dueMs, order: this.order++, fire, cancelled: false };
    this.heap.push(timer);
    this.rise(this.heap.length - 1);
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  nextDueMs(): number | undefined {
    while (this.heap[0]?.cancelled) this.removeFirst();
    return this.heap[0]?.dueMs;
  }

  take(): Timer | undefined {
    return this.nextDueMs() === undefined ? undefined : this.removeFirst();
  }

  private removeFirst(): Timer | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (last && this.heap.length > 0) {
      this.heap[0] = last;
      this.sink();
    }
    return first;
  }

  private rise(from: number): void {
    for (let index = from; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (!this.isBefore(index, parent)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private sink(): void {
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < this.heap.length && this.isBefore(left, least)) least = left;
      if (right < this.heap.length && this.isBefore(right, least)) least = right;
      if (least === index) return;
      this.swap(index, least);
      index = least;
    }
  }

  private isBefore(a: number, b: number): boolean {
    const left = this.heap[a] as Timer;
    const right = this.heap[b] as Timer;
    return left.dueMs === right.dueMs ? left.order < right.order : left.dueMs < right.dueMs;
  }

  private swap(a: number, b: number): void {
    const left = this.heap[a] as Timer;
    this.heap[a] = this.heap[b] as Timer;
    this.heap[b] = left;
  }
}
