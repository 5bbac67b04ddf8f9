/** False only where the kernel says that nobody is in this group. Zombies are in it, until they are reaped. */
export function mayHaveMembers(processGroup: number): boolean {
  if (!Number.isSafeInteger(processGroup) || processGroup <= 1) return true;
  try {
    process.kill(-processGroup, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
