// Claims a file once, at the word on stdin, and keeps the claim until stdin ends. Prints `ready`, then `won` or `lost`.
import { createInterface } from 'node:readline';
import { claimFile } from '../../../../src/adapters/files/claim-file.js';
import { LinuxProcessInspector } from '../../../../src/adapters/linux/linux-process-inspector.js';
import { isDead, judgeObservation } from '../../../../src/domain/identity.js';

const [, , path = ''] = process.argv;
const inspector = new LinuxProcessInspector(process.env);
const me = { ...inspector.vantage(), by: 'claim', nonce: `nonce-of-${process.pid}` } as const;

process.stdout.write('ready\n');
for await (const _ of createInterface({ input: process.stdin })) {
  const won = claimFile(path, me, (holder) => isDead(judgeObservation(holder, inspector.observe(holder.pid))));
  process.stdout.write(won ? 'won\n' : 'lost\n');
}
