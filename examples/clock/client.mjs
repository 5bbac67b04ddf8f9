import { fileURLToPath } from 'node:url';
import { defineDaemon } from 'daemonry';

const clock = defineDaemon({
  name: 'clock',
  command: process.execPath,
  args: [fileURLToPath(new URL('clock.mjs', import.meta.url))],
  ready: 'socket',
});
const connection = await clock.connect();
console.log(await connection.request('clock.now'));
