/** Whose command line speaks: how it is called, and how a user types one of its verbs. */
export interface Wording {
  /** Begins every line about a failure. */
  readonly program: string;
  /** As in `daemonry stop web`, or `acme daemon stop`. */
  command(verb: string, name: unknown): string;
  /** Whether its user has all verbs and options at hand: `doctor`, `list`, `--home`. The user of a host program has not. */
  readonly hasAllVerbs: boolean;
}

export const daemonryWording: Wording = {
  program: 'daemonry',
  command: (verb, name) => `daemonry ${verb} ${name}`,
  hasAllVerbs: true,
};

/** A host program's own: `command` is what stands before a verb there, as in `acme daemon`. */
export function hostWording(program: string, command: string): Wording {
  return { program, command: (verb) => `${command} ${verb}`, hasAllVerbs: false };
}
