import type { SupervisedMachine } from '../../../domain/delegate.js';
import type { Machine } from '../../../domain/ports.js';
import type { MachineSettings } from '../../composition/settings.js';

export interface VerbContext {
  readonly machine: SupervisedMachine;
  readonly settings: MachineSettings;
  readonly cwd: () => string;
}

/** What is needed to tell how daemons are. */
export type ReadingMachine = Pick<Machine, 'descriptors' | 'inspector' | 'lock' | 'readiness'>;
