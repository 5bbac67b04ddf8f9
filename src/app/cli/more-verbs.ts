export { completion } from './verbs/completion.js';
export { doctor } from './verbs/doctor.js';
export { list } from './verbs/list.js';
export { logs } from './verbs/logs.js';
export { run } from './verbs/run.js';
export { status } from './verbs/status.js';
export { wait } from './verbs/wait.js';
