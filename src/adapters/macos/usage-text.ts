import type { ProcessUsage } from '../../domain/ports.js';

/**
 * What `parseUsage` reads. CPU time and not `pcpu`, which is a decaying average of the last minute.
 */
export const usageColumns: readonly string[] = ['-o', 'time=', '-o', 'rss=', '-o', 'etime='];

/** Reads one line of `usageColumns`. `undefined` for an empty answer. */
export function parseUsage(text: string): ProcessUsage | undefined {
  const [time, rssKb, elapsed] = text.trim().split(/\s+/);
  const cpuSeconds = parseSeconds(time ?? '');
  const uptimeSeconds = parseSeconds(elapsed ?? '');
  if (cpuSeconds === undefined || uptimeSeconds === undefined || !/^\d+$/.test(rssKb ?? '')) return undefined;
  return {
    uptimeMs: uptimeSeconds * 1_000,
    cpuPercent: uptimeSeconds > 0 ? (100 * cpuSeconds) / uptimeSeconds : 0,
    memoryBytes: Number(rssKb) * 1_024,
  };
}

/** `[[days-]hours:]minutes:seconds[.hundredths]`; CPU time lets its minutes grow past 59. */
function parseSeconds(text: string): number | undefined {
  const [, days = 0, hours = 0, minutes, seconds] = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (minutes === undefined) return undefined;
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}
