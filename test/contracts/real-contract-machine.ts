import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { filesBeside } from '../../src/adapters/files/daemon-files.js';
import { NetHealthProber } from '../../src/adapters/net/net-health-prober.js';
import { SystemClock } from '../../src/adapters/system-clock.js';
import { composeMachine } from '../../src/app/composition/compose.js';
import { machineSettings } from '../../src/app/composition/settings.js';
import type { ProcessIdentity } from '../../src/domain/identity.js';
import type { DaemonRef, HeldLock, LifecycleLock, Machine, SupervisingMachine } from '../../src/domain/ports.js';
import type { ContractHost, ContractMachine, ContractPrograms, MortalActor } from './contract-machine.js';
import type { MortalRequest } from './programs/mortal-actor.js';

/** What differs from one kind of system to another. */
export interface RealSystem {
  programs(folder: string): ContractPrograms;
  socket(folder: string, file: string): string;
  /** Removes the folder of a machine whose processes have been ended. */
  remove(folder: string): void;
}

/** The machine that the tests run on, with a home of its own for each test. */
export function realMachine(system: RealSystem): ContractMachine {
  return new RealContractMachine(system);
}

class RealContractMachine implements ContractMachine {
  readonly folder = realpathSync.native(mkdtempSync(join(tmpdir(), 'contract-')));
  readonly home = join(this.folder, 'home');
  readonly machine: SupervisingMachine = {
    ...this.compose(),
    health: new NetHealthProber(),
    backgroundClock: new SystemClock(false),
  };
  readonly programs: ContractPrograms;
  readonly started: ProcessIdentity[] = [];
  readonly host: ContractHost = createHost(this);
  private readonly closers: (() => Promise<void> | void)[] = [];

  constructor(readonly system: RealSystem) {
    this.programs = system.programs(this.folder);
  }

  compose(): Machine {
    const machine = composeMachine(machineSettings({ home: this.home, env: { ...process.env, XDG_RUNTIME_DIR: undefined } }));
    return { ...machine, lock: this.returning(machine.lock) };
  }

  /** What a test has not let go of, Windows would not let us remove. */
  private returning(lock: LifecycleLock): LifecycleLock {
    return {
      acquire: async (ref, wait) => {
        const held = await lock.acquire(ref, wait);
        let release: HeldLock['release'] | undefined = () => held.release();
        const releaseOnce = () => {
          const once = release;
          release = undefined;
          return once?.();
        };
        this.onClose(async () => releaseOnce());
        return { ...held, release: releaseOnce };
      },
      holder: (ref) => lock.holder(ref),
    };
  }

  onClose(closer: () => Promise<void> | void): void {
    this.closers.push(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.closers) await closer();
    for (const identity of this.started) await this.end(identity);
    this.system.remove(this.folder);
  }

  private async end(leader: ProcessIdentity): Promise<void> {
    const { inspector, signals } = this.machine;
    const rows = await inspector.survey();
    // The group of a session that we have made; its leader may be gone by now.
    for (const row of rows.filter(
      ({ processGroup, session, zombie }) => processGroup === leader.pid && session === leader.pid && !zombie,
    )) {
      await signals.send({ ...leader, pid: row.pid, startToken: row.startToken }, 'SIGKILL');
    }
  }
}

