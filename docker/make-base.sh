#!/bin/sh
# Makes a bare Debian image under the name $1 from Debian's own packages, for where no image registry answers.
set -eu
image=$1
suite=${2:-bookworm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase "$suite" "$work/root" >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; exit 1; }
tar -C "$work/root" -c . | docker import --change 'CMD ["/bin/sh"]' - "$image" >/dev/null
