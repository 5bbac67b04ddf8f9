// Claims `first`, and then `second` as a link to it, without a descriptor left to read it again. Prints what came of it.
import { closeSync, existsSync, openSync } from 'node:fs';
import { claimFile } from '../../../../src/adapters/files/claim-file.js';
import { LinuxProcessInspector } from '../../../../src/adapters/linux/linux-process-inspector.js';

const [, , first = '', second = ''] = process.argv;
const me = { ...new LinuxProcessInspector(process.env).vantage(), by: 'claim', nonce: `nonce-of-${process.pid}` } as const;
const claim = (path: string, like?: string) => {
  try {
    return claimFile(path, me, () => false, like) ? 'won' : 'lost';
  } catch (error) {
    return (error as { facts?: { errno?: string } }).facts?.errno ?? String(error);
  }
};

const answers = [claim(first)];
const taken: number[] = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch (error) {
  answers.push((error as NodeJS.ErrnoException).code as string);
}
answers.push(claim(second, first));
for (const fd of taken) closeSync(fd);
answers.push(existsSync(second) ? 'there' : 'gone', claim(second, first));
process.stdout.write(`${answers.join(' ')}\n`);
