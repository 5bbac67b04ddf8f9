/** Who waits for whom, by key. Every key that is named is a key of the map. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/** One cycle for each knot of them, as `a, b, a`; empty where there is an order. */
export function findCycles(graph: DependencyGraph): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of graph.keys()) {
    const path: string[] = [];
    // A stack of its own: a chain may be longer than the engine's.
    const pending: { readonly key: string; readonly leave: boolean }[] = [{ key: start, leave: false }];
    for (let step = pending.pop(); step; step = pending.pop()) {
      if (step.leave) {
        path.pop();
        done.add(step.key);
        continue;
      }
      const at = path.indexOf(step.key);
      if (at >= 0) cycles.push([...path.slice(at), step.key]);
      if (at >= 0 || done.has(step.key)) continue;
      path.push(step.key);
      pending.push({ key: step.key, leave: true });
      for (const next of [...(graph.get(step.key) ?? [])].reverse()) pending.push({ key: next, leave: false });
    }
  }
  return cycles;
}

/** What can be started together, one after the other: each wave waits for earlier ones only. Within a wave, the order of the map. */
export function wavesOf(graph: DependencyGraph): readonly (readonly string[])[] {
  const waves: string[][] = [];
  const placed = new Set<string>();
  while (placed.size < graph.size) {
    const wave = [...graph].filter(([key, needs]) => !placed.has(key) && needs.every((need) => placed.has(need))).map(([key]) => key);
    if (wave.length === 0) throw new TypeError('a graph with a cycle has no order');
    for (const key of wave) placed.add(key);
    waves.push(wave);
  }
  return waves;
}

/** The keys with all that they wait for. */
export function withDependencies(graph: DependencyGraph, keys: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>(keys);
  // A set goes on over what is added to it meanwhile.
  for (const key of found) for (const need of graph.get(key) ?? []) found.add(need);
  return found;
}

/** The keys with all that waits for them. */
export function withDependents(graph: DependencyGraph, keys: Iterable<string>): ReadonlySet<string> {
  return withDependencies(reversed(graph), keys);
}

/** Who is waited for by whom. */
export function reversed(graph: DependencyGraph): DependencyGraph {
  const back = new Map<string, string[]>([...graph.keys()].map((key) => [key, []]));
  for (const [key, needs] of graph) for (const need of needs) back.get(need)?.push(key);
  return back;
}
