#!/bin/sh
':' //; exec node -- "$0" "$@"
// Above, for a shell: Node takes --env-file for its own wherever it stands, unless -- comes first. Below, for Node:
require(process.argv.some((word) => ['start', 'stop', 'restart'].includes(word)) ? '../dist/cli/load-acting.cjs' : '../dist/cli/entry.cjs');
