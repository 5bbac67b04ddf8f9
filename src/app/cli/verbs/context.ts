import type { Machine } from '../../../domain/ports.js';
import type { MachineSettings } from '../../composition/settings.js';

export interface VerbContext {
  readonly machine: Machine;
  readonly settings: MachineSettings;
  readonly cwd: () => string;
}
