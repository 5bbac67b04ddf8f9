import daemonry = require('daemonry');
import serve = require('daemonry/serve');
import vitest = require('vitest');

// CommonJS hosts have the same, by require().
const daemon = daemonry.defineDaemon({ name: 'acme', command: 'acmed' });
vitest.expectTypeOf(daemon.ensure()).resolves.toEqualTypeOf<daemonry.RunningDaemon>();
vitest.expectTypeOf(serve.serveDaemon()).resolves.toEqualTypeOf<serve.ServedDaemon>();
