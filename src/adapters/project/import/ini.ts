export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads sections as supervisord does, with Python's configparser: `key = value` or `key: value`, keys without case, comments
 * by `#` and `;` at the beginning of a line or after a blank, values that go on in indented lines.
 */
export function readIni(text: string): readonly IniSection[] {
  const sections: (IniSection & { readonly values: Map<string, string> })[] = [];
  let key: string | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = withoutComment(raw);
    if (line.trim() === '') continue;
    const section = sections.at(-1);
    const head = /^\[([^\]]+)\]/.exec(line);
    if (head) {
      sections.push({ name: (head[1] as string).trim(), line: index + 1, values: new Map() });
      key = undefined;
    } else if (/^\s/.test(line) && section && key !== undefined) {
      section.values.set(key, `${section.values.get(key)}\n${line.trim()}`);
    } else if (section) {
      const [, name, value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line.trim()) ?? [];
      key = name?.toLowerCase();
      if (key !== undefined) section.values.set(key, value);
    }
  }
  return sections;
}

function withoutComment(line: string): string {
  if (/^\s*[#;]/.test(line)) return '';
  return line.replace(/\s[#;].*$/, '').trimEnd();
}
