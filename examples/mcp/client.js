// An MCP client, for trying it out: node client.js TOOL [TEXT]
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [name, text] = process.argv.slice(2);
const client = new Client({ name: 'try-it-out', version: '1.0.0' });
const args = [fileURLToPath(new URL('server.js', import.meta.url))];
await client.connect(new StdioClientTransport({ command: process.execPath, args, env: process.env }));
const { content } = await client.callTool({ name, arguments: { text } });
console.log(content[0].text);
await client.close();
