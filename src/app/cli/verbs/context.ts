import type { SupervisedMachine } from '../../../domain/delegate.js';
import type { MachineSettings } from '../../composition/settings.js';

export interface VerbContext {
  readonly machine: SupervisedMachine;
  readonly settings: MachineSettings;
  readonly cwd: () => string;
}
