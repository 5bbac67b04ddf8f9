import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { waitFor } from '../../support/wait-for.js';

/** Somebody at the other end of a socket who keeps to no rule. */
export class RawPeer {
  readonly socket: Socket;
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    // Torn down under it: that is what it gets.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.closed = true;
    });
  }

  /** It reads nothing until it is told to. */
  static async open(path: string): Promise<RawPeer> {
    const socket = connect({ path, allowHalfOpen: true });
    socket.pause();
    const peer = new RawPeer(socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return peer;
  }

  /** How many bytes the other end has taken, or the kernel for it. */
  get sentBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  /** Writes as fast as it is taken, until the connection closes, this many bytes have been written, or `enough` says so. */
  async pour(chunk: Buffer, mostBytes: number, enough: () => boolean = () => false): Promise<void> {
    for (let poured = 0; poured < mostBytes && !this.closed && !enough(); poured += chunk.length) {
      if (!this.socket.write(chunk)) await this.#roomOr(enough);
    }
  }

  /** By the event, since a poll for each write would make no flood; by a poll too, since what is enough has no event. */
  async #roomOr(enough: () => boolean): Promise<void> {
    let hasRoom = false;
    const told = () => {
      hasRoom = true;
    };
    this.socket.once('drain', told);
    for (let turn = 0; turn < 200 && !hasRoom && !this.closed; turn++) await new Promise((resolve) => setImmediate(resolve));
    await waitFor('room to write', () => hasRoom || this.closed || enough());
    this.socket.removeListener('drain', told);
  }

  async whenClosed(): Promise<void> {
    await waitFor('the connection to close', () => this.closed);
  }
}

/** The most memory that a process ever had, in bytes. */
export function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}
