// A daemon that knows what time it is: it prints a tick each second, and answers `clock.now` on its socket.
import { serveDaemon } from 'daemonry/serve';

let ticks = 0;
const ticking = setInterval(() => console.log(`tick ${++ticks} ${new Date().toISOString()}`), 1_000);

const daemon = await serveDaemon({
  version: '1.0.0',
  methods: {
    'clock.now': () => ({ now: new Date().toISOString(), ticks }),
  },
  onStop: (reason) => {
    clearInterval(ticking);
    console.log(`stopped after ${ticks} ticks (${reason})`);
  },
});
console.log(`${daemon.name} serves at ${daemon.socket}`);
