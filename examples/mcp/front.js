// The stdio end of an MCP server that is a daemon. Whatever the client says is said to the daemon, and the other way round.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

/** How long requests may be under way when the client says no more. */
const lastAnswersMs = 10_000;
/** How often it looks whether whoever started it is there. */
const parentMs = 1_000;
/** How often a message is said that no daemon has taken. */
const mostTries = 3;
/** The id of an introduction that the client did not ask for, and whose answer it must not see. */
const againId = 'notes-mcp-again';

export class Front {
  #client = new StdioServerTransport();
  /** The client's requests by their ids, with the connection on which they were handed on. */
  #unanswered = new Map();
  /** How the client has introduced itself: a daemon that is new has to be told again. */
  #introduction = [];
  #connection;
  #isLeaving = false;

  constructor(daemon) {
    this.daemon = daemon;
  }

  async start() {
    this.#client.onmessage = (message) => this.#toDaemon(message);
    this.#client.onclose = () => this.#leave();
    await this.#client.start();
    // The client is gone, or has no more to say. Without this, a server for each session that ever was would stay.
    process.stdin.once('end', () => this.#leaveOnceAnswered()).once('close', () => this.#leaveOnceAnswered());
    process.stdout.once('error', () => this.#leave());
    // Somebody else may hold the other end of stdin open.
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && this.#leave(), parentMs).unref();
  }

  async #toDaemon(message) {
    if (isRequest(message)) this.#unanswered.set(message.id, undefined);
    try {
      await this.#say(message);
      if (message.method === 'initialize') this.#introduction = [{ ...message, id: againId }];
      if (message.method === 'notifications/initialized') this.#introduction.push(message);
    } catch (error) {
      // The daemon could not be started, or the message is too long.
      this.#refuse(message.id, error);
    }
  }

  async #say(message) {
    for (let tries = 0; tries < mostTries; tries++) {
      const connecting = this.#connected();
      const connection = await connecting;
      if (connection.notify('mcp.message', message)) {
        if (isRequest(message)) this.#unanswered.set(message.id, connection);
        return;
      }
      // It ended just now, and was told nothing.
      this.#forget(connecting);
    }
    throw new Error('the daemon ends again and again');
  }

  #toClient(message) {
    if (message.id === againId && !message.method) return;
    this.#client.send(message);
    if (!message.method) this.#answered(message.id);
  }

  /** Ensures the daemon, whichever front needs it first, and whenever. */
  #connected() {
    if (this.#connection) return this.#connection;
    const connecting = this.#connect();
    connecting.then(
      (connection) => connection.onClose(() => this.#lost(connecting, connection)),
      () => this.#forget(connecting),
    );
    this.#connection = connecting;
    return connecting;
  }

  async #connect() {
    const connection = await this.daemon.connect();
    connection.onNotification('mcp.message', (message) => this.#toClient(message));
    for (const message of this.#introduction) connection.notify('mcp.message', message);
    return connection;
  }

  #forget(connecting) {
    if (this.#connection === connecting) this.#connection = undefined;
  }

  /** Whether what was under way has been done can't be known, so it is not asked again: the client may do that. */
  #lost(connecting, lost) {
    this.#forget(connecting);
    const error = new Error('the daemon ended before it answered');
    for (const [id, connection] of this.#unanswered) if (connection === lost) this.#refuse(id, error);
  }

  #refuse(id, { message, code: reason }) {
    if (!this.#unanswered.has(id)) return;
    this.#client.send({ jsonrpc: '2.0', id, error: { code: -32000, message, data: { reason } } });
    this.#answered(id);
  }

  #answered(id) {
    this.#unanswered.delete(id);
    if (this.#isLeaving) this.#leaveOnceAnswered();
  }

  #leaveOnceAnswered() {
    if (this.#unanswered.size === 0) this.#leave();
    else if (!this.#isLeaving) setTimeout(() => this.#leave(), lastAnswersMs);
    this.#isLeaving = true;
  }

  /** After what was said last has gone out. The daemon stays: it is there for the others. */
  #leave() {
    process.stdout.write('', () => process.exit());
  }
}

function isRequest({ id, method }) {
  return id !== undefined && method !== undefined;
}
