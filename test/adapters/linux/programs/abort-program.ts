// Starts a daemon whose gate is stopped, takes it back, and says so.
import { LinuxProcessInspector } from '../../../../src/adapters/linux/linux-process-inspector.js';
import { PosixProcessSpawner } from '../../../../src/adapters/posix/posix-process-spawner.js';

const [, , folder = '', command = ''] = process.argv;
const spawner = new PosixProcessSpawner({
  env: process.env,
  inspector: new LinuxProcessInspector(process.env),
  strayDescriptors: () => [],
});

const launch = await spawner.spawn({
  command: { file: command, argv: [], cwd: folder, env: { PATH: process.env.PATH ?? '', PWD: folder }, gated: true },
  marks: { name: 'x', instanceId: 'i', descriptor: `${folder}/daemon.json`, socket: `${folder}/s` },
  log: `${folder}/daemon.log`,
  notifyFile: null,
});
process.kill(launch.identity.pid, 'SIGSTOP');
await launch.abort();
process.stdout.write(JSON.stringify(launch.end()));
