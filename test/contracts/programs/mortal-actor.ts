// A program that uses the machine and is killed at some moment. Answers each line of JSON on stdin with one on stdout.
import { createInterface } from 'node:readline';
import { composeMachine } from '../../../src/app/composition/compose.js';
import { machineSettings } from '../../../src/app/composition/settings.js';
import { type DaemonSpec, specDefaults } from '../../../src/domain/daemon-spec.js';
import type { DaemonRef } from '../../../src/domain/ports.js';

export type MortalRequest =
  | { readonly acquire: DaemonRef }
  | { readonly spawnGated: readonly string[]; readonly log: string }
  | { readonly who: true }
  | { readonly monotonicMs: true };

const machine = composeMachine(machineSettings({ home: process.argv[2] }));

async function answer(request: MortalRequest): Promise<unknown> {
  if ('who' in request) return machine.inspector.vantage();
  if ('monotonicMs' in request) return machine.clock.monotonicMs();
  if ('acquire' in request) return (await machine.lock.acquire(request.acquire, { timeoutMs: 10_000 })).ref;
  const spec: DaemonSpec = { ...specDefaults, command: request.spawnGated, cwd: '/' };
  const marks = { name: 'mortal', instanceId: 'mortal-1', descriptor: `${request.log}.json`, socket: `${request.log}.sock` };
  const command = await machine.spawner.resolve(spec);
  return (await machine.spawner.spawn({ command, marks, log: request.log, notifyFile: null })).identity;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
