import { giveUp, main } from './main.js';

/** For `runCompiled`. */
export let isExemplary = false;

// No stack trace ever reaches a user, and to record one costs more than many a system call.
Error.stackTraceLimit = 0;
process.on('uncaughtException', giveUp);
main(process.argv.slice(2)).then((hasActed) => {
  // What found its work done has not come to most of the code that the next one needs.
  isExemplary = hasActed;
  // All is said and done, and what is written here is written at once. To take the engine apart would take a tenth of a `status`.
  process.exit();
});
