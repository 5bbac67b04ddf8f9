/** What must be seen before a daemon counts as ready. Written `exec`, `socket`, `port:N`, `http:URL`, `log:REGEX`, `notify`. */
export type ReadyCondition =
  | { readonly kind: 'exec' }
  | { readonly kind: 'socket' }
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'notify' };

export const readyRule = 'readiness is exec, socket, port:N, http:URL, log:REGEX or notify';

/** Parses the written form. Returns the condition, or a sentence that says what is wrong with it. */
export function parseReadyCondition(text: string): ReadyCondition | string {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const value = colon < 0 ? undefined : text.slice(colon + 1);
  if (value === undefined || value === '') {
    if (value === undefined && (kind === 'exec' || kind === 'socket' || kind === 'notify')) return { kind };
    if (kind === 'port' || kind === 'http' || kind === 'log') return `${kind} needs a value after the colon; ${readyRule}`;
    return readyRule;
  }
  switch (kind) {
    case 'port': {
      const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      return port >= 1 && port <= 65_535 ? { kind, port } : 'a port is a whole number from 1 to 65535';
    }
    case 'http':
      return /^https?:\/\/[^\s/?#]+/i.test(value)
        ? { kind, url: value }
        : 'http takes a whole address, as in http:http://127.0.0.1:3000/ready';
    case 'log':
      try {
        new RegExp(value);
        return { kind, pattern: value };
      } catch (error) {
        // The reason alone: the expression, which may be long, is named by whoever asks.
        return `the regular expression does not compile: ${(error as Error).message.split(': ').at(-1)}`;
      }
    default:
      return readyRule;
  }
}

/** The written form, as stored in descriptor and spec. */
export function formatReadyCondition(condition: ReadyCondition): string {
  switch (condition.kind) {
    case 'port':
      return `port:${condition.port}`;
    case 'http':
      return `http:${condition.url}`;
    case 'log':
      return `log:${condition.pattern}`;
    default:
      return condition.kind;
  }
}
