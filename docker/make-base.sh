#!/bin/sh
# Writes a bare Debian $1 (bookworm, ...) into the archive $2, from Debian's own packages, for where no image registry answers.
set -eu
suite=$1
archive=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase "$suite" "$work/root" >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; exit 1; }
tar -C "$work/root" -cf "$archive" .
