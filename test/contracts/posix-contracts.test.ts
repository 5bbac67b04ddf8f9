import { afterAll } from 'vitest';
import { describeContracts } from './contracts.js';
import { posixSubject, removePrograms } from './posix-contract-machine.js';

afterAll(removePrograms);

// The same suites that the simulated machine passes in test/simulation, on the machine that we are on.
if (process.platform !== 'win32') describeContracts(posixSubject);
