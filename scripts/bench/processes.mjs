// What the bench has to know of processes: all of it out of /proc.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 2;
const patienceMs = 60_000;

export async function waitFor(what, look) {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const seen = look();
    if (seen) return seen;
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    await sleep(pollMs);
  }
}

export function untilDead(pid) {
  return waitFor(`the end of pid ${pid}`, () => ['Z', 'X', undefined].includes(statOf(pid)?.[0]));
}

export function parentOf(pid) {
  return Number(statOf(pid)?.[1]);
}

/** All processes below these, and these. */
export function familyOf(pids) {
  const family = new Set(pids);
  const parents = allPids().map((pid) => [pid, parentOf(pid)]);
  for (let before = -1; before !== family.size; ) {
    before = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

/** The living that carry a path inside the folder in their environment or their arguments. This process is none of them. */
export function livingInside(folder) {
  return allPids().filter((pid) => {
    const text = `${read(`/proc/${pid}/environ`)}${read(`/proc/${pid}/cmdline`)}`;
    return pid !== process.pid && text.includes(`${folder}/`) && !['Z', 'X', undefined].includes(statOf(pid)?.[0]);
  });
}

/** In kilobytes: the proportional share, all, and what is nobody else's. */
export function memoryOf(pids) {
  const sum = (texts, name) =>
    texts.reduce((total, text) => total + Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0), 0);
  const texts = pids.map((pid) => read(`/proc/${pid}/smaps_rollup`));
  return { pssKb: sum(texts, 'Pss'), rssKb: sum(texts, 'Rss'), privateKb: sum(texts, 'Private_Dirty') + sum(texts, 'Private_Clean') };
}

/** What they have used of the processor so far, in milliseconds. */
export function processorMsOf(pids) {
  const threads = pids.flatMap((pid) => list(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`));
  return threads.reduce((total, path) => total + Number(read(path).split(' ', 1)[0]) / 1e6, 0);
}

/** Each word with a zero byte after it, as the kernel has it. */
export function commandLineOf(pid) {
  return read(`/proc/${pid}/cmdline`);
}

function statOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

export function allPids() {
  return readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
}

function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function list(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
