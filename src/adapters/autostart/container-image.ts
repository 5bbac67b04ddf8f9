import { basename } from 'node:path';

export interface ContainerImage {
  readonly name: string;
  /** What to run in it. */
  readonly program: string;
  /** Whether the image brings the program along. */
  readonly hasProgram: boolean;
  /** For people: what has been guessed. */
  readonly note: string;
}

/** Which image the command is likely to run in: a daemon of this machine has none. */
export function containerImage(command: readonly string[]): ContainerImage {
  const [program = ''] = command;
  const runtime = basename(program).replace(/\.exe$/i, '');
  const known = /^(node|python|ruby|php|deno|bun)(?:\d+(?:\.\d+)*)?$/.exec(runtime)?.[1];
  if (known !== undefined) {
    const name = { deno: 'denoland/deno', bun: 'oven/bun' }[known] ?? known;
    return {
      name,
      program: runtime,
      hasProgram: true,
      note: `the image is a guess by the command, ${runtime}: name the one that you mean, and its version`,
    };
  }
  const note = `the image is a guess, and has to have all that ${program} needs`;
  return { name: 'debian:stable-slim', program, hasProgram: /^\/(usr\/)?s?bin\//.test(program), note };
}
