type Slot = 'ignore' | 'pipe' | number;

/**
 * Puts `/dev/null` where the child would inherit something foreign. Closing it in the shell is no way: dash takes
 * `exec 251<&-` for a command named 251.
 */
export function coverStrays(slots: readonly Slot[], strays: readonly number[], cover: number): Slot[] {
  const length = Math.max(slots.length, ...strays.map((fd) => fd + 1));
  return Array.from({ length }, (_, fd) => {
    const slot = slots[fd] ?? 'ignore';
    return slot === 'ignore' && fd > 2 && strays.includes(fd) ? cover : slot;
  });
}
