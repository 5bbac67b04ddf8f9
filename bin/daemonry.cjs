#!/bin/sh
':' //; exec node -- "$0" "$@"
// Above, for a shell: Node takes --env-file for its own wherever it stands, unless -- comes first. Below, for Node:
require('../dist/cli/entry.cjs');
