// The daemon: the one process that has the notes. Each client has a server of its own in it.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { serveDaemon } from 'daemonry/serve';
import { z } from 'zod';
import { ConnectionTransport } from './connection-transport.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
// Beside its log and its descriptor: what must outlive a crash is in a file.
const file = join(dirname(process.env.DAEMONRY_DESCRIPTOR), 'notes.ndjson');
const notes = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(JSON.parse) : [];
const servers = new Set();
const waiting = [];

await serveDaemon({
  version,
  protocol: 1,
  // It ends when no client has been there for half an hour. The next one starts it again.
  idle: '30m',
  onConnection: (connection) => {
    const server = createServer();
    servers.add(server);
    connection.onClose(() => servers.delete(server));
    return server.connect(new ConnectionTransport(connection));
  },
});

function createServer() {
  const server = new McpServer({ name: 'notes', version }, { capabilities: { logging: {} } });
  server.registerTool('add_note', { description: 'Keeps a note', inputSchema: { text: z.string() } }, ({ text }) => {
    appendFileSync(file, `${JSON.stringify(text)}\n`);
    notes.push(text);
    tellEverybody(`noted: ${text}`);
    for (const tell of waiting.splice(0)) tell(answer(text));
    return answer(`${notes.length} kept`);
  });
  server.registerTool('list_notes', { description: 'All notes' }, () => answer(notes.join('\n')));
  const next = { description: 'Waits for the next note, whoever it comes from' };
  server.registerTool('next_note', next, () => new Promise((resolve) => waiting.push(resolve)));
  return server;
}

function tellEverybody(data) {
  // Those who have introduced themselves: who stops a daemon, or asks how it is, connects to it too.
  const clients = [...servers].filter(({ server }) => server.getClientVersion());
  for (const client of clients) client.sendLoggingMessage({ level: 'info', data }).catch(() => {});
}

function answer(text) {
  return { content: [{ type: 'text', text }] };
}
