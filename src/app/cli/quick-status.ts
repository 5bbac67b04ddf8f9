import { FileDescriptorRepo } from '../../adapters/files/file-descriptor-repo.js';
import { LinuxProcessInspector } from '../../adapters/linux/linux-process-inspector.js';
import { checkedFolderName } from '../../domain/daemon-name.js';
import { look } from '../../domain/look.js';
import { machineSettings } from '../composition/settings.js';
import { type Answer, shown, statusAnswer } from './answer.js';
import type { Invocation } from './invocation.js';

/**
 * `status NAME` with the two adapters that it reads with, since composing all of them would take as long again as Node
 * takes to start. `undefined` where more is needed to answer.
 */
export async function quickStatus(invocation: Invocation): Promise<Answer | undefined> {
  if (process.platform !== 'linux' || invocation.names.length === 0) return undefined;
  const name = checkedFolderName(invocation.name);
  const settings = machineSettings({ home: invocation.value('--home') });
  const view = await look({ descriptors: new FileDescriptorRepo(settings), inspector: new LinuxProcessInspector(settings.env) }, { name });
  // Its phase may have to be derived from the readiness evidence; who has just ended it may be about to say so.
  if (view.phase === 'starting' || view.state === 'stale') return undefined;
  return statusAnswer(shown(view));
}
