import { DaemonError } from '../../domain/daemon-error.js';
import { identityOnly, type Owner } from '../../domain/owner.js';
import type { Machine } from '../../domain/ports.js';
import type { DaemonOptions } from './daemon-options.js';

/** Who it is started for, as this machine knows him now. Throws `invalid-spec` where that process does not run. */
export async function ownerOf(ownedBy: NonNullable<DaemonOptions['ownedBy']>, { inspector }: Pick<Machine, 'inspector'>): Promise<Owner> {
  if (ownedBy === 'connection') return ownedBy;
  const here = await inspector.vantage();
  if (ownedBy === 'process') return identityOnly(here);
  const { pid } = ownedBy;
  const seen = await inspector.observe(pid);
  if (seen.kind === 'process' && !seen.zombie) return identityOnly({ ...here, pid, startToken: seen.startToken });
  const message = `invalid ownedBy: there is no process ${pid} that could own a daemon`;
  throw new DaemonError('invalid-spec', message, { option: 'ownedBy', value: ownedBy, pid });
}
