import { createServer } from 'node:net';

/** Below all that systems give out by themselves: to whoever asks for any port, and to whoever connects. */
const firstPort = 12_000;
const portCount = 18_000;
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, nor gets before the test does but by naming it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * portCount);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
