import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../support/suite.js';
import type { Engine } from './engine.js';
import type { Suite, System } from './rows.js';

const folder = join(projectRoot, 'docker');
const repository = 'daemonry-test';
const pullTimeoutMs = 180_000;
/** What no run has wanted for so long may go. */
const keptMs = 24 * 3_600_000;

const run = promisify(execFile);

/** The images of the rows, each made once for each content that it is made of. */
export class Images {
  private readonly wanted = new Map<string, Promise<string>>();

  constructor(
    private readonly engine: Engine,
    private readonly say: (line: string) => void,
  ) {}

  /** How many had to be made. */
  built = 0;

  /** The tag of a system. Fails with the reason where it can't be had. */
  system(system: System, suite: Suite): Promise<string> {
    return this.once(`${system}-${suite}`, async (name) => {
      const base = await (system === 'plain' ? this.base(suite) : this.system('plain', suite));
      const dockerfile = `${system}.Dockerfile`;
      const tag = tagOf(name, base, readFileSync(join(folder, dockerfile), 'utf8'));
      return this.make(tag, async () => {
        await this.follow(
          await this.engine.buildImage(
            { context: folder, src: [dockerfile] },
            { t: tag, dockerfile, buildargs: { BASE: base }, forcerm: true },
          ),
        );
        this.say(`${name}: built on ${base}`);
      });
    });
  }

  /** Removes what these were made from before, when it is a day old. */
  async prune(): Promise<void> {
    const found = await Promise.allSettled(this.wanted.values());
    const kept = new Set(found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    const repositories = new Set([...kept].map((tag) => namesIn(tag).repo));
    for (const { RepoTags, Created } of await this.engine.listImages()) {
      const tag = RepoTags?.find((one) => repositories.has(namesIn(one).repo));
      if (!tag || kept.has(tag) || Date.now() - Created * 1_000 < keptMs) continue;
      // Another run may use it.
      await this.engine
        .getImage(tag)
        .remove()
        .catch(() => {});
    }
  }

  private base(suite: Suite): Promise<string> {
    return this.once(`base-${suite}`, (name) => {
      const tag = tagOf(name, readFileSync(join(folder, 'make-base.sh'), 'utf8'));
      return this.make(tag, async () => {
        const refusal = await this.pull(`debian:${suite}-slim`, tag);
        if (refusal === undefined) return this.say(`${name}: the public image debian:${suite}-slim`);
        this.say(`${name}: made of Debian's packages, since no registry has given the public image (${refusal})`);
        await this.bootstrap(suite, tag);
      });
    });
  }

  /** Returns why there is none. */
  private async pull(image: string, tag: string): Promise<string | undefined> {
    try {
      const stream = (await this.engine.pull(image, { abortSignal: AbortSignal.timeout(pullTimeoutMs) })) as NodeJS.ReadableStream;
      await this.follow(stream);
      await this.engine.getImage(image).tag(namesIn(tag));
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  private async bootstrap(suite: Suite, tag: string): Promise<void> {
    if (process.geteuid?.() !== 0) throw new Error('only root can make a base of packages');
    const work = mkdtempSync(join(tmpdir(), 'daemonry-base-'));
    try {
      const archive = join(work, 'base.tar');
      await run(join(folder, 'make-base.sh'), [suite, archive]);
      await this.follow(await this.engine.importImage(archive, { ...namesIn(tag), changes: 'CMD ["/bin/sh"]' }));
    } catch (error) {
      throw new Error(`no base of ${suite}: ${reasonOf(error)}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }

  private once(name: string, find: (name: string) => Promise<string>): Promise<string> {
    const wanted = this.wanted.get(name) ?? find(name);
    this.wanted.set(name, wanted);
    return wanted;
  }

  private async make(tag: string, build: () => Promise<void>): Promise<string> {
    if (!(await this.has(tag))) {
      await build();
      this.built++;
    }
    return tag;
  }

  private has(tag: string): Promise<boolean> {
    return this.engine
      .getImage(tag)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  }

  /** Until the engine is done; fails with its words, and with the last of what was printed. */
  private follow(stream: NodeJS.ReadableStream): Promise<void> {
    return new Promise((resolve, reject) => {
      this.engine.modem.followProgress(stream, (error, events: readonly { stream?: string; error?: string }[]) => {
        const failure = error?.message ?? events.find((event) => event.error !== undefined)?.error;
        if (failure === undefined) return resolve();
        const printed = events.map((event) => event.stream ?? '').join('');
        reject(new Error(`${failure}\n${printed.slice(-2_000)}`));
      });
    });
  }
}

function tagOf(name: string, ...content: readonly string[]): string {
  return `${repository}/${name}:${createHash('sha256').update(content.join('\0')).digest('hex').slice(0, 16)}`;
}

/** A tag in the engine's own words. */
function namesIn(tag: string): { readonly repo: string; readonly tag: string } {
  const colon = tag.lastIndexOf(':');
  return { repo: tag.slice(0, colon), tag: tag.slice(colon + 1) };
}

/** In one line. */
export function reasonOf(error: unknown): string {
  const { message, stderr } = error as Error & { stderr?: string };
  return (stderr?.trim() || message).split('\n').slice(-3).join(' ').replace(/\s+/g, ' ').trim();
}
