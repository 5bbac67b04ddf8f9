import type { SupervisorChannel } from '../../domain/delegate.js';
import type { SimulatedProcess } from './simulated-process.js';

/** Who answers at an address, and how. */
export interface Listener {
  readonly process: SimulatedProcess;
  /** `undefined` for one that accepts and says nothing we understand. */
  readonly control: ControlPeer | undefined;
  /** A supervisor does this for others. */
  readonly perform?: SupervisorPeer | undefined;
}

type Perform = SupervisorChannel['perform'];

export type SupervisorPeer = (verb: Parameters<Perform>[1], request: Parameters<Perform>[2]) => ReturnType<Perform>;

/** A daemon that speaks the control protocol. */
export interface ControlPeer {
  readonly instanceId: string;
  readonly name: string;
  readonly version: string | null;
  readonly answersAfterMs: number;
  readonly isBusy: boolean;
  readonly shutdown: () => void;
}

/** Sockets and ports, each by its path or number. They close with the process that listens there. */
export class SimulatedNetwork {
  private readonly listeners = new Map<string, Listener>();

  /** False where somebody listens already. */
  listen(address: string, listener: Listener): boolean {
    if (this.find(address)) return false;
    this.listeners.set(address, listener);
    listener.process.onEnd(() => {
      if (this.listeners.get(address) === listener) this.listeners.delete(address);
    });
    return true;
  }

  find(address: string): Listener | undefined {
    return this.listeners.get(address);
  }
}
