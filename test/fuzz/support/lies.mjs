// A daemon that says what its argument says, over the socket that it was given.
import { createServer } from 'node:net';

const { DAEMONRY_SOCKET: path, DAEMONRY_INSTANCE: instanceId } = process.env;
const hello = { instanceId, name: 'liar', version: null, protocol: 1 };
const line = (message) => `${JSON.stringify(message)}\n`;
const answer = (id, result) => line({ jsonrpc: '2.0', id, result });
const block = Buffer.alloc(64 * 1024, 'x');

/** Without an end, as fast as it is taken. */
function pour(socket, bytes) {
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

/** What is done to each connection at once, and to each line of it. */
const lies = {
  silent: [() => {}, () => {}],
  endless: [(socket) => pour(socket, block), () => {}],
  endlessAnswer: [() => {}, (socket, { id }) => socket.write(answer(id, '').slice(0, -3)) && pour(socket, block)],
  binary: [(socket) => socket.write(Buffer.from([0, 0xff, 0xfe, 0x0a, 0xc3, 0x28, 0x0a])), () => {}],
  wrongId: [() => {}, (socket, { id }) => socket.write(answer(id + 1, hello) + answer(String(id), hello) + answer(null, hello))],
  wrongTypes: [() => {}, (socket, { id }) => socket.write(answer(id, { ...hello, instanceId: 1, protocol: 'one' }))],
  closes: [() => {}, (socket, { id }) => socket.end(answer(id, hello).slice(0, 20))],
  resets: [() => {}, (socket) => socket.destroy()],
  floods: [(socket) => pour(socket, Buffer.from(line({ jsonrpc: '2.0', id: 1, method: 'who' }).repeat(1_000))), () => {}],
  impostor: [() => {}, (socket, { id }) => socket.write(answer(id, { ...hello, instanceId: 'another' }))],
  early: [(socket) => socket.write(answer(1, hello)), () => {}],
  twice: [() => {}, (socket, { id }) => socket.write(answer(id, hello) + answer(id, { ...hello, instanceId: 'another' }))],
  // Agrees to end, and stays.
  unfaithful: [() => {}, (socket, { id, method }) => socket.write(answer(id, method === 'system.hello' ? hello : true))],
};

const [opened, heard] = lies[process.argv[2]];
createServer((socket) => {
  let text = '';
  socket.on('error', () => {}).setEncoding('utf8');
  if (process.argv[2] !== 'floods') {
    socket.on('data', (chunk) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop();
      for (const each of lines) heard(socket, JSON.parse(each));
    });
  }
  opened(socket);
}).listen(path);
