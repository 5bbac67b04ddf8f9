// Loaded before a program: when it exits, it says how much memory it ever had, in kB.
process.on('exit', () => {
  require('node:fs').writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS));
});
