import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import * as z from 'zod/mini';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import { type HealthProbe, parseHealthProbe } from '../../domain/health-check.js';
import { longestDurationMs } from '../../domain/quantity.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';

// As strict as what is given by hand: a number that nobody may give must not come in from the disk.
const milliseconds = z.int().check(z.gte(0), z.lte(longestDurationMs));
const mostLogsKept = 1_000;
const mostRestartsCounted = 1_000;
const text = z.string().check(z.refine((value) => !value.includes('\0')));
const signal = z.string().check(z.refine((value) => Object.hasOwn(constants.signals, value)));
const absolute = text.check(z.refine(isAbsolute));
// Not `record`, which leaves out a variable named __proto__.
const variables = z.custom<Readonly<Record<string, string>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isString),
);
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

const probe = z.pipe(
  z.looseObject({ kind: z.string(), port: z.optional(z.number()), url: z.optional(z.string()), line: z.optional(z.string()) }),
  z.transform((value, context): HealthProbe => {
    const detail = value.port ?? value.url ?? value.line;
    const parsed = parseHealthProbe(detail === undefined ? value.kind : `${value.kind}:${detail}`);
    if (typeof parsed !== 'string') return parsed;
    context.issues.push({ code: 'custom', input: value, message: parsed });
    return z.NEVER;
  }),
);
const health = z.object({
  probe,
  intervalMs: milliseconds,
  timeoutMs: milliseconds,
  threshold: z.int().check(z.gte(1)),
  startGraceMs: milliseconds,
});

const specShape = z.object({
  schema: z.literal(1),
  command: z.array(text).check(z.refine(([program = '']) => program !== '')),
  cwd: absolute,
  env: z._default(variables, specDefaults.env),
  envFiles: z._default(z.array(text), []),
  passEnv: z._default(z.array(text), []),
  cleanEnv: z._default(z.boolean(), specDefaults.cleanEnv),
  ready: z._default(ready, specDefaults.ready),
  readyTimeoutMs: z._default(milliseconds, specDefaults.readyTimeoutMs),
  onTimeout: z._default(z.enum(['stop', 'keep']), specDefaults.onTimeout),
  stopSignal: z._default(signal, specDefaults.stopSignal),
  graceMs: z._default(milliseconds, specDefaults.graceMs),
  socket: z._default(z.nullable(text), null),
  log: z._default(z.nullable(text), null),
  logMaxBytes: z._default(z.int().check(z.gte(1)), specDefaults.logMaxBytes),
  logKeep: z._default(z.int().check(z.gte(0), z.lte(mostLogsKept)), specDefaults.logKeep),
  restart: z._default(z.enum(['never', 'on-failure', 'always']), specDefaults.restart),
  restartDelayMs: z._default(milliseconds, specDefaults.restartDelayMs),
  restartMaxDelayMs: z._default(milliseconds, specDefaults.restartMaxDelayMs),
  restartLimit: z._default(z.int().check(z.gte(0), z.lte(mostRestartsCounted)), specDefaults.restartLimit),
  restartWindowMs: z._default(milliseconds, specDefaults.restartWindowMs),
  stableMs: z._default(milliseconds, specDefaults.stableMs),
  successCodes: z._default(z.array(z.int().check(z.gte(0), z.lte(255))), [...specDefaults.successCodes]),
  health: z._default(z.nullable(health), null),
  version: z._default(z.nullable(text.check(z.minLength(1))), null),
  project: z._default(z.nullable(absolute), null),
  fingerprint: z.optional(text),
  supersedes: z.optional(z.array(text)),
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

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
