import type { TemporaryHome } from '../support/temporary-home.js';
import type { CallKind, Fault } from './fault.js';

/** One call of a program. What differs from run to run is taken out of its text: folders, random names, pids. */
export interface Call {
  readonly text: string;
  /** The how manyth call of this text. */
  readonly nth: number;
  readonly kind: CallKind;
  /** Whether the fault came up here. */
  readonly isHit: boolean;
  /** How the injector itself finds it. */
  readonly address?: string;
}

export interface Point {
  readonly call: Call;
  readonly fault: Fault;
}

/** Lets a fault come up at a chosen call of a real program. */
export interface Injector {
  readonly name: string;
  /** What this machine lacks for it. */
  readonly missing: string | undefined;
  /** Whether it can keep files from being found. */
  readonly canHide: boolean;
  /** The same program under observation: unharmed without a point. */
  around(home: TemporaryHome, program: Program, point?: Point): Program;
  /** The program's own calls, in their order, once it has ended or said that it is ready. */
  calls(home: TemporaryHome): readonly Call[];
}

export interface Program {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Files that it does not find. */
  readonly absent?: readonly string[];
}
