// Starts `ls -l /proc/self/fd` as the spawner starts a daemon, and prints which descriptors it took for strays.
import { LinuxProcessInspector } from '../../../../src/adapters/linux/linux-process-inspector.js';
import { strayDescriptors } from '../../../../src/adapters/linux/stray-descriptors.js';
import { PosixProcessSpawner } from '../../../../src/adapters/posix/posix-process-spawner.js';

const [, , folder = '', command = ''] = process.argv;
const strays = strayDescriptors();
const spawner = new PosixProcessSpawner({ env: process.env, inspector: new LinuxProcessInspector(process.env), strayDescriptors });

const launch = await spawner.spawn({
  command: { file: command, argv: ['-l', '/proc/self/fd'], cwd: folder, env: { PATH: process.env.PATH ?? '', PWD: folder }, gated: true },
  marks: { name: 'x', instanceId: 'i', descriptor: `${folder}/daemon.json`, socket: `${folder}/s` },
  log: `${folder}/daemon.log`,
  notifyFile: null,
});
await launch.open();
while (launch.end() === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
launch.release();
process.stdout.write(JSON.stringify({ strays, end: launch.end() }));
