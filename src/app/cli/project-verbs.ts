// Of the verbs that read a project file: a file of its own, since its parsers are as large as everything else together.
export { apply } from './verbs/apply.js';
export { down } from './verbs/down.js';
export { importFile as import } from './verbs/import-file.js';
export { up } from './verbs/up.js';
export { validate } from './verbs/validate.js';
