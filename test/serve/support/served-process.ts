import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { waitFor } from '../../support/wait-for.js';
import { bundle } from './bundle.js';

/** What the scripted daemon is to do. */
export interface Script {
  readonly options?: { version?: string; idle?: string | number; drainMs?: number; onStopTimeoutMs?: number };
  readonly onStop?: 'throw' | 'never' | 'until-released';
  readonly onReload?: 'succeed' | 'throw';
  readonly onConnection?: 'throw';
  /** A method that it tries to define. */
  readonly overrides?: string;
}

export interface Launch {
  readonly script?: Script;
  readonly instanceId?: string;
  readonly socket?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** File descriptors from 3 on. */
  readonly descriptors?: readonly number[];
  /** Whether the descriptor names this instance from the start. Default true. */
  readonly described?: boolean;
}

/** Makes yards for the tests of a file, and clears each of them after its test. */
export function useYards(): () => Yard {
  const yards: Yard[] = [];
  afterEach(async () => {
    for (const yard of yards.splice(0)) await yard.dispose();
  });
  afterAll(() => Yard.disposeFixture());
  return () => {
    const yard = new Yard();
    yards.push(yard);
    return yard;
  };
}

/** A folder of one test's own, and the processes that it started: both gone after `dispose`. */
export class Yard {
  readonly folder = mkdtempSync(join(tmpdir(), 'dy-'));
  readonly #children: ChildProcess[] = [];
  static #fixture: Promise<string> | undefined;

  at(name: string): string {
    return join(this.folder, name);
  }

  describe(instanceId: string, phase?: 'starting' | 'ready'): void {
    writeFileSync(this.at('daemon.json'), JSON.stringify({ schema: 1, name: 'tested', instanceId, phase }));
  }

  /** Starts the scripted daemon, without waiting for anything. */
  async launch(launch: Launch = {}): Promise<ServedProcess> {
    Yard.#fixture ??= bundle('test/serve/fixtures/scripted-daemon.ts', join(mkdtempSync(join(tmpdir(), 'dy-')), 'scripted-daemon.mjs'));
    const { instanceId = randomUUID(), socket = this.at('s'), described = true } = launch;
    if (described) this.describe(instanceId);
    const events = this.at(`events-${instanceId}`);
    const child = spawn(process.execPath, [await Yard.#fixture], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe', ...(launch.descriptors ?? [])],
      env: {
        PATH: process.env.PATH,
        SCRIPT: JSON.stringify(launch.script ?? {}),
        EVENTS: events,
        DAEMONRY_NAME: 'tested',
        DAEMONRY_INSTANCE: instanceId,
        DAEMONRY_SOCKET: socket,
        DAEMONRY_DESCRIPTOR: this.at('daemon.json'),
        ...launch.env,
      },
    });
    this.#children.push(child);
    return new ServedProcess(child, instanceId, socket, events);
  }

  /** Starts it and waits until it serves. */
  async serve(launch: Launch = {}): Promise<ServedProcess> {
    const daemon = await this.launch(launch);
    await daemon.event('serving');
    return daemon;
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  static async disposeFixture(): Promise<void> {
    if (Yard.#fixture) rmSync(join(await Yard.#fixture, '..'), { recursive: true, force: true });
    Yard.#fixture = undefined;
  }
}

export class ServedProcess {
  readonly pid: number;
  readonly instanceId: string;
  readonly socket: string;
  readonly #child: ChildProcess;
  readonly #events: string;
  readonly #ended: Promise<{ code: number | null; signal: string | null }>;
  #stderr = '';

  constructor(child: ChildProcess, instanceId: string, socket: string, events: string) {
    this.#child = child;
    this.pid = child.pid as number;
    this.instanceId = instanceId;
    this.socket = socket;
    this.#events = events;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  events(): string[] {
    return existsSync(this.#events) ? readFileSync(this.#events, 'utf8').split('\n').slice(0, -1) : [];
  }

  /** Waits for an event that begins so. */
  event(beginning: string): Promise<string> {
    return waitFor(
      () => `the event ${beginning}, after ${this.events()}; stderr: ${this.#stderr}`,
      () => this.events().find((event) => event.startsWith(beginning)) ?? '',
    );
  }

  /** Waits until it ended by itself. */
  async end(): Promise<{ code: number | null; signal: string | null }> {
    let end: { code: number | null; signal: string | null } | undefined;
    void this.#ended.then((seen) => {
      end = seen;
    });
    return (await waitFor('the end of the daemon', () => end)) as { code: number | null; signal: string | null };
  }
}
