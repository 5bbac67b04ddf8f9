import type { Writable } from 'node:stream';
import { DaemonError } from '../../domain/daemon-error.js';

/** What a write fails with where nobody is there to read. */
const gone = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/**
 * Writes to the streams of a host program. A reader that is gone, as the other end of a pipe into `head` may be, is no
 * failure of ours, and must not become an unhandled `error` of the host's.
 */
export class VerbOutput {
  /** Nobody reads stdout any more. */
  isUnheard = false;

  private readonly broken = new Set<Writable>();
  private readonly onError = new Map<Writable, () => void>();

  constructor(
    private readonly stdout: Writable,
    private readonly stderr: Writable,
  ) {
    for (const stream of new Set([stdout, stderr])) {
      const onError = () => this.breakOff(stream);
      this.onError.set(stream, onError);
      stream.on('error', onError);
    }
  }

  /** Throws `unwritable` where the system refuses. */
  async out(text: string): Promise<void> {
    const errno = await this.write(this.stdout, text);
    if (errno === undefined || gone.has(errno)) return;
    throw new DaemonError('unwritable', `can't write to the standard output: ${errno}`, { stream: 'stdout', errno });
  }

  /** Whoever can't be told can't be told that, either. */
  async err(text: string): Promise<void> {
    await this.write(this.stderr, text);
  }

  /** Leaves a stream that has failed what it needs: its error may come after the write that caused it. */
  dispose(): void {
    for (const [stream, onError] of this.onError) if (!this.broken.has(stream)) stream.off('error', onError);
  }

  /** Until it is written, so that a host may exit right after. Returns what it failed with. */
  private write(stream: Writable, text: string): Promise<string | undefined> {
    if (text === '' || this.broken.has(stream)) return Promise.resolve(undefined);
    if (stream.destroyed || stream.writableEnded) {
      this.breakOff(stream);
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      stream.write(text, (error) => {
        if (error) this.breakOff(stream);
        resolve(error ? ((error as NodeJS.ErrnoException).code ?? 'EIO') : undefined);
      });
    });
  }

  private breakOff(stream: Writable): void {
    this.broken.add(stream);
    if (stream === this.stdout) this.isUnheard = true;
  }
}
