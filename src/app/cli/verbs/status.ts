import { checkedFolderName } from '../../../domain/daemon-name.js';
import { listDaemons, listWithUsage } from '../../../domain/list-daemons.js';
import { lookClosely } from '../../../domain/look.js';
import { type Answer, shown, statusAnswer, statusLine } from '../answer.js';
import type { Invocation } from '../invocation.js';
import type { ReadingMachine } from './context.js';
import { describeDaemons } from './list.js';

export async function status(invocation: Invocation, { machine }: { readonly machine: ReadingMachine }): Promise<Answer> {
  if (invocation.names.length === 0) {
    if (invocation.json) {
      const { views, usages } = await listWithUsage(machine);
      return { json: describeDaemons(views, usages), lines: [], exitCode: 0 };
    }
    const views = await listDaemons(machine);
    return { json: null, lines: views.length === 0 ? ['no daemons here'] : views.map((view) => statusLine(shown(view))), exitCode: 0 };
  }
  return statusAnswer(shown(await lookClosely(machine, { name: checkedFolderName(invocation.name) })));
}
