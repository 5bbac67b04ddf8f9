// A worker. Any program would do, in any language: it knows nothing of who keeps it running.
const [name] = process.argv.slice(2);
let jobs = 0;

console.log('ready');
setInterval(() => console.log(`job ${++jobs}`), 1_000);

process.on('SIGTERM', () => {
  console.log(`${name} ends after ${jobs} jobs`);
  process.exit();
});
