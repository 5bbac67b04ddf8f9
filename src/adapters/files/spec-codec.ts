import * as z from 'zod/mini';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';

const milliseconds = z.int().check(z.gte(0));
const names = z.record(z.string(), z.string());
const ready = z.pipe(
  z.looseObject({ kind: z.string(), port: z.optional(z.number()), url: z.optional(z.string()), pattern: z.optional(z.string()) }),
  z.transform((value, context): ReadyCondition => {
    const detail = value.port ?? value.url ?? value.pattern;
    const condition = parseReadyCondition(detail === undefined ? value.kind : `${value.kind}:${detail}`);
    if (typeof condition !== 'string') return condition;
    context.issues.push({ code: 'custom', input: value, message: condition });
    return z.NEVER;
  }),
);

const specShape = z.object({
  schema: z.literal(1),
  command: z.array(z.string()).check(z.minLength(1)),
  cwd: z.string().check(z.minLength(1)),
  env: z._default(names, specDefaults.env),
  envFiles: z._default(z.array(z.string()), []),
  passEnv: z._default(z.array(z.string()), []),
  cleanEnv: z._default(z.boolean(), specDefaults.cleanEnv),
  ready: z._default(ready, specDefaults.ready),
  readyTimeoutMs: z._default(milliseconds, specDefaults.readyTimeoutMs),
  onTimeout: z._default(z.enum(['stop', 'keep']), specDefaults.onTimeout),
  stopSignal: z._default(z.string(), specDefaults.stopSignal),
  graceMs: z._default(milliseconds, specDefaults.graceMs),
  socket: z._default(z.nullable(z.string()), null),
  log: z._default(z.nullable(z.string()), null),
  logMaxBytes: z._default(z.int().check(z.gte(1)), specDefaults.logMaxBytes),
  logKeep: z._default(z.int().check(z.gte(0)), specDefaults.logKeep),
  restart: z._default(z.enum(['never', 'on-failure', 'always']), specDefaults.restart),
  version: z._default(z.nullable(z.string().check(z.minLength(1))), null),
});

/** The remembered spec, or `undefined` where what is there is none: a lost spec must not block a stop. */
export function decodeSpec(text: string): DaemonSpec | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = z.safeParse(specShape, value);
  if (!parsed.success) return undefined;
  const { schema: _, ...spec } = parsed.data;
  return spec;
}
