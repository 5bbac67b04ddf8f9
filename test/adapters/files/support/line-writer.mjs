// A daemon that writes numbered lines to its standard output, as fast as it can, from `first` on. Most are short, some take many
// kilobytes, and some come in two parts. Ends when its standard input does, and then says in `count` how far it came.
import { writeFileSync, writeSync } from 'node:fs';

const [first, longLines, count] = process.argv.slice(2);
const out = 1;
let number = Number(first);
let isOver = false;
process.stdin.on('end', () => {
  isOver = true;
});
process.stdin.resume();

const line = (n) => `${n} ${'x'.repeat(n % 97 === 0 ? Number(longLines) : n % 61)} ${n}\n`;

function burst() {
  let text = '';
  for (let lines = 0; lines < 50; lines++) text += line(number++);
  // Cut anywhere: what one call writes is not what one line is.
  const bytes = Buffer.from(text);
  const half = Math.floor(bytes.length / 3);
  for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) for (let at = 0; at < part.length; ) at += writeSync(out, part, at);
  if (!isOver) return setImmediate(burst);
  writeFileSync(count, String(number));
}
burst();
