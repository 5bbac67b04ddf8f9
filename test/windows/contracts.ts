// The contracts of every port on the Windows adapters, as a program. Takes the file that it writes its report into.
import '../contracts/windows-contracts.test.js';
import { runPlanned } from './vitest-stand-in.js';

await runPlanned(process.argv[2] ?? 'report.json');
