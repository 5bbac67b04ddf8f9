import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

type Answer = (message: { id: number; method: string }, peer: Socket) => void;

/** Servers that are none of ours, each in a folder of its own, gone after the test. */
export class Peers {
  readonly #servers: { server: Server; sockets: Set<Socket>; folder: string }[] = [];

  /** Listens in some way, and returns the path. */
  async listen(onConnection: (peer: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createServer((peer) => {
      sockets.add(peer);
      peer.on('error', () => {}).once('close', () => sockets.delete(peer));
      onConnection(peer);
    });
    const folder = mkdtempSync(join(tmpdir(), 'dy-'));
    this.#servers.push({ server, sockets, folder });
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    return join(folder, 's');
  }

  /** Answers each line. */
  answering(answer: Answer): Promise<string> {
    return this.listen((peer) => {
      let text = '';
      peer.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (text + chunk).split('\n');
        text = lines.pop() as string;
        for (const line of lines) answer(JSON.parse(line), peer);
      });
    });
  }

  /** A few lines of some language that joined: says hello, and answers the rest with `result`. */
  greeting(hello: Record<string, unknown>, result: unknown = null): Promise<string> {
    return this.answering(({ id, method }, peer) =>
      peer.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: method === 'system.hello' ? hello : result })}\n`),
    );
  }

  get connectionCount(): number {
    return this.#servers.reduce((count, { sockets }) => count + sockets.size, 0);
  }

  async dispose(): Promise<void> {
    for (const { server, sockets, folder } of this.#servers.splice(0)) {
      for (const peer of sockets) peer.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

export function usePeers(): Peers {
  const peers = new Peers();
  afterEach(() => peers.dispose());
  return peers;
}
