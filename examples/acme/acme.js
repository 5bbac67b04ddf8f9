#!/usr/bin/env node
import { Builtins, Cli, Command, Option } from 'clipanion';
import { isDaemonError } from 'daemonry';
import { daemonCommands } from 'daemonry/clipanion';
import { acmeDaemon } from './daemon.js';

const daemon = acmeDaemon();

class Greet extends Command {
  static paths = [['greet']];
  static usage = Command.Usage({ description: 'have the daemon greet somebody' });

  name = Option.String();

  async execute() {
    try {
      // Starts the daemon unless it runs, whoever else does the same right now.
      const connection = await daemon.connect();
      this.context.stdout.write(`${await connection.request('acme.greet', { name: this.name })}\n`);
      connection.close();
      return 0;
    } catch (error) {
      if (!isDaemonError(error)) throw error;
      this.context.stderr.write(`acme: ${error.message}\n`);
      return 1;
    }
  }
}

const cli = new Cli({ binaryName: 'acme' });
cli.register(Builtins.HelpCommand);
cli.register(Greet);
// acme daemon start | stop | restart | status | logs
for (const command of daemonCommands(daemon)) cli.register(command);
await cli.runExit(process.argv.slice(2));
