// On what was measured, and what.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './stage.mjs';

export const load = () => loadavg().map((value) => Number(value.toFixed(2)));

export function machine() {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    daemonry: JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version,
    node: process.versions.node,
    system: `Linux ${release()}`,
    cores: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
}
