import { existsSync } from 'node:fs';

/** The path of a Node by which it is still found after its upgrade, where it has such a one: Homebrew's own stands in a folder of its version. */
export function lastingNode(path: string, exists: (path: string) => boolean = existsSync): string {
  const [, prefix, formula] = /^(.*)\/Cellar\/(node(?:@\d+)?)\/[^/]+\/bin\/node$/.exec(path) ?? [];
  const lasting = `${prefix}/opt/${formula}/bin/node`;
  return prefix !== undefined && exists(lasting) ? lasting : path;
}
