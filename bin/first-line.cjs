// Before npm links the bin. On Windows npm's shims take from the first line of a file who is to run it, and there is no /bin/sh: so Node
// is named there, with the -- after it. The line that POSIX needs and this one can't be the same: not every env knows -S.
const { readFileSync, writeFileSync } = require('node:fs');
const { join, sep } = require('node:path');

exports.forWindows = (text) => text.replace(/^#!\/bin\/sh\n.*\n/, '#!/usr/bin/env -S node --\n');

const isInstalled = __dirname.split(sep).includes('node_modules');
if (require.main === module && process.platform === 'win32' && isInstalled) {
  const bin = join(__dirname, 'daemonry.cjs');
  writeFileSync(bin, exports.forWindows(readFileSync(bin, 'utf8')));
}
