import type { SimulatedProcess } from '../../adapters/simulated/simulated-process.js';
import type { SimulatedMethod } from './simulated-program.js';

/** What each simulated process serves. */
export type ServedMethods = WeakMap<SimulatedProcess, Readonly<Record<string, SimulatedMethod>>>;
