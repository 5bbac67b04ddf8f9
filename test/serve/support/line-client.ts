import { connect, type Socket } from 'node:net';
import { waitFor } from '../../support/wait-for.js';

const longestAnswerMs = 30_000;

/** A client that knows nothing but lines: what a few lines of any language would be. */
export class LineClient {
  readonly socket: Socket;
  readonly lines: string[] = [];
  closed = false;
  /** What its socket failed with. */
  readonly errors: string[] = [];
  #rest = '';
  #taken = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const parts = (this.#rest + text).split('\n');
      this.#rest = parts.pop() as string;
      // What every scripted daemon greets with is not an answer.
      this.lines.push(...parts.filter((line) => !line.includes('"welcome"')));
    });
    socket.on('error', ({ message }) => this.errors.push(message));
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(path: string): Promise<LineClient> {
    const client = new LineClient(connect({ path, allowHalfOpen: true }));
    await new Promise<void>((resolve, reject) => client.socket.once('connect', resolve).once('error', reject));
    return client;
  }

  send(message: unknown): void {
    this.socket.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  }

  /** The next line that was not taken yet, parsed. */
  async next(): Promise<Record<string, unknown>> {
    if (this.lines.length <= this.#taken) await this.#more();
    return JSON.parse(this.lines[this.#taken++] as string);
  }

  /** Told by the socket: most answers are there sooner than the next poll would be. */
  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.socket.off('data', look);
        outcome();
      };
      const look = () => {
        if (this.lines.length > this.#taken) settle(resolve);
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`waited ${longestAnswerMs} ms in vain for an answer`))),
        longestAnswerMs,
      );
      this.socket.on('data', look);
    });
  }

  async ask(method: string, params?: unknown): Promise<Record<string, unknown>> {
    this.send({ jsonrpc: '2.0', id: 1, method, params });
    return this.next();
  }

  async whenClosed(): Promise<void> {
    await waitFor('the connection to close', () => this.closed);
  }

  async whenEnded(): Promise<void> {
    await waitFor('the end of what the daemon sends', () => this.socket.readableEnded || this.closed);
  }
}
