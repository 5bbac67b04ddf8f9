export const variableRule = 'it takes the name of a variable, which has no = in it';

/** What the environment of a process can name. */
export function isVariableName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && !/[=\0]/.test(name);
}
