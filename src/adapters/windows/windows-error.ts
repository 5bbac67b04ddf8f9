/** The names that Node has for the errors of Windows that come up here. */
const errnoOfWindows: Readonly<Record<number, string>> = {
  2: 'ENOENT',
  3: 'ENOENT',
  5: 'EACCES',
  8: 'ENOMEM',
  32: 'EBUSY',
  87: 'EINVAL',
  112: 'ENOSPC',
  206: 'ENAMETOOLONG',
};

/** An error of a call of Windows, as one of a call of Node would be. */
export function windowsError(number: number): NodeJS.ErrnoException {
  const code = errnoOfWindows[number] ?? `WIN32_${number}`;
  return Object.assign(new Error(`${code} (Windows error ${number})`), { code });
}
