/**
 * What hosts test with: daemons from a pool, and a machine in memory.
 *
 * @module daemonry/testing
 * @packageDocumentation
 */

export {
  type DaemonFixtureBodies,
  type DaemonFixtures,
  type DaemonFixturesOptions,
  daemonFixtures,
  type FixtureUse,
} from './daemon-fixtures.js';
export { DaemonPool, type DaemonPoolOptions, type PooledDaemon } from './daemon-pool.js';
export type { SimulatedAttempt, SimulatedHost } from './simulated-host.js';
export type { SimulatedBehaviour, SimulatedMethod, SimulatedProgram, SimulatedServeOptions } from './simulated-program.js';
export {
  createSimulation,
  type ExploreOptions,
  exploreSeeds,
  type SimulatedProcessInfo,
  type Simulation,
  type SimulationOptions,
} from './simulation.js';
