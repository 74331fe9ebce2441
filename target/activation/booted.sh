# shellcheck shell=sh
# The rule "needs a reboot": what only a boot makes effective, and that differs between the system that the machine was
# booted with and another one. src/deploy/booted.ts is the same rule, for descriptions of two systems.

# Files of a toplevel: the first are compared by where they lead, the others by what they contain.
booted_links='kernel initrd kernel-modules systemd'
booted_contents='kernel-params init-interface-version'

# needs_reboot TOPLEVEL: the names of those that differ, separated by spaces; nothing if none does, or if the machine
# does not say what it was booted with. A file that one of the systems does not have is not compared: older ones lack some.
needs_reboot() {
  booted=$(toplevel_of /run/booted-system)
  [ -n "$booted" ] && [ -n "$1" ] && [ "$booted" != "$1" ] || return 0
  different=''
  for part in $booted_links; do
    if [ -L "$booted/$part" ] && [ -L "$1/$part" ] && [ "$(readlink "$booted/$part")" != "$(readlink "$1/$part")" ]; then
      different="$different $part"
    fi
  done
  for part in $booted_contents; do
    if [ -e "$booted/$part" ] && [ -e "$1/$part" ] && [ "$(cat "$booted/$part")" != "$(cat "$1/$part")" ]; then
      different="$different $part"
    fi
  done
  printf '%s\n' "${different# }"
}
