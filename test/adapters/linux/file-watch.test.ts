import { appendFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWatch } from '../../../src/adapters/linux/file-watch.js';

/** Longer than any of these tests lasts: what resolves did so for another reason. */
const patienceMs = 60_000;

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'daemonry-watch-'));
  file = join(folder, 'evidence');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform !== 'linux')('FileWatch (needs Linux)', () => {
  it('hears of a file that appears, and of one that changes', async () => {
    const watch = FileWatch.on(file) as FileWatch;
    const appears = watch.news(patienceMs);
    writeFileSync(file, '');
    await appears;
    await untilCalm(watch);
    const changes = watch.news(patienceMs);
    appendFileSync(file, 'ready');
    await changes;
    watch.close();
  });

  it('has looked at again at once what has just changed', async () => {
    const watch = FileWatch.on(file) as FileWatch;
    const appears = watch.news(patienceMs);
    writeFileSync(file, '');
    await appears;
    await watch.news(patienceMs);
    watch.close();
  });

  it('hears nothing of other files, and is patient no longer than it is told', async () => {
    const watch = FileWatch.on(file) as FileWatch;
    let isHeard = false;
    const heard = watch.news(patienceMs).then(() => {
      isHeard = true;
    });
    const other = FileWatch.on(`${file}-of-another`) as FileWatch;
    const appears = other.news(patienceMs);
    writeFileSync(`${file}-of-another`, '');
    // Both are told of every name, and in the order in which they began to listen.
    await appears;
    expect(isHeard).toBe(false);
    writeFileSync(file, '');
    await heard;
    await untilCalm(watch);
    await watch.news(1);
    watch.close();
    other.close();
  });

  it('leaves off when it is cancelled', async () => {
    const watch = FileWatch.on(file) as FileWatch;
    const cancel = new AbortController();
    const news = watch.news(patienceMs, cancel.signal);
    cancel.abort();
    await news;
    await watch.news(patienceMs, cancel.signal);
    watch.close();
  });

  it('is none where there is no folder', () => {
    expect(FileWatch.on(join(folder, 'missing', 'evidence'))).toBeUndefined();
  });
});

/** Until what was just told is not news any more. */
function untilCalm(watch: FileWatch): Promise<void> {
  return new Promise((resolve) => setTimeout(() => watch.news(1).then(resolve), 20));
}
