import { runCompiled } from './code-cache.js';

/** Verbs that scripts wait for. The bin asks for this file where one of them may be meant. */
const waitedFor = ['start', 'stop', 'restart'];

runCompiled('acting', waitedFor.find((verb) => process.argv.includes(verb)) as string);
