const durationUnitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnitsBytes: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** The longest delay a timer takes (2^31 - 1 ms); a longer one would fire at once. */
export const longestDurationMs = 2_147_483_647;

export const durationRule = 'a duration is a number with ms, s, m, h or d, such as 500ms, 10s or 5m';
export const sizeRule = 'a size is a number with B, KB, MB or GB, such as 64KB or 10MB';

/** `500ms`, `10s`, `5m` in milliseconds; `undefined` for anything else, and for more than `mostMs`. */
export function parseDuration(text: string, mostMs = longestDurationMs): number | undefined {
  const found = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text);
  if (!found) return undefined;
  const ms = Math.round(Number(found[1]) * (durationUnitsMs[found[2] as string] as number));
  return ms <= mostMs ? ms : undefined;
}

/** `64KB`, `1MB` in bytes (powers of 1024), at least 1; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d{1,12}(?:\.\d{1,6})?)(B|KB|MB|GB)$/i.exec(text);
  if (!found) return undefined;
  const bytes = Math.round(Number(found[1]) * (sizeUnitsBytes[(found[2] as string).toUpperCase()] as number));
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Two figures at the most, for people: `850ms`, `12s`, `3m 5s`, `2h 10m`, `4d 3h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.floor(ms)}ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ${Math.floor((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3_600)}h`;
}

/** `512B`, `64KB`, `1.5MB`, for people. */
export function formatSize(bytes: number): string {
  const unit = bytes >= sizeUnitsBytes.GB! ? 'GB' : bytes >= sizeUnitsBytes.MB! ? 'MB' : bytes >= sizeUnitsBytes.KB! ? 'KB' : 'B';
  const value = bytes / sizeUnitsBytes[unit]!;
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)}${unit}`;
}
