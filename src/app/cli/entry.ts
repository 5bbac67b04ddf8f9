import { giveUp, main } from './main.js';

// No stack trace ever reaches a user, and to record one costs more than many a system call.
Error.stackTraceLimit = 0;
process.on('uncaughtException', giveUp);
main(process.argv.slice(2)).then(() => {
  // All is said and done, and what is written here is written at once. To take the engine apart would take a tenth of a `status`.
  process.exit();
});
