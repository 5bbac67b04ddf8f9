import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildWhereNeeded } from './build-where-needed.js';
import { describeProcess, isSupervisor, killSeen, markedProcesses } from './processes.js';
import { installedPackage } from './suite.js';
import { waitFor } from './wait-for.js';

/** How long the pools of the workers may take to end. */
const poolsEndMs = 10_000;

/**
 * Before all tests: builds what they run, and gives the run a temporary folder of its own, in which everything that asks
 * for one ends up. After them: fails the run where a daemon of that folder still lives.
 */
export default function setup(): () => Promise<void> {
  if (installedPackage === undefined) buildWhereNeeded();
  // The developer's own settings make tests differ, and would have his own home used.
  for (const name of Object.keys(process.env)) if (/^(DAEMONRY_(?!TEST_)|XDG_)/.test(name)) delete process.env[name];
  const before = process.env.TMPDIR;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dmt-')));
  // Other users may pass through: each test closes its own folder, or opens it to them.
  chmodSync(folder, 0o711);
  process.env.TMPDIR = folder;

  return async () => {
    // vitest has begun to end the workers, and does not wait for it: each ends its pool first, whose folders go with the last process.
    const poolsEnded = () => !readdirSync(folder).some((name) => name.startsWith('dp-'));
    await waitFor('the end of the pools', poolsEnded, poolsEndMs).catch(() => {});
    const left = markedProcesses(folder);
    const said = left.map(({ pid }) => describeProcess(pid));
    for (const seen of left.filter(isSupervisor)) killSeen(seen);
    for (const seen of markedProcesses(folder)) killSeen(seen);
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    if (left.length === 0) return;
    // vitest prints what a teardown throws, and succeeds all the same.
    process.exitCode = 1;
    throw new Error(`the tests left daemons behind: ${said.join(', ')}`);
  };
}
