import { DaemonError } from '../../domain/daemon-error.js';
import { shown } from '../../domain/shown.js';

/**
 * Text as it stands in an element. Line breaks as references, since a reader makes every kind of them the same.
 * Throws `invalid-spec` for characters that XML 1.0 has no way to write.
 */
export function xmlText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones in question.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u.test(text)) {
    throw new DaemonError('invalid-spec', `${shown(text)} can't be written in XML`, {
      allowed: 'leave out its control characters',
    });
  }
  return text.replace(/[&<>"\t\n\r]/g, (character) => references[character] as string);
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
