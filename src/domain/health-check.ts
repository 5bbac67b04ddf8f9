/** What shows that a running daemon is well. Written `http:URL`, `port:N`, `command:COMMAND`, `ping`. */
export type HealthProbe =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'port'; readonly port: number }
  /** A line for the shell, run in the daemon's folder with its environment; exit code 0 is well. */
  | { readonly kind: 'command'; readonly line: string }
  /** `system.ping` over the daemon's own socket. */
  | { readonly kind: 'ping' };

/** How a supervisor watches over a daemon that is ready. */
export interface HealthCheck {
  readonly probe: HealthProbe;
  /** From the end of one probe to the next. */
  readonly intervalMs: number;
  /** Longer, and the probe has failed. */
  readonly timeoutMs: number;
  /** How many failures in a row make it unhealthy. */
  readonly threshold: number;
  /** After it got ready; failures before count for nothing. */
  readonly startGraceMs: number;
}

export const healthDefaults = { intervalMs: 10_000, timeoutMs: 2_000, threshold: 3, startGraceMs: 5_000 } as const;

export const healthRule = 'health is http:URL, port:N, command:COMMAND or ping';

/** Parses the written form of a probe. Returns it, or a sentence that says what is wrong. */
export function parseHealthProbe(text: string): HealthProbe | string {
  if (text === 'ping') return { kind: 'ping' };
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const value = colon < 0 ? '' : text.slice(colon + 1);
  switch (kind) {
    case 'port': {
      const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      return port >= 1 && port <= 65_535 ? { kind, port } : 'a port is a whole number from 1 to 65535';
    }
    case 'http':
      return /^https?:\/\/[^\s/?#]+/i.test(value)
        ? { kind, url: value }
        : 'http takes a whole address, as in http:http://127.0.0.1:3000/health';
    case 'command':
      return value.trim() === '' || value.includes('\0') ? 'command takes a line for the shell' : { kind, line: value };
    default:
      return healthRule;
  }
}
