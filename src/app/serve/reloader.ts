/** Runs one reload at a time. Who asks during one shares the next, which sees everything changed until then. */
export class Reloader {
  readonly #reload: () => unknown;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(reload: () => unknown) {
    this.#reload = reload;
  }

  run(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    this.#running = Promise.resolve()
      .then(async () => {
        await this.#reload();
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
