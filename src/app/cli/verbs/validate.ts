import { wavesOf } from '../../../domain/dependency-graph.js';
import { graphOf } from '../../../domain/project-selection.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { projectOf } from '../project/project-context.js';
import type { VerbContext } from './context.js';

export async function validate(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const project = projectOf(invocation, context);
  const { name, file, daemons } = project;
  const waves = wavesOf(graphOf(project));
  const listed = daemons.map(({ key, name: fullName, spec, dependsOn, groups }) => ({
    name: fullName,
    key,
    command: spec.command,
    cwd: spec.cwd,
    dependsOn,
    groups,
    wave: waves.findIndex((wave) => wave.includes(key)),
  }));
  return {
    json: { valid: true, file, project: name, daemons: listed },
    lines: [`${file} is valid: project ${name}, ${daemons.length === 1 ? '1 daemon' : `${daemons.length} daemons`}`],
    exitCode: 0,
  };
}
