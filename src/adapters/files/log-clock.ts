import { naming } from './file-errors.js';
import { LogPieces } from './log-pieces.js';
import { offsetSince, readTimes, type TimeMark, tighten, timeAt } from './log-times.js';

/** When the parts of a log were written, as far as that is known: what was noted, and when its files were last written to. */
export class LogClock {
  private constructor(
    private readonly marks: readonly TimeMark[],
    /** Whether anybody noted times. Where nobody did, whole files are all that can be told apart. */
    readonly isNoted: boolean,
  ) {}

  static read(path: string): LogClock {
    const noted = readTimes(path);
    const log = naming(path, 'read', () => LogPieces.open(path));
    try {
      const files = log.pieces.map(({ writtenMs, end }) => ({ ms: Math.ceil(writtenMs), offset: end }));
      return new LogClock(tighten([...(noted ?? []), ...files]), noted !== undefined && noted.length > 0);
    } finally {
      log.close();
    }
  }

  /** When what begins at this offset was there at the latest. ISO 8601. */
  timeOf(offset: number): string | undefined {
    const ms = timeAt(this.marks, offset);
    return ms === undefined ? undefined : new Date(ms).toISOString();
  }

  /** Where to begin, so that nothing written since then is left out. */
  offsetSince(ms: number): number | 'oldest' {
    return offsetSince(this.marks, ms) ?? 'oldest';
  }
}
