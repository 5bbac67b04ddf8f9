import * as z from 'zod/mini';
import { healthRule, parseHealthProbe } from '../../domain/health-check.js';
import { dependencyConditions, isDaemonKey, isProjectName, keyRule, projectNameRule } from '../../domain/project.js';
import { durationRule, parseDuration, parseSize, sizeRule } from '../../domain/quantity.js';
import { parseReadyCondition, readyRule } from '../../domain/ready-condition.js';
import { splitCommand } from '../../domain/split-command.js';
import { isVariableName, variableRule } from '../../domain/variable-name.js';
import { fitsSocketPath, longestSocketPathBytes } from '../files/home.js';
import { findSignalName, signalNames } from '../signal-name.js';

// The one source of what a project file may hold: the parser asks it, the JSON Schema and the table of keys are made from
// it. An issue's message says what is allowed; what is there instead is said where the issue is told.

/** For the JSON Schema: what it can say of a text beyond its being one, and what the key is for. */
type About = {
  readonly description?: string;
  readonly pattern?: string;
  readonly examples?: readonly string[];
  readonly default?: unknown;
};

/** `check` says what is wrong, where something is. */
function word(rule: string, check: (text: string) => string | undefined, about: About = {}) {
  const isGood = z.check<string>((payload) => {
    const why = payload.value.includes('\0') ? 'no text here may hold a zero byte' : check(payload.value);
    if (why !== undefined) payload.issues.push({ code: 'custom', input: payload.value, message: why });
  });
  return z.string({ error: rule }).check(isGood).register(z.globalRegistry, about);
}

function whole(least: number, most: number, about: About = {}) {
  const error = `it takes a whole number from ${least} to ${most}`;
  return z.int({ error }).check(z.gte(least, { error }), z.lte(most, { error })).register(z.globalRegistry, about);
}

function oneOf<const T extends readonly string[]>(words: T, about: About = {}) {
  return z.enum(words, { error: `it takes ${words.join(', ')}` }).register(z.globalRegistry, about);
}

function yesOrNo(about: About) {
  return z.boolean({ error: 'it takes true or false' }).register(z.globalRegistry, about);
}

function list<T extends z.ZodMiniType>(item: T, rule: string, about: About = {}) {
  return z.array(item, { error: rule }).register(z.globalRegistry, about);
}

function either<const T extends readonly z.ZodMiniType[]>(branches: T, rule: string, about: About = {}) {
  const union = z.union(branches, { error: rule });
  z.globalRegistry.add(union, about);
  return union;
}

function mapping<T extends z.core.$ZodShape>(shape: T, about: About = {}) {
  const error = `it takes a mapping of ${Object.keys(shape).join(', ')}`;
  return z
    .strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : error) })
    .register(z.globalRegistry, about);
}

const allow = (isGood: (text: string) => boolean, rule: string) => (text: string) => (isGood(text) ? undefined : rule);
const anyText = allow((text) => text !== '', 'it is empty');

const textRule = 'it takes a text; what YAML reads as a number, true or false stands in quotes';
const pathRule = 'it takes a path; a relative one counts from the folder of this file';
const noHomeSign = allow((text) => text !== '' && text !== '~' && !text.startsWith('~/'), `${pathRule}; ~ is the shell's`);
const durationPattern = '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$';
const addressPattern = '[hH][tT][tT][pP][sS]?://[^\\s/?#]+[\\s\\S]*';
const namePattern = '^[A-Za-z0-9][A-Za-z0-9_-]*$';
const variablePattern = '^[^=]+$';
const pathPattern = '^(?!~(/|$)).+';
const sizePattern = '^\\d{1,12}(\\.\\d{1,6})?([Bb]|[Kk][Bb]|[Mm][Bb]|[Gg][Bb])$';

const path = (about: About = {}) => word(pathRule, noHomeSign, { ...about, pattern: pathPattern });
const duration = (description: string, usual?: string) =>
  word(
    durationRule,
    allow((text) => parseDuration(text) !== undefined, durationRule),
    {
      description,
      pattern: durationPattern,
      ...(usual === undefined ? {} : { default: usual }),
    },
  );
const positive = (description: string, usual: string) =>
  word(
    durationRule,
    allow((text) => (parseDuration(text) ?? 0) > 0, `${durationRule}, and more than nothing`),
    {
      description,
      pattern: durationPattern,
      default: usual,
    },
  );

