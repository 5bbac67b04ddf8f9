// The contracts of every port, on the Windows adapters. Arguments: where to write the report, and what titles must have in them.
import '../contracts/windows-contracts.test.js';
import { runPlanned } from './vitest-stand-in.js';

const [report = 'report.json', filter = ''] = process.argv.slice(2);
await runPlanned(report, filter);
