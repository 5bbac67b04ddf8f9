const [head, tail] = [60, 20];

/** A value as a message names it: whatever it is, on one line, and without its middle where it is long. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(shortened(value)) : shortened(written(value));
}

function shortened(text: string): string {
  return text.length <= head + tail ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

function written(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value) ?? 'an object';
  } catch {
    // One that contains itself, a BigInt, or what throws when it is read.
    return 'an object';
  }
}
