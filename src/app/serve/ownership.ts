/** Whose a descriptor is. `unclear`: it can't be read as one, so it proves nothing. */
export type Ownership = 'ours' | 'not-ours' | 'unclear';

export function ownershipOf(descriptorText: string, instanceId: string): Ownership {
  try {
    const named = JSON.parse(descriptorText)?.instanceId;
    if (typeof named !== 'string') return 'unclear';
    return named === instanceId ? 'ours' : 'not-ours';
  } catch {
    return 'unclear';
  }
}
