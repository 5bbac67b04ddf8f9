// A service as plain as can be: it listens on the socket that it is given, and ends when it is asked to.
import { createServer } from 'node:net';

const [name] = process.argv.slice(2);
const server = createServer((client) => client.end(`${process.env.GREETING ?? 'this is'} ${name}\n`));
server.listen(process.env.DAEMONRY_SOCKET, () => console.log(`${name} listens`));

process.on('SIGTERM', () => {
  console.log(`${name} ends`);
  process.exit(0);
});
