import { basename, dirname, sep } from 'node:path';

/** Every file of one daemon. All of them follow from the path of its descriptor. */
export interface DaemonFiles {
  readonly folder: string;
  readonly descriptor: string;
  readonly spec: string;
  readonly log: string;
  /** The lifecycle lock: held by flock, its content says by whom. */
  readonly lock: string;
  /** Where those claim who can't flock. */
  readonly claim: string;
  /** Left by an instance that ended by itself, cleanly: its `instanceId`. */
  readonly ended: string;
  /** The flight recorder. */
  readonly runs: string;
  /** What the names of this daemon's files begin with, in a folder that may hold other files. */
  readonly stem: string;
}

const descriptorName = 'daemon.json';

/** The files of a daemon in a home. */
export function filesInHome(home: string, name: string): DaemonFiles {
  const folder = beginning(home) + name;
  return filesIn(folder, folder + sep + descriptorName, '');
}

/** The files beside a descriptor, which an embedding program may have put anywhere under any file name. */
export function filesBeside(descriptor: string): DaemonFiles {
  const folder = dirname(descriptor);
  const file = basename(descriptor);
  return filesIn(folder, descriptor, file === descriptorName ? '' : `${file.replace(/\.json$/, '')}.`);
}

/** By hand, since a folder is a path that is put together already: `join` for each would be a tenth of listing many daemons. */
function filesIn(folder: string, descriptor: string, stem: string): DaemonFiles {
  const start = beginning(folder) + stem;
  const at = (suffix: string) => start + suffix;
  return {
    folder,
    descriptor,
    spec: at('spec.json'),
    log: at('daemon.log'),
    lock: at('lock'),
    claim: at('lock.claim'),
    ended: at('ended'),
    runs: at('runs.ndjson'),
    stem,
  };
}

function beginning(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
