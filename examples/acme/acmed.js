// The daemon itself. It ends when nobody has needed it for half an hour.
import { readFileSync } from 'node:fs';
import { serveDaemon } from 'daemonry/serve';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
let greeted = 0;

await serveDaemon({
  version,
  idle: '30m',
  methods: {
    'acme.greet': ({ name }) => {
      greeted++;
      console.log(`greeted ${name}`);
      return `hello, ${name}: you are number ${greeted}`;
    },
    // For tests that share a daemon: as good as new.
    'acme.reset': () => {
      greeted = 0;
    },
  },
});
