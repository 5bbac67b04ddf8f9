import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { buildWhereNeeded } from '../support/build-where-needed.js';
import { type Engine, findEngine, isDeadRun, runLabel, sweep } from './engine.js';
import { Images, reasonOf } from './images.js';
import { nodeVersionOf, type Row, rows } from './rows.js';
import { type Arch, fetchLibraries, fetchNode, stageApplication, stageWindowsApplication } from './stage.js';

/** Something that a row needs, or why it can't be had. */
export type Need = { readonly has: string } | { readonly lacks: string };

/** What the rows are run with. */
export interface Prepared {
  /** Why no row can be run at all. */
  readonly missing?: string;
  readonly run: number;
  readonly application: string;
  readonly libraries: string;
  /** The application as it is installed on Windows. */
  readonly windows: Need;
  readonly nodes: Readonly<Record<string, Need>>;
  readonly images: Readonly<Record<string, Need>>;
  readonly seconds: number;
  readonly imagesBuilt: number;
}

declare module 'vitest' {
  export interface ProvidedContext {
    prepared: Prepared;
  }
}

const nothing: Prepared = {
  run: process.pid,
  application: '',
  libraries: '',
  windows: { lacks: 'nothing was prepared' },
  nodes: {},
  images: {},
  seconds: 0,
  imagesBuilt: 0,
};

/** Before the rows: all that they need, kept from the last run where it can be. After them: nothing of this run is left in the engine. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await findEngine();
  if (!engine) {
    const missing = 'no Docker engine answers';
    say(`skipped: ${missing}; start one, or run .ci/run as root on Debian, which installs one for its time`);
    project.provide('prepared', { ...nothing, missing });
    return async () => {};
  }
  await sweep(engine, isDeadRun);
  const prepared = await prepare(engine);
  project.provide('prepared', prepared);
  return async () => {
    for (const folder of [prepared.application, ...('has' in prepared.windows ? [prepared.windows.has] : [])]) {
      rmSync(folder, { recursive: true, force: true });
    }
    const left = await sweep(engine, (run) => run === process.pid);
    if (left.length === 0) return;
    // vitest prints what a teardown throws, and succeeds all the same.
    process.exitCode = 1;
    throw new Error(`the rows left behind, until now: ${left.join(', ')}`);
  };
}

async function prepare(engine: Engine): Promise<Prepared> {
  const began = performance.now();
  const arch: Arch = (await engine.info()).Architecture === 'aarch64' ? 'arm64' : 'x64';
  const images = new Images(engine, say);
  buildWhereNeeded();
  const [application, windows, libraries, foundImages, foundNodes] = await Promise.all([
    stageApplication(),
    needs(['windows'], (name) => [name, () => stageWindowsApplication(arch)]),
    fetchLibraries(arch),
    needs(rows, (row) => [imageOf(row), () => images.system(row.system, row.suite)]),
    needs(rows, (row) => [nodeOf(row), () => fetchNode(systemOf(row), nodeVersionOf(row), arch)]),
  ]);
  await images.prune();
  const refusal = await whyNoContainer(engine, Object.values(foundImages));
  const seconds = Math.round((performance.now() - began) / 1_000);
  say(`prepared in ${seconds} s, ${images.built} images made`);
  if (refusal !== undefined) say(`skipped: ${refusal}`);
  const missing = refusal === undefined ? {} : { missing: refusal };
  const [windowsNeed = nothing.windows] = Object.values(windows);
  return {
    ...missing,
    run: process.pid,
    application,
    windows: windowsNeed,
    libraries,
    images: foundImages,
    nodes: foundNodes,
    seconds,
    imagesBuilt: images.built,
  };
}

/** An engine may answer, and yet be allowed to start nothing: inside a container itself, perhaps. */
async function whyNoContainer(engine: Engine, images: readonly Need[]): Promise<string | undefined> {
  const image = images.find((need) => 'has' in need);
  if (!image) return undefined;
  try {
    const container = await engine.createContainer({ Image: image.has, Cmd: ['/bin/true'], Labels: { [runLabel]: String(process.pid) } });
    try {
      await container.start();
      const { StatusCode } = await container.wait();
      return StatusCode === 0 ? undefined : `in a container of the engine, true ended with ${StatusCode}`;
    } finally {
      await container.remove({ force: true });
    }
  } catch (error) {
    return `the engine starts no container: ${reasonOf(error)}`;
  }
}

export function imageOf({ system, suite }: { readonly system: string; readonly suite: string }): string {
  return `${system}-${suite}`;
}

export function nodeOf(row: Row): string {
  return `${systemOf(row)}-${nodeVersionOf(row)}`;
}

function systemOf({ system }: Row): 'linux' | 'win' {
  return system === 'wine' ? 'win' : 'linux';
}

/** Each need once, whoever has it. What one row can't have takes nothing from the others. */
async function needs<T>(all: readonly T[], needOf: (one: T) => [string, () => Promise<string>]): Promise<Record<string, Need>> {
  const wanted = new Map(all.map(needOf));
  const found = [...wanted].map(async ([name, find]): Promise<[string, Need]> => {
    try {
      return [name, { has: await find() }];
    } catch (error) {
      say(`${name}: ${reasonOf(error)}`);
      return [name, { lacks: `${name}: ${reasonOf(error)}` }];
    }
  });
  return Object.fromEntries(await Promise.all(found));
}

function say(line: string): void {
  console.log(`containers: ${line}`);
}
