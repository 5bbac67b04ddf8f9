type Environment = Readonly<Record<string, string | undefined>>;

/** Without these, hardly a program starts: whoever asks for a clean environment does not mean them. */
const indispensable = [
  'ComSpec',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'APPDATA',
  'PATHEXT',
  'SystemDrive',
  'SystemRoot',
  'TEMP',
  'TMP',
  'USERDOMAIN',
  'USERNAME',
  'USERPROFILE',
  'windir',
];

/** One spelling of each name, the first one; the value of the last one. Windows tells names apart without regard to case. */
export function foldEnvironment(env: Environment): Record<string, string> {
  const spellings = new Map<string, string>();
  const folded = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    const spelling = spellings.get(name.toUpperCase()) ?? name;
    spellings.set(name.toUpperCase(), spelling);
    folded.set(spelling, value);
  }
  return Object.fromEntries(folded);
}

/** The value of a name, however it is spelled. */
export function variable(env: Environment, name: string): string | undefined {
  const wanted = name.toUpperCase();
  return Object.entries(env).find(([spelling]) => spelling.toUpperCase() === wanted)?.[1];
}

/** The caller's environment with these names spelled in this way, so that they are found by it. */
export function respell(env: Environment, names: readonly string[]): Record<string, string> {
  const wanted = new Map(names.map((name) => [name.toUpperCase(), name]));
  return Object.fromEntries(Object.entries(foldEnvironment(env)).map(([name, value]) => [wanted.get(name.toUpperCase()) ?? name, value]));
}

export function indispensableOf(env: Environment): Record<string, string> {
  return Object.fromEntries(
    indispensable.flatMap((name) => {
      const value = variable(env, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** As CreateProcess takes it: sorted without regard to case, each entry closed by a zero, and one more at the end. */
export function environmentBlock(env: Environment): Buffer {
  const entries = Object.entries(foldEnvironment(env)).map(([name, value]) => ({ key: name.toUpperCase(), entry: `${name}=${value}\0` }));
  entries.sort((one, other) => (one.key < other.key ? -1 : 1));
  return Buffer.from(`${entries.map(({ entry }) => entry).join('')}${entries.length === 0 ? '\0' : ''}\0`, 'utf16le');
}

/** Back again. Entries such as `=C:=C:\folder`, in which Windows keeps the folders of its drives, are no variables. */
export function parseEnvironmentBlock(block: Buffer): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const entry of block.toString('utf16le').split('\0')) {
    if (entry === '') break;
    const equals = entry.indexOf('=', 1);
    if (!entry.startsWith('=') && equals > 0) variables.set(entry.slice(0, equals).toUpperCase(), entry.slice(equals + 1));
  }
  return variables;
}
