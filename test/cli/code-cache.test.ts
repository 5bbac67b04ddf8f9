import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { packageRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** A package of its own, as freshly installed, since what is compiled of it is kept in it. */
function freshlyInstalled(home: TemporaryHome) {
  const root = home.file('package');
  const built = join(root, 'dist', 'cli');
  for (const part of ['bin', 'dist/cli', 'package.json']) {
    cpSync(join(packageRoot, part), join(root, part), { recursive: true, filter: (file) => !file.endsWith('.compiled') });
  }
  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const end = await home.spawn(process.execPath, [join(root, 'bin', 'daemonry.cjs'), ...args], { env }).end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    return end.stdout;
  };
  const kept = () => readdirSync(built).filter((file) => file.includes('.compiled'));
  return { built, run, kept };
}

const everyFileAModule = '--experimental-default-type';
const start = ['start', 'x', '--', 'sleep', '1000'];

describe('compiled code', () => {
  test('is kept by the first start and the first stop, for those that follow; a verb that only reads, or has nothing to do, writes nothing', async ({
    home,
  }) => {
    const { built, run, kept } = freshlyInstalled(home);
    await run(['status', '--json']);
    await run(['list']);
    expect(kept()).toEqual([]);
    await run(['stop', 'x']);
    expect(kept()).toEqual([]);
    await run(start);
    await run(['stop', 'x']);
    const files = kept();
    expect(files).toHaveLength(2);
    const before = files.map((file) => readFileSync(join(built, file)));
    expect(await run(start)).toContain('x started');
    expect(await run(['stop', 'x'])).toContain('x stopped');
    expect(kept().map((file) => readFileSync(join(built, file)))).toEqual(before);
  });

  test('that is damaged, or that others could have written, is not taken, and is made anew', async ({ home }) => {
    const { built, run, kept } = freshlyInstalled(home);
    await run(start);
    const file = join(built, kept()[0] as string);
    const whole = readFileSync(file);
    for (const damage of [
      () => truncateSync(file, whole.length / 2),
      () => truncateSync(file, 0),
      () => writeFileSync(file, 'no code at all'),
      () => writeFileSync(file, Buffer.alloc(whole.length)),
      // Of which V8 itself would take no notice before it comes to them.
      () => writeFileSync(file, Buffer.from(whole).fill(0, 1000, 40_000)),
      () => {
        writeFileSync(file, whole);
        chmodSync(file, 0o666);
      },
    ]) {
      damage();
      expect(await run(start.toSpliced(1, 1, 'y'))).toContain('y started');
      await run(['stop', 'y']);
      const anew = readFileSync(file);
      expect(anew.length).toBeGreaterThan(100_000);
      expect(anew.subarray(0, anew.length / 2)).toEqual(anew.subarray(anew.length / 2));
      expect(statSync(file).mode).toBe(0o100644);
    }
  });

  test('that can not be put in its place leaves nothing behind that keeps the next one from it', async ({ home }) => {
    const { built, run, kept } = freshlyInstalled(home);
    await run(start);
    const [name] = kept() as [string];
    rmSync(join(built, name));
    mkdirSync(join(built, name, 'in the way'), { recursive: true });
    await run(start.toSpliced(1, 1, 'y'));
    expect(kept()).toEqual([name]);
    rmSync(join(built, name), { recursive: true });
    // Somebody is at it, then; in the end he was killed at it.
    const temporary = join(built, `${name}.tmp`);
    writeFileSync(temporary, 'half of');
    await run(start.toSpliced(1, 1, 'z'));
    expect(kept()).toEqual([`${name}.tmp`]);
    const longAgo = Date.now() / 1_000 - 120;
    utimesSync(temporary, longAgo, longAgo);
    await run(start.toSpliced(1, 1, 'a'));
    expect(kept()).toEqual([name]);
  });

  test.skipIf(!process.allowedNodeEnvironmentFlags.has(everyFileAModule))(
    'is none of the matter of what files Node takes for modules',
    async ({ home }) => {
      const { run } = freshlyInstalled(home);
      for (const name of ['x', 'y']) await run(start.toSpliced(1, 1, name), { NODE_OPTIONS: `${everyFileAModule}=module` });
    },
  );

  test('is not kept where it is not wanted, nor where others may write', async ({ home }) => {
    const { built, run, kept } = freshlyInstalled(home);
    await run(start, { NODE_DISABLE_COMPILE_CACHE: '1' });
    chmodSync(built, 0o777);
    await run(['stop', 'x']);
    expect(kept()).toEqual([]);
  });
});
