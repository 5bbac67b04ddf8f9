/**
 * One word of `ExecStart=` or `Environment=`, so that systemd reads this very text: quoted, with the escapes of C, and `%`
 * doubled, which would begin a specifier. https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
 */
export function systemdWord(text: string): string {
  return `"${escaped(text)}"`;
}

/** The same where variables are put in: of the arguments of a command, all but the program itself. */
export function systemdArgument(text: string): string {
  return `"${escaped(text).replaceAll('$', '$$$$')}"`;
}

/** A value that systemd takes as it is: no quotes, no escapes. `undefined` where the text would not arrive. */
export function systemdPath(text: string): string | undefined {
  // Blanks at the ends are cut off, and a backslash there joins the next line.
  return /^\/(?:[^\p{Cc}]*[^\p{Cc}\s\\])?$/u.test(text) ? text.replaceAll('%', '%%') : undefined;
}

/** Whether systemd runs a program of this path: it refuses quotes and backslashes there, however they are written. */
export function isSystemdProgram(path: string): boolean {
  return /^\/[^\p{Cc}"'\\]*$/u.test(path);
}

export function systemdMs(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r')
    .replace(/\p{Cc}/gu, (control) => {
      const code = control.codePointAt(0) as number;
      return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : control;
    });
}
