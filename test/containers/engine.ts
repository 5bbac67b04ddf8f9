import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';

export type Engine = ContainerRuntimeClient['container']['dockerode'];

/** Everything that a run makes in the engine carries the pid of that run under this name. */
export const runLabel = 'daemonry.test.run';

const answerTimeoutMs = 20_000;

/** The engine that testcontainers finds, or `undefined` where none answers in time. */
export async function findEngine(): Promise<Engine | undefined> {
  const found = getContainerRuntimeClient().then(
    ({ container }) => container.dockerode,
    () => undefined,
  );
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), answerTimeoutMs).unref());
  return Promise.race([found, late]);
}

/** Removes the containers, networks and volumes of the runs that are chosen; says what there was. */
export async function sweep(engine: Engine, isChosen: (run: number) => boolean): Promise<readonly string[]> {
  const filters = JSON.stringify({ label: [runLabel] });
  const chosen = ({ Labels }: { Labels?: Readonly<Record<string, string>> | undefined }) => isChosen(Number(Labels?.[runLabel]));
  const containers = (await engine.listContainers({ all: true, filters })).filter(chosen);
  for (const { Id } of containers) await engine.getContainer(Id).remove({ force: true, v: true });
  const networks = (await engine.listNetworks({ filters })).filter(chosen);
  for (const { Id } of networks) await engine.getNetwork(Id).remove();
  const volumes = ((await engine.listVolumes({ filters })).Volumes ?? []).filter(chosen);
  for (const { Name } of volumes) await engine.getVolume(Name).remove();
  return [
    ...containers.map(({ Names }) => `container ${Names[0]}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${Name}`),
  ];
}

/** Whether the run of this pid was killed before it could clean up. */
export function isDeadRun(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
