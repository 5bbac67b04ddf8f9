import { limitsOf } from '../../composition/shortcomings.js';
import { diagnose, type Finding, mend } from '../../doctor/diagnose.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from './context.js';

export async function doctor(invocation: Invocation, { machine, settings }: VerbContext): Promise<Answer> {
  const found = await diagnose(machine, settings);
  const findings = invocation.has('--fix') ? await mend(machine, found, settings) : found;
  const open = findings.filter(({ fixed }) => !fixed);
  const limits = limitsOf(settings.platform);
  return {
    json: { findings, ...(limits.length > 0 ? { limits } : {}) },
    lines: [...(findings.length === 0 ? ['nothing is wrong here'] : findings.map(line)), ...limits.map((limit) => `note: ${limit}`)],
    exitCode: open.length === 0 ? 0 : 1,
  };
}

function line({ code, message, hint, fixed }: Finding): string {
  return fixed ? `fixed: ${message} (${code})` : `${message} (${code}): ${hint}`;
}
