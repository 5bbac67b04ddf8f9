import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/suite.js';
import type { TemporaryHome } from '../support/temporary-home.js';
import type { Call, Injector, Point, Program } from './injector.js';

const preload = join(projectRoot, 'test', 'faults', 'counted-calls.cjs');

/**
 * Faults by a module that Node loads first and that stands between a program and Node's own functions. Quick, and at hand
 * everywhere; but what a function does is one call here, whatever it asks of the kernel.
 */
export class LoaderInjector implements Injector {
  readonly name = 'loader';
  readonly missing = undefined;
  readonly canHide = true;

  around(home: TemporaryHome, { command: [file, ...args], env, absent = [] }: Program, point?: Point): Program {
    const plan = {
      record: recordOf(home),
      program: projectRoot,
      folder: home.folder,
      pids: pidsOf(home),
      absent,
      ...(point === undefined ? {} : { point: { text: point.call.text, nth: point.call.nth, fault: point.fault } }),
    };
    return { command: [file, '--require', preload, ...args], env: { ...env, FAULT_PLAN: JSON.stringify(plan) } };
  }

  calls(home: TemporaryHome): readonly Call[] {
    const record = recordOf(home);
    if (!existsSync(record)) return [];
    return readFileSync(record, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

function recordOf(home: TemporaryHome): string {
  return home.file('calls');
}

/** Of whom the program may read in `/proc`. */
function pidsOf(home: TemporaryHome): Readonly<Record<number, string>> {
  const leader = home.descriptor('clock')?.pid;
  return Object.fromEntries(home.processes().map(({ pid }) => [pid, pid === leader ? 'daemon' : 'kin']));
}
