import fc from 'fast-check';

// One seed, so that a run tells of the code and not of its luck. The simulation is what looks for news.
fc.configureGlobal({ seed: 20_261_122 });

export { fc };
