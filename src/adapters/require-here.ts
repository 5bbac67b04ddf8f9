/**
 * `require` of this package's own file. Not by an import: bundlers give ES modules a `require` by an import of this very name.
 * In a CommonJS bundle it is the file's own, and `node:module` stays unloaded.
 */
export function requireHere(): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(import.meta.url);
}
