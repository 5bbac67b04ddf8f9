import { behindLinks } from '../../../adapters/files/file-log-store.js';
import { LogFollower } from '../../../adapters/files/log-follower.js';
import { checkedFolderName } from '../../../domain/daemon-name.js';
import { look } from '../../../domain/look.js';
import type { Machine } from '../../../domain/ports.js';
import { notFound } from '../../../domain/restart-daemon.js';
import type { Answer } from '../answer.js';
import { Interruption } from '../interruption.js';
import { type Invocation, UsageError } from '../invocation.js';
import { type LogSelection, readSelection } from '../log-selection.js';
import { LogView } from '../log-view.js';
import { type Colour, terminal } from '../terminal.js';
import type { VerbContext } from './context.js';

const followPollMs = 100;
const stdout = 1;
/** One for each daemon, over again where there are more. */
const colours: readonly Colour[] = ['cyan', 'yellow', 'green', 'magenta', 'blue'];

interface LogSource {
  readonly name: string;
  readonly path: string;
}

export async function logs(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const names = [...new Set(invocation.names.map(checkedFolderName))];
  const follow = invocation.has('--follow');
  if (follow && invocation.json) throw new UsageError('logs --follow gives no single JSON object', 'leave out --json or --follow');
  const selection = readSelection(invocation, Date.parse(machine.clock.wallTime()));
  const sources: LogSource[] = [];
  for (const name of names) sources.push({ name, path: await logPathOf(machine, name) });
  const [only] = sources;
  const isPlain = selection.sinceMs === undefined && selection.grep === undefined && !selection.timestamps;
  if (only && sources.length === 1 && isPlain) return follow ? followOne(machine, only, selection) : showOne(machine, only, selection);
  return follow ? followAll(machine, sources, selection) : showAll(sources, selection);
}

async function showOne(machine: Machine, { name, path }: LogSource, { count }: LogSelection): Promise<Answer> {
  const lines = await machine.logs.tail(path, count);
  return { json: { name, lines }, lines, exitCode: 0 };
}

function showAll(sources: readonly LogSource[], selection: LogSelection): Answer {
  const results: { name: string; lines: readonly string[] }[] = [];
  const warnings: string[] = [];
  for (const { name, path } of sources) {
    const view = new LogView(name, path, selection);
    try {
      results.push({ name, lines: view.all() });
      warnings.push(...view.doubts());
    } finally {
      view.close();
    }
  }
  const prefixes = prefixesOf(sources);
  const lines = results.flatMap(({ name, lines: of }) => of.map((line) => `${prefixes.get(name)}${line}`));
  const json = results.length === 1 ? { ...results[0] } : { results };
  return { json, lines, warnings, exitCode: 0 };
}

/** As it is written, also half a line. */
async function followOne(machine: Machine, { path }: LogSource, { count }: LogSelection): Promise<Answer> {
  const follower = new LogFollower(path, 'end');
  return untilInterrupted(machine, [follower], async (isFirst) => {
    if (!isFirst) return terminal.out(follower.read());
    // Up to where the following begins, so that no line falls between the two, and none comes twice.
    const lines = await machine.logs.tail(path, count, 0, follower.offset);
    return lines.length === 0 || terminal.out(lines.join('\n') + (follower.isAtLineStart ? '\n' : ''));
  });
}

/** Line by line, so that those of several daemons do not get into each other. */
async function followAll(machine: Machine, sources: readonly LogSource[], selection: LogSelection): Promise<Answer> {
  const prefixes = prefixesOf(sources);
  const views = sources.map(({ name, path }) => new LogView(name, path, selection));
  for (const doubt of views.flatMap((view) => view.doubts())) terminal.err(`warning: ${doubt}\n`);
  return untilInterrupted(machine, views, async (isFirst) => {
    for (const view of views) {
      const lines = (isFirst ? view.present() : view.more()) ?? [];
      if (lines.length > 0 && !terminal.out(lines.map((line) => `${prefixes.get(view.name)}${line}\n`).join(''))) return false;
    }
    return true;
  });
}

/** Until a signal, or until nobody hears us any more. */
async function untilInterrupted(
  machine: Machine,
  open: readonly { close(): void }[],
  pass: (isFirst: boolean) => Promise<boolean>,
): Promise<Answer> {
  const interruption = new Interruption();
  try {
    for (let isFirst = true; !interruption.signal.aborted && (await pass(isFirst)); isFirst = false) {
      await machine.clock.sleep(followPollMs, interruption.signal);
    }
  } finally {
    for (const one of open) one.close();
    interruption.dispose();
  }
  return { json: {}, lines: [], exitCode: 0 };
}

/** Whose line it is; nothing where there is only one. */
function prefixesOf(sources: readonly LogSource[]): ReadonlyMap<string, string> {
  const width = Math.max(...sources.map(({ name }) => name.length));
  const prefix = (name: string, index: number) =>
    terminal.paint(stdout, colours[index % colours.length] as Colour, `${name.padEnd(width)} |`);
  return new Map(sources.map(({ name }, index) => [name, sources.length === 1 ? '' : `${prefix(name, index)} `]));
}

/** Where its log is, running or not. Throws `not-found` for a name never known. */
async function logPathOf(machine: Machine, name: string): Promise<string> {
  const view = await look(machine, { name });
  if (!view.place.known) throw notFound(name);
  const spec = await machine.descriptors.readSpec({ name });
  return view.descriptor?.log ?? (spec?.log ? behindLinks(spec.log) : view.place.log);
}