const wrong = (parsed: unknown) => (typeof parsed === 'string' ? parsed : undefined);
const wrongUrl = (parsed: { kind: string; url?: string } | string, rule: string) =>
  wrong(parsed) ?? (typeof parsed === 'object' && parsed.kind === 'http' && !URL.canParse(parsed.url ?? '') ? rule : undefined);
const httpRule = 'http takes a whole address, as in http:http://127.0.0.1:3000/ready';

const argument = word(textRule, () => undefined);
const programRule = 'it takes the program, then its arguments';
const command = either(
  [
    word(textRule, (text) => wrong(splitCommand(text)), { pattern: '\\S' }),
    z.array(argument, { error: programRule }).check(
      z.minLength(1, { error: programRule }),
      z.refine(([program]) => program !== '', { error: programRule }),
    ),
  ],
  'it takes a text, or a list of texts: the program, then its arguments',
  { description: 'The program and its arguments. A text is split as a shell would, without running one.' },
);

const variable = word(variableRule, allow(isVariableName, variableRule), { pattern: variablePattern });
const env = z
  .record(
    variable,
    z.union([word(textRule, () => undefined), z.number(), z.boolean()], { error: 'a variable takes a text, a number, true or false' }),
    { error: 'it takes a mapping of variables' },
  )
  .register(z.globalRegistry, { description: 'Variables for it, remembered on disk. Secrets belong into `env_file` or `pass_env`.' });

const envFile = either([path(), list(path(), 'it takes a list of paths')], 'it takes a path, or a list of them', {
  description: 'Files of variables, read at each start.',
});

const stop = mapping(
  {
    signal: z.optional(
      word(
        `signals are ${signalNames.join(', ')}`,
        (text) => (findSignalName(text) ? undefined : `signals are ${signalNames.join(', ')}`),
        {
          description: 'The signal that asks it to end.',
          pattern: '^[A-Za-z][A-Za-z0-9]*$',
          examples: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'],
          default: 'SIGTERM',
        },
      ),
    ),
    grace: z.optional(duration('How long it may take to end before it is killed.', '10s')),
  },
  { description: 'How it is stopped.' },
);

const logs = mapping(
  {
    max_size: z.optional(
      word(
        sizeRule,
        allow((text) => parseSize(text) !== undefined, sizeRule),
        {
          description: 'When the log is rotated.',
          pattern: sizePattern,
          default: '10MB',
        },
      ),
    ),
    keep: z.optional(whole(0, 1_000, { description: 'How many rotated logs are kept.', default: 5 })),
  },
  { description: 'How large its log may grow.' },
);

const health = mapping(
  {
    probe: z.optional(
      word(healthRule, (text) => wrongUrl(parseHealthProbe(text), httpRule), {
        description: 'What shows that it is well: `http:URL`, `port:N`, `command:COMMAND` or `ping`.',
        pattern: `^(ping|port:\\d{1,5}|http:${addressPattern}|command:.*\\S.*)$`,
      }),
    ),
    interval: z.optional(positive('From the end of one probe to the next.', '10s')),
    timeout: z.optional(positive('Longer, and the probe has failed.', '2s')),
    threshold: z.optional(whole(1, 1_000, { description: 'How many failures in a row make it unhealthy.', default: 3 })),
    start_grace: z.optional(duration('After it got ready, failures count for nothing so long.', '5s')),
  },
  { description: 'How a supervisor sees whether it is well.' },
);

const policies = ['never', 'on-failure', 'always'] as const;
const restart = either(
  [
    oneOf(policies),
    mapping({
      policy: z.optional(oneOf(policies, { description: 'When it is started again.', default: 'never' })),
      delay: z.optional(duration('Before the second restart in a row; doubled for each further one.', '100ms')),
      max_delay: z.optional(duration('The longest such delay.', '30s')),
      limit: z.optional(
        whole(0, 1_000, { description: 'So many restarts in the window are a crash loop; 0 for any number.', default: 10 }),
      ),
      window: z.optional(duration('The window in which they are counted.', '1m')),
      stable_after: z.optional(duration('After so long a run it is restarted at once again.', '10s')),
      success_codes: z.optional(
        list(whole(0, 255), 'it takes a list of exit codes', { description: 'Exit codes that are no failure.', default: [0] }),
      ),
    }),
  ],
  `it takes ${policies.join(', ')}, or a mapping with policy and more`,
  { description: 'When a supervisor starts it again.', default: 'never' },
);

