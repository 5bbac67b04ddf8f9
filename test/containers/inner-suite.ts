import type { StartedTestContainer } from 'testcontainers';
import { processesOf } from './row-container.js';
import { filesOf, type Part, type Row } from './rows.js';

/** How the tests inside a container ended. */
export interface InnerResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why it failed, with all that is known about it. */
  readonly failure: string | undefined;
}

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

const most = { seconds: 540, outputCharacters: 20_000 };

/** Runs the row's part of the suite inside, against the installed package. */
export async function runInside(container: StartedTestContainer, row: Row, part: Exclude<Part, 'scenarios'>): Promise<InnerResult> {
  const folder = row.folder ?? '/tmp';
  const report = `${folder}/report.json`;
  const environment = {
    ...row.environment,
    TMPDIR: folder,
    NO_COLOR: '1',
    DAEMONRY_TEST_PACKAGE: '/opt/app/node_modules/daemonry',
    DAEMONRY_TEST_ENVIRONMENT: JSON.stringify(row.environment ?? {}),
  };
  const vitest = ['node', 'node_modules/vitest/vitest.mjs', 'run', '--project=sociable', '--maxWorkers=2', ...readOnlyOptions];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = ['timeout', '-s', 'KILL', String(most.seconds), ...vitest, ...reporters, ...filesOf[part]];
  const asUser = row.system === 'systemd' ? { user: row.user } : {};
  await container.exec(['mkdir', '-p', folder], asUser);
  const { exitCode, output } = await container.exec(inSession(row, command, environment), {
    ...asUser,
    workingDir: '/opt/app/suite',
    env: environment,
  });
  const said = (await container.exec(['cat', report], asUser)).stdout;
  const counts = parse(said);
  const isFine = exitCode === 0 && counts?.success === true && counts.numPassedTests > 0;
  return {
    passed: counts?.numPassedTests ?? 0,
    failed: counts?.numFailedTests ?? 0,
    skipped: counts?.numPendingTests ?? 0,
    failure: isFine ? undefined : `${tailOf(output)}\nexit code ${exitCode}\nprocesses:\n${await processesOf(container)}`,
  };
}

/** For what can't be written beside the suite. */
const readOnlyOptions = ['--configLoader=runner', '--cache=false'];

/** Where systemd is, as a service of the user's own manager, in which no login has a part. */
function inSession(row: Row, command: string[], environment: Readonly<Record<string, string>>): string[] {
  if (row.system !== 'systemd') return command;
  const settings = Object.entries(environment).map(([name, value]) => `--setenv=${name}=${value}`);
  return [
    'systemd-run',
    '--user',
    '--pipe',
    '--wait',
    '--quiet',
    '--collect',
    '--working-directory=/opt/app/suite',
    ...settings,
    ...command,
  ];
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** From the failures on, less what merely passed. */
function tailOf(output: string): string {
  const lines = output.split('\n').filter((line) => !/^\s*[✓↓]/.test(line));
  return lines.join('\n').slice(-most.outputCharacters);
}
