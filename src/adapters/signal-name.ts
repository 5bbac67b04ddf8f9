import { constants } from 'node:os';

/** Every signal of this system. */
export const signalNames: readonly string[] = Object.keys(constants.signals);

/** The full name of a signal given with or without its `SIG`, in any case; `undefined` where there is no such signal. */
export function findSignalName(text: string): NodeJS.Signals | undefined {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  return signalNames.includes(name) ? (name as NodeJS.Signals) : undefined;
}
