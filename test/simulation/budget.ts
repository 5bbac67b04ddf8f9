const asked = Number(process.env.DAEMONRY_SCHEDULES);

/** What every test run plays: a few seconds. */
export const quickRuns = 4_000;
/** What this run plays: more where it is asked for, as CI does. */
export const runs = asked > 0 ? asked : quickRuns;
export const firstSeed = Number(process.env.DAEMONRY_SEED ?? 1);
