// MCP over a connection of daemonry's: each message is the parameter of a notification. It is at most 1 MiB long.
export class ConnectionTransport {
  constructor(connection) {
    this.connection = connection;
    connection.handle('mcp.message', (message) => this.onmessage?.(message));
    connection.onClose(() => this.onclose?.());
  }

  async start() {}

  async send(message) {
    try {
      this.connection.notify('mcp.message', message);
    } catch ({ message: reason }) {
      // Too long: whoever waits for it is told so.
      if (message.id === undefined || message.method) throw new Error(reason);
      this.connection.notify('mcp.message', { jsonrpc: '2.0', id: message.id, error: { code: -32603, message: reason } });
    }
  }

  async close() {
    this.connection.close();
  }
}
