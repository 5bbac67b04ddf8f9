import { win32 } from 'node:path';

export interface PipeOf {
  /** Whose it is: all users share one folder of pipes. */
  readonly user: string;
  /** Absolute. */
  readonly home: string;
  readonly name: string;
  readonly instanceId: string;
}

/** A name that no other user, home or instance has; its end is for people. */
export function pipeName({ user, home, name, instanceId }: PipeOf): string {
  // Neither users nor paths are told apart by case.
  const place = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(JSON.stringify([user.toLowerCase(), win32.normalize(home).toLowerCase(), name.toLowerCase()]))
    .digest('hex');
  return `\\\\.\\pipe\\daemonry-${place.slice(0, 12)}-${instanceId}-${name.slice(0, 40)}`;
}
