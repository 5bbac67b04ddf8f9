import { Writable } from 'node:stream';
import { waitFor } from '../../support/wait-for.js';

/** A stream that keeps what is written to it. */
export class CapturedStream extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }

  async says(text: string): Promise<void> {
    await waitFor(
      () => `${JSON.stringify(text)}; it said ${JSON.stringify(this.text)}`,
      () => this.text.includes(text),
    );
  }
}

/** Both streams of a verb, and what it exits with. */
export class Captured {
  readonly stdout = new CapturedStream();
  readonly stderr = new CapturedStream();

  /** The one JSON object on stdout. Fails where there is anything else. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects to find.
  get json(): any {
    if (!/^\{.*\}\n$/.test(this.stdout.text) || this.stderr.text !== '')
      throw new Error(`not one line with one JSON object: ${JSON.stringify([this.stdout.text, this.stderr.text])}`);
    return JSON.parse(this.stdout.text);
  }
}