function createHost(owner: RealContractMachine): ContractHost {
  const descriptorOf = async (ref: DaemonRef) => (await owner.machine.descriptors.place(ref)).descriptor;
  return {
    path: (file) => join(owner.folder, file),
    socket: (file) => owner.system.socket(owner.folder, file),
    secondActor: async () => owner.compose(),
    mortalActor: () => startMortalActor(owner),
    append: async (path, text) => appendFileSync(path, text, { mode: 0o600 }),
    exists: async (path) => existsSync(path),
    spoilDescriptor: async (ref, how) => {
      const path = await descriptorOf(ref);
      const text = how === 'newer' ? JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), schema: 2 }) : '{ "schema": 1,';
      writeFileSync(path, text);
    },
    hasSetAside: async (ref) => readdirSync(dirname(await descriptorOf(ref))).some((file) => file.endsWith('.bad')),
    leaveEndMarker: async (ref, instanceId) =>
      writeFileSync(filesBeside(await descriptorOf(ref)).ended, `${instanceId}\n`, { mode: 0o600 }),
    listen: (socket) => listen(owner, createServer(), socket),
    listenOnPort: () => listenOnPort(owner, createServer()),
    serveHttp: async (status) => {
      const server = createHttpServer((_, response) => response.writeHead(status, { location: '/elsewhere' }).end());
      return `http://127.0.0.1:${await listenOnPort(owner, server)}/ready`;
    },
    serveControl: async (socket, { isBusy, ...hello }) => {
      let shutdowns = 0;
      let reloads = 0;
      const answers: Record<string, () => unknown> = {
        'system.hello': () => ({ ...hello, protocol: 1 }),
        'system.status': () => ({ ...hello, connections: 1, busy: isBusy }),
        'system.shutdown': () => {
          shutdowns++;
          return true;
        },
        'system.reload': () => {
          reloads++;
          return true;
        },
        'system.ping': () => 'pong',
      };
      const server = createServer((connection) => speak(connection, answers));
      await listen(owner, server, socket);
      return { shutdowns: () => shutdowns, reloads: () => reloads };
    },
    strangerOfOtherUser: async () => {
      const here = await owner.machine.inspector.vantage();
      const other = (await owner.machine.inspector.survey()).find((row) => row.pid > 1 && row.uid !== here.uid && !row.zombie);
      if (!other) throw new Error('everybody here is us');
      return { ...here, pid: other.pid, startToken: other.startToken };
    },
    hiddenProcess: async () => {
      throw new Error('nobody hides here');
    },
  };
}

/** JSON-RPC in as few lines as any language would need, and with none of ours. */
function speak(connection: Socket, answers: Readonly<Record<string, () => unknown>>): void {
  createInterface({ input: connection }).on('line', (line) => {
    const { id, method } = JSON.parse(line);
    const answer = answers[method];
    const outcome = answer ? { result: answer() } : { error: { code: -32_601, message: 'unknown method' } };
    connection.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...outcome })}\n`);
  });
}

async function listenOnPort(owner: RealContractMachine, server: Server): Promise<number> {
  await listen(owner, server, 0);
  return (server.address() as AddressInfo).port;
}

async function listen(owner: RealContractMachine, server: Server, at: string | number): Promise<void> {
  const connections = new Set<Socket>();
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.on('error', () => {});
    connection.once('close', () => connections.delete(connection));
  });
  owner.onClose(() => {
    for (const connection of connections) connection.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (typeof at === 'string') server.listen(at, resolve);
    else server.listen(at, '127.0.0.1', resolve);
  });
}

let bundled: Promise<{ readonly folder: string; readonly file: string }> | undefined;

/** Node 20 runs no TypeScript. Where there is no esbuild either, the programs were brought along. */
function bundlePrograms(): Promise<{ readonly folder: string; readonly file: string }> {
  const brought = process.env.DAEMONRY_TEST_PROGRAMS;
  if (brought) return Promise.resolve({ folder: brought, file: join(brought, 'mortal-actor.mjs') });
  bundled ??= (async () => {
    const { build } = await import('esbuild');
    const folder = mkdtempSync(join(tmpdir(), 'contract-programs-'));
    const file = join(folder, 'mortal-actor.mjs');
    const entry = fileURLToPath(new URL('programs/mortal-actor.ts', import.meta.url));
    await build({
      entryPoints: [entry],
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    });
    return { folder, file };
  })();
  return bundled;
}

/** When all tests are over. */
export async function removePrograms(): Promise<void> {
  if (bundled) rmSync((await bundled).folder, { recursive: true, force: true });
}

async function startMortalActor(owner: RealContractMachine): Promise<MortalActor> {
  const { file } = await bundlePrograms();
  const child = spawn(process.execPath, [file, owner.home], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  owner.onClose(kill);
  const ask = async (request: MortalRequest) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the mortal actor has died of itself');
    return JSON.parse(value);
  };
  return {
    identity: await ask({ who: true }),
    acquire: async (ref) => {
      await ask({ acquire: ref });
    },
    spawnGated: async (command, log) => ask({ spawnGated: command, log }),
    monotonicMs: async () => ask({ monotonicMs: true }),
    kill,
  };
}