const key = word(keyRule, allow(isDaemonKey, keyRule), { pattern: namePattern });
const groupRule = 'a group has A-Z a-z 0-9 _ - in its name, and begins with a letter or digit';
const conditions = oneOf([...dependencyConditions] as const);
const dependsOn = either(
  [
    list(key, 'it takes a list of daemons'),
    z.record(key, conditions, { error: `it takes a mapping of daemons to ${dependencyConditions.join(', ')}` }),
  ],
  `it takes a list of daemons, or a mapping of daemons to ${dependencyConditions.join(', ')}`,
  { description: 'What must be `started`, `ready`, `healthy` or `exited` (with a success code) before. A list means `ready`.' },
);

/** What every daemon of a file may have in common. */
const shared = {
  cwd: z.optional(path({ description: 'Its working folder.', default: '.' })),
  env: z.optional(env),
  env_file: z.optional(envFile),
  pass_env: z.optional(
    list(variable, 'it takes a list of names of variables', { description: "The starter's variables that `clean_env` shall not drop." }),
  ),
  clean_env: z.optional(yesOrNo({ description: 'Pass on PATH, HOME and what is named, not the whole environment.', default: false })),
  ready: z.optional(
    word(readyRule, (text) => wrongUrl(parseReadyCondition(text), httpRule), {
      description: 'When it is ready: `exec`, `socket`, `port:N`, `http:URL`, `log:REGEX` or `notify`.',
      pattern: `^(exec|socket|notify|port:\\d{1,5}|http:${addressPattern}|log:[\\s\\S]+)$`,
      default: 'exec',
    }),
  ),
  ready_timeout: z.optional(duration('How long that may take; also to get healthy, or to end, where others wait for that.', '15s')),
  on_timeout: z.optional(oneOf(['stop', 'keep'] as const, { description: 'What happens to it then.', default: 'stop' })),
  stop: z.optional(stop),
  logs: z.optional(logs),
  health: z.optional(health),
  restart: z.optional(restart),
  groups: z.optional(
    list(word(groupRule, allow(isDaemonKey, groupRule), { pattern: namePattern }), 'it takes a list of groups', {
      description: 'Names for `--group`.',
    }),
  ),
  version: z.optional(word(textRule, anyText, { description: "The daemon's own version.", pattern: '^[\\s\\S]+$' })),
};

const daemon = mapping({
  command,
  ...shared,
  socket: z.optional(
    word(
      pathRule,
      (text) =>
        noHomeSign(text) ??
        (fitsSocketPath(text, process.platform)
          ? undefined
          : `a socket path has at most ${longestSocketPathBytes(process.platform)} bytes`),
      { description: 'A socket path of your own.', pattern: pathPattern },
    ),
  ),
  log: z.optional(path({ description: 'A log file of your own.' })),
  depends_on: z.optional(dependsOn),
});

const fileShape = {
  $schema: z.optional(word(textRule, () => undefined, { description: 'For editors; not read.' })),
  project: z.optional(
    word(projectNameRule, allow(isProjectName, projectNameRule), {
      description: "What the daemons' names begin with. The folder's name without it.",
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    }),
  ),
  defaults: z.optional(mapping(shared, { description: 'What each daemon has unless it says otherwise. Mappings are merged key by key.' })),
  daemons: z
    .record(key, daemon, { error: 'it takes a mapping of names to daemons' })
    .register(z.globalRegistry, { description: 'The daemons, by name. Each is known as `<project>.<name>`.' }),
};

export const projectShape = mapping(fileShape);

export type ProjectFile = z.infer<typeof projectShape>;
export type DaemonEntry = ProjectFile['daemons'][string];
export type DaemonDefaults = NonNullable<ProjectFile['defaults']>;

/** Where the schema is published, with the package. */
export const schemaId = 'https://unpkg.com/daemonry/schema/daemonry.schema.json';

/** The JSON Schema of a project file, draft 2020-12. */
export function projectJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(projectShape, { target: 'draft-2020-12', io: 'input' });
  return { $schema, $id: schemaId, title: 'daemonry project file', ...schema };
}
