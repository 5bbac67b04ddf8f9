import { isPlainMap } from './located-yaml.js';

/** What a daemon says goes over the defaults: mappings key by key, everything else as a whole. */
export function merge(defaults: Record<string, unknown>, own: Record<string, unknown>): Record<string, unknown> {
  const keys = new Set([...Object.keys(defaults), ...Object.keys(own)]);
  return Object.fromEntries([...keys].map((key) => [key, mergeOne(key, valueIn(defaults, key), valueIn(own, key))]));
}

function mergeOne(key: string, usual: unknown, own: unknown): unknown {
  if (own === undefined) return usual;
  const [a, b] = key === 'restart' ? [asMapping(usual), asMapping(own)] : [usual, own];
  // Not by spreading, which would set what stands behind __proto__ instead of a variable of that name.
  return isPlainMap(a) && isPlainMap(b) ? Object.fromEntries([a, b].flatMap(Object.entries)) : own;
}

/** A word is short for a policy alone. */
function asMapping(restart: unknown): unknown {
  return typeof restart === 'string' ? { policy: restart } : restart;
}

function valueIn(map: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
