# shellcheck shell=sh
# One request of the gate to root over a socket, on machines without a rule of sudo: see ferry-gate.socket. Systemd starts it
# for each connection. What root.sh prints goes to the gate as it is; the last line is
#
#   nix-ferry-gate-end CODE BASE64     the exit code of root.sh, and what it printed to standard error
set -u
umask 077
PATH=/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
# Not the link `current`, which may point to another version before root.sh has read all its files.
directory=$(readlink -f "${0%/*}") || exit
errors=$(mktemp /run/nix-ferry-gate.XXXXXXXX) || exit
trap 'rm -f "$errors"' EXIT
sh "$directory/root" 2>"$errors"
code=$?
printf 'nix-ferry-gate-end %s %s\n' $code "$(base64 <"$errors" | tr -d '\n')"
