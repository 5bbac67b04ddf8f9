// A CommonJS program for compilers before TypeScript 5.8, to which `import` is a `require` that can't be.
import type { Daemon, RunningDaemon } from 'daemonry' with { 'resolution-mode': 'import' };

async function ensured(): Promise<RunningDaemon> {
  const { defineDaemon } = await import('daemonry');
  const daemon: Daemon = defineDaemon({ name: 'acme', command: 'sleep' });
  return daemon.ensure();
}

module.exports = { ensured };
