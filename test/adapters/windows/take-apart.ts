/** How the C runtime takes a line apart, from its documentation: https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments */
export function takeApart(line: string): string[] {
  const end = line.indexOf('"', 1);
  const args = [line.slice(1, end)];
  let current: string | undefined;
  let isQuoted = false;
  for (let at = end + 1; at < line.length; at++) {
    const [backslashes = ''] = /^\\*/.exec(line.slice(at)) ?? [];
    const next = line[at + backslashes.length];
    if (backslashes !== '' && next === '"') {
      current = (current ?? '') + '\\'.repeat(Math.floor(backslashes.length / 2));
      at += backslashes.length;
      if (backslashes.length % 2 === 1) current += '"';
      else isQuoted = !isQuoted;
    } else if (line[at] === '"') {
      current ??= '';
      isQuoted = !isQuoted;
    } else if (!isQuoted && /[ \t]/.test(line[at] as string)) {
      if (current !== undefined) args.push(current);
      current = undefined;
    } else current = (current ?? '') + line[at];
  }
  return current === undefined ? args : [...args, current];
}
