import { checkedFolderName } from '../../../domain/daemon-name.js';
import { listDaemons } from '../../../domain/list-daemons.js';
import { lookClosely } from '../../../domain/look.js';
import { type Answer, shown, statusAnswer, statusLine } from '../answer.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from './context.js';
import { describeDaemons } from './list.js';

export async function status(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  if (invocation.names.length === 0) {
    const views = await listDaemons(machine);
    const lines = views.length === 0 ? ['no daemons here'] : views.map((view) => statusLine(shown(view)));
    return { json: await describeDaemons(machine, views), lines, exitCode: 0 };
  }
  return statusAnswer(shown(await lookClosely(machine, { name: checkedFolderName(invocation.name) })));
}
