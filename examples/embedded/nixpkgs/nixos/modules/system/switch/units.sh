# shellcheck shell=sh disable=SC2034,SC2154
# Shared by the scripts that switch the machine's units and a user's units. A script that sources it must be in an empty
# directory and set
#   systemctl   the command that calls systemd through D-Bus
#   one         the prefix of a unit's name in messages: nothing, or `user unit `
#   lists       the directory of the lists from which an interrupted switch continues
#   plan_units  plan-units.awk
#   status      the exit code so far
# The file `plan` has lines `ACTION UNIT`; the file `failures` has a line for each failed job.

say() { printf '%s\n' "$*" >&2; }

# fail WHAT CAUSE: ends with an error of the program itself.
fail() {
  say "Error: $1

Caused by:
    $2"
  exit 1
}

# Units that are not inactive: name, state and substate.
running() { LC_ALL=C $systemctl list-units --full --plain --no-legend | awk '$3 != "inactive" { print $1, $3, $4 }' | sort; }

# make_plan OLD NEW [asked]: plans the change between the unit files of two directories. It includes the lists that an
# interrupted switch left.
make_plan() {
  if [ $# = 2 ]; then
    for list in start restart reload; do
      [ ! -e "$lists/$list-list" ] || sed "s/^/$list /" "$lists/$list-list"
    done > plan
  fi
  {
    find -L "$1" "$2" -maxdepth 2 -type f 2> /dev/null
    find -L "$1" "$2" -maxdepth 2 -type c 2> /dev/null | sed 's/$/ masked/'
  } | sort > files
  awk -v old="$1" -v new="$2" -f "$plan_units" plan files active ${3+"$3"} > plan.new || exit 1
  mv plan.new plan
}

planned() { awk -v action="$1" '$1 == action { print $2 }' plan | sort -fu; }
# planned, without units that messages do not mention.
shown() {
  awk -v action="$1" '$1 == "hide" { hidden[$2] } $1 == action { all[$2] }
    END { for (unit in all) if (!(unit in hidden)) print unit }' plan | sort -f
}

# say_units WORDS: prints the names on standard input, if there are any.
say_units() {
  names=$(tr '\n' ' ' | sed -e 's/ $//' -e 's/ /, /g')
  [ -z "$names" ] || say "$1: $names"
}

record_lists() {
  for list in start restart reload; do
    planned $list > names
    [ ! -s names ] || cp names "$lists/$list-list"
  done
}

# jobs VERB: starts a job for each planned unit, all at once, and waits for them.
jobs() {
  planned "$1" > names
  # shellcheck disable=SC2046 # One word a unit.
  [ ! -s names ] || job "$1" $(cat names)
}

job() {
  verb=$1
  shift
  bus_lives || lost_bus
  LC_ALL=C $systemctl --no-ask-password "$verb" -- "$@" > said 2>&1
  if grep -qE '^(D-Bus connection terminated|Failed to connect to)' said || ! bus_lives; then lost_bus; fi
  # A job that systemd refuses is reported at once; a failed one after all others.
  sed -n "s/^Failed to $verb \([^ ]*: \)/Failed to $verb $one\1/p" said > refused
  if [ -s refused ] && [ "$verb" != stop ]; then
    cat refused >&2
    status=4
  fi
  sed -n -E "s/^(A dependency job|Job) for ([^ ]*) (failed|timed out).*/\2/p" said | sed "s/^/Failed to $verb $one/" >> failures
}
