# shellcheck shell=sh
# Puts the secrets of the run $1 on this machine, in memory, for the activation script (target/activation/secrets.sh).
#
# It is sent over standard input, with what it reads after it: the size of this script is the argument before $1.
#
#   ssh … "sh -c 'self=\$(dd bs=1 count=\"\$1\" 2>/dev/null) && shift && eval \"\$self\"' nix-ferry SIZE ID" < script and secrets
#
# The secrets are lines: `@ NAME` begins a file, its content follows in base64; a line `.` is the last one.
# It prints `staged=yes` once everything has arrived.
set -u
umask 077
PATH=$PATH:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
case $1 in '' | *[!a-zA-Z0-9-]*) exit 1 ;; esac
staged=/run/nix-ferry/$1.secrets
mkdir -p /run/nix-ferry && mkdir "$staged" && cd "$staged" || exit
if awk '
  function finish() { if (command != "" && close(command) != 0) failed = 1; command = "" }
  failed { next }
  $1 == "@" {
    finish()
    if ($2 !~ /^[0-9]+[.][a-z]+$/) { failed = 1; next }
    command = "base64 -d >" $2
    printf "" | command
    next
  }
  $0 == "." { finish(); whole = 1; next }
  { print | command }
  END { finish(); exit failed || !whole }
'; then
  echo staged=yes
else
  cd / && rm -rf "$staged"
fi
