import type { IncomingMessage } from 'node:http';

/** Whether a GET is answered with any 2xx within `timeoutMs`. Follows no redirect, keeps no connection. Never throws. */
export async function answersWell(url: string, timeoutMs: number): Promise<boolean> {
  try {
    return await ask(new URL(url), timeoutMs);
  } catch {
    return false;
  }
}

async function ask(target: URL, timeoutMs: number): Promise<boolean> {
  const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    // A daemon of this machine may well have a certificate that it made itself, and nobody can be in between.
    const asked = request(target, { agent: false, rejectUnauthorized: !isLoopback(target.hostname) });
    const timer = setTimeout(() => asked.destroy(), timeoutMs);
    asked.on('error', () => {});
    asked.once('close', () => {
      clearTimeout(timer);
      resolve(false);
    });
    asked.once('response', (response: IncomingMessage) => {
      const { statusCode = 0 } = response;
      resolve(statusCode >= 200 && statusCode < 300);
      // The body is read away for the rest of the time: torn down, the daemon would fail in the middle of writing it.
      response.on('error', () => {}).resume();
      response.socket.unref();
      timer.unref();
    });
    asked.end();
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
