/** What can happen to a program at one of its calls. */
export const faults = ['SIGKILL', 'ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EMFILE', 'EAGAIN', 'EPERM'] as const;
export type Fault = (typeof faults)[number];

/** Calls that fail alike. */
export type CallKind = keyof typeof errnosOf;

/** What the kernel may answer to each kind of call; another answer would be no fault that anybody can have. */
const errnosOf = {
  create: ['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EMFILE'],
  open: ['EIO', 'EACCES', 'EMFILE'],
  read: ['EIO'],
  write: ['ENOSPC', 'EIO'],
  sync: ['ENOSPC', 'EIO'],
  close: ['EIO'],
  /** To close what is on no disk. */
  'let-go': [],
  change: ['ENOSPC', 'EIO', 'EROFS', 'EACCES'],
  remove: ['EIO', 'EROFS', 'EACCES'],
  look: ['EIO', 'EACCES'],
  'look-open': ['EIO'],
  spawn: ['EMFILE', 'EACCES', 'EAGAIN'],
  fork: ['EAGAIN'],
  channel: ['EMFILE'],
  signal: ['EPERM'],
  connect: ['EACCES'],
  bind: ['EACCES', 'ENOSPC'],
  say: [],
} as const satisfies Record<string, readonly Fault[]>;

/** Calls that leave everything as it is: to be killed before one of them is to be killed before the next that does not. */
const changesNothing: readonly CallKind[] = ['open', 'read', 'sync', 'close', 'let-go', 'look', 'look-open', 'channel'];

export function faultsOf({ kind, text }: { readonly kind: CallKind; readonly text: string }): readonly Fault[] {
  // In /proc it is no fault: it says for good that a process is not ours to be looked at.
  const errnos = errnosOf[kind].filter((errno) => errno !== 'EACCES' || !text.includes('/proc'));
  return changesNothing.includes(kind) ? errnos : ['SIGKILL', ...errnos];
}
