// An app whose workers are processes of their own. It keeps them running, tells how they are, and stops them when it is closed.
import { fileURLToPath } from 'node:url';
import { createSupervisor, isDaemonError } from 'daemonry';
import express from 'express';

const port = Number(process.env.PORT ?? 3000);
const workers = ['app-mail', 'app-resize'].map((name) => ({
  name,
  command: process.execPath,
  args: [fileURLToPath(new URL('worker.js', import.meta.url)), name],
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  ready: 'log:ready',
  restart: 'always',
}));

const supervisor = createSupervisor({ onEvent: ({ name, message }) => console.log(`${name}: ${message}`) });
// Where an app before this one was killed, its workers have gone on.
await supervisor.takeOver();
await Promise.all(workers.map((worker) => supervisor.ensure(worker)));

const app = express();
app.get('/workers', async (_request, response) => {
  const all = await Promise.all(workers.map(({ name }) => supervisor.status(name)));
  response.json(all.map(({ name, status, phase, pid }) => ({ name, status, phase, pid })));
});
app.post('/workers/:name/restart', async ({ params }, response) => {
  const { name, pid } = await supervisor.restart(params.name);
  response.json({ name, pid });
});
app.use((error, _request, response, next) => {
  if (isDaemonError(error)) response.status(error.code === 'not-found' ? 404 : 500).json({ error: error.message });
  else next(error);
});
const server = app.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/workers`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await supervisor.stopAll();
    server.close();
  });
}
