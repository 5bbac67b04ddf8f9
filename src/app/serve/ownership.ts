/** Whether its starter still waits for this instance: it may be about to connect. */
export function isBeingStarted(descriptorText: string, instanceId: string): boolean {
  try {
    const record = JSON.parse(descriptorText);
    return record?.instanceId === instanceId && record.phase === 'starting';
  } catch {
    return false;
  }
}

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
