import { checkedFolderName } from '../../../domain/daemon-name.js';
import { type DaemonView, lookClosely } from '../../../domain/look.js';
import { notFound } from '../../../domain/restart-daemon.js';
import type { Answer } from '../answer.js';
import { Interruption } from '../interruption.js';
import type { Invocation } from '../invocation.js';
import { terminal } from '../terminal.js';
import type { VerbContext } from './context.js';

const pollMs = 100;

/** A line of JSON for each change of a daemon's state, phase or instance, until it is interrupted. Nothing is asked but the disk and the process table. */
export async function events(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const chosen = invocation.names.map(checkedFolderName);
  for (const name of chosen) if (!(await machine.descriptors.place({ name })).known) throw notFound(name);
  const interruption = new Interruption();
  const known = new Map<string, Seen>();
  const tell = (event: Record<string, unknown>) => {
    if (!terminal.out(`${JSON.stringify({ at: machine.clock.wallTime(), ...event })}\n`)) interruption.interrupt();
  };
  try {
    for (let round = 0; !interruption.signal.aborted; round++) {
      const names = chosen.length > 0 ? chosen : await machine.descriptors.names();
      for (const name of names) {
        const view = await lookClosely(machine, { name });
        // It has ended, and whoever stopped it has not cleared its record yet: what comes of that is told at the next look.
        if (view.reason === 'being-stopped') continue;
        const before = known.get(name);
        known.set(name, seenIn(view));
        // What there is at the beginning has not changed; what is new after it has.
        if (before || round > 0) for (const event of changes(view, before ?? nothing)) tell(event);
      }
      await machine.clock.sleep(pollMs, interruption.signal);
    }
  } finally {
    interruption.dispose();
  }
  return { json: null, lines: [], exitCode: 0 };
}

interface Seen {
  readonly state: string;
  readonly phase: string | null;
  readonly instanceId: string | null;
}

const nothing: Seen = { state: 'stopped', phase: null, instanceId: null };

function seenIn({ state, phase, descriptor }: DaemonView): Seen {
  return { state, phase, instanceId: state === 'running' ? (descriptor?.instanceId ?? null) : null };
}

function changes(view: DaemonView, before: Seen): readonly Record<string, unknown>[] {
  const { state, phase, instanceId } = seenIn(view);
  const { name } = view.place;
  const event = (from: string) => ({ name, from, to: state, phase, reason: view.reason });
  // A restart that was quicker than two looks.
  if (before.state === 'running' && state === 'running' && before.instanceId !== instanceId) {
    return [{ name, from: 'running', to: 'stopped', phase: null, reason: 'process-gone' }, event('stopped')];
  }
  return before.state === state && before.phase === phase ? [] : [event(before.state)];
}
