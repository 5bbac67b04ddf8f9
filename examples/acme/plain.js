// The same verbs without a framework: `node plain.js daemon status`.
import { runDaemonVerb } from 'daemonry';
import { acmeDaemon } from './daemon.js';

const [group, ...argv] = process.argv.slice(2);
if (group === 'daemon') process.exitCode = await runDaemonVerb(acmeDaemon(), argv, { program: 'acme' });
