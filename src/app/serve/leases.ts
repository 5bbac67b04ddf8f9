import { isDead, type ProcessIdentity } from '../../domain/identity.js';
import { sight } from '../../domain/look.js';
import { type Owner, parseIdentity } from '../../domain/owner.js';
import type { ProcessInspector } from '../../domain/ports.js';
import { machineSettings } from '../composition/settings.js';

/** How often the processes that own it are looked at. */
const lookMs = 1_000;
/** More are not looked at each second. */
const mostProcesses = 1_000;
/** How long the first who wants to hold it by a connection has to come. */
const firstLeaseMs = 60_000;

/** One end of a connection that holds a lease for as long as it is open. */
interface Holder {
  onClose(listener: () => void): void;
}

/**
 * Who a daemon is there for. It is owned only where its starter said so: nobody can make a daemon end that was to stay, by
 * leasing it and going. Whether a process lives is asked of its identity, never of its pid; one that can't be judged lives.
 */
export class Leases {
  readonly isOwned: boolean;
  readonly #onLeft: () => void;
  readonly #holders = new Set<Holder>();
  #processes: readonly ProcessIdentity[];
  #inspector: ProcessInspector | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `onLeft` hears, perhaps more than once, that nobody is left. */
  constructor(first: Owner | null, onLeft: () => void) {
    this.isOwned = first !== null;
    this.#processes = first === null || first === 'connection' ? [] : [first];
    this.#onLeft = onLeft;
  }

  /** How many processes and connections it is there for; `undefined` where it stays. */
  get ownerCount(): number | undefined {
    return this.isOwned ? this.#holders.size + this.#processes.length : undefined;
  }

  get isHeld(): boolean {
    return !this.isOwned || this.#holders.size > 0 || this.#processes.length > 0;
  }

  /** Before the socket is there: reads what sees processes, which most daemons never need, and which may be replaced on disk later. */
  async prepare(): Promise<void> {
    if (!this.isOwned) return;
    // Not as the build knows it, which would have every daemon read it at its start: that takes longer than all the rest.
    const composition = import('../composition/compose.js');
    this.#inspector = (await composition).composeInspector(machineSettings());
  }

  /** From when it is ready. */
  watch(): void {
    if (this.#processes.length > 0) this.#lookOn();
    else if (!this.isHeld) this.#timer = setTimeout(() => this.#report(), firstLeaseMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Takes a lease for a process, or for the connection itself. False where the daemon is nobody's, or that is no process. */
  take(holder: Holder, owner: unknown): boolean {
    if (!this.isOwned) return false;
    if (owner === undefined) return this.#hold(holder);
    const identity = parseIdentity(owner);
    if (!identity) return false;
    const isNew = !this.#processes.some(({ pid, startToken }) => pid === identity.pid && startToken === identity.startToken);
    if (isNew && this.#processes.length >= mostProcesses) return false;
    if (isNew) this.#processes = [...this.#processes, identity];
    this.#lookOn();
    return true;
  }

  #hold(holder: Holder): true {
    if (this.#holders.has(holder)) return true;
    this.#holders.add(holder);
    holder.onClose(() => {
      this.#holders.delete(holder);
      this.#report();
    });
    return true;
  }

  #lookOn(): void {
    this.stop();
    this.#timer = setTimeout(() => void this.#look(), lookMs).unref();
  }

  async #look(): Promise<void> {
    const looked = this.#processes;
    const dead: ProcessIdentity[] = [];
    try {
      for (const identity of looked) if (this.#inspector && isDead(await sight(this.#inspector, identity))) dead.push(identity);
    } catch {
      // What can't be seen now may be at the next look.
    }
    this.#processes = this.#processes.filter((identity) => !dead.includes(identity));
    if (this.#processes.length > 0) this.#lookOn();
    else this.#report();
  }

  #report(): void {
    if (!this.isHeld) this.#onLeft();
  }
}
