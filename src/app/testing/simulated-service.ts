import type { SimulatedProcess } from '../../adapters/simulated/simulated-process.js';
import type { SimulatedMethod } from './simulated-program.js';

/** What a simulated process serves, and to how many. */
export interface SimulatedService {
  readonly methods: Readonly<Record<string, SimulatedMethod>>;
  connections: number;
}

export type SimulatedServices = WeakMap<SimulatedProcess, SimulatedService>;
