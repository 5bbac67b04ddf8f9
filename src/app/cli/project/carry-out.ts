import { setMaxListeners } from 'node:events';
import type { ProjectProgress, ProjectResult } from '../../../domain/project-result.js';
import type { Answer } from '../answer.js';
import { Interruption } from '../interruption.js';
import type { Invocation } from '../invocation.js';
import { projectAnswer } from './project-answer.js';
import { projectBoard } from './project-board.js';

export interface WorkInProgress extends ProjectProgress {
  readonly signal: AbortSignal;
}

/** Work on the daemons of a project, shown while it lasts; Ctrl-C cancels it. */
export async function carryOut(
  invocation: Invocation,
  work: (progress: WorkInProgress) => Promise<readonly ProjectResult[]>,
): Promise<Answer> {
  const board = projectBoard(invocation.json);
  const interruption = new Interruption();
  // As many wait for it as there are daemons, which is no leak to warn of.
  setMaxListeners(0, interruption.signal);
  try {
    const results = await work({ signal: interruption.signal, onProgress: board.onProgress });
    if (board.failure) throw board.failure;
    return projectAnswer(results, board.tellsResults && results.length > 0);
  } finally {
    board.end();
    interruption.dispose();
  }
}
