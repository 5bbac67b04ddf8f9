// Rotates one log as a supervisor does, as a process of its own.
// Usage: <log> <maxBytes> <keep> <collapse|punch|none> [loop]. Prints each outcome; `loop`: until stdin ends.
import { FileLogStore } from '../../../../src/adapters/files/file-log-store.js';
import type { HeldLock } from '../../../../src/domain/ports.js';
import { type AbilityKind, limitedTo } from '../support/limited-shortener.js';

const [log, maxBytes, keep, ability, loop] = process.argv.slice(2) as [string, string, string, AbilityKind, string?];
const held: HeldLock = { ref: { name: 'x' }, release: () => {} };
const store = new FileLogStore({ place: () => ({ log }) } as never, limitedTo(ability));
const rotate = () => store.rotate(held, { ref: held.ref, file: null, maxBytes: Number(maxBytes), keep: Number(keep) });

if (loop === undefined) {
  process.stdout.write(`${await rotate()}\n`);
} else {
  let isOver = false;
  process.stdin.on('end', () => {
    isOver = true;
  });
  process.stdin.resume();
  while (!isOver) {
    await rotate();
    store.noteTime(log);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
