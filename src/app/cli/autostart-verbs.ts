// Of service managers: a file of its own, as that of projects is, and it can read those too.
export { autostart } from './verbs/autostart.js';
export { exportDaemon as export } from './verbs/export.js';
