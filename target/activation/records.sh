# shellcheck shell=sh
# The records in /var/lib/nix-ferry: activating.json is the activation in progress (the open record), deployed.json the
# last one that was finished, history all of those, one a line. Each is on disk before the next thing happens.
#
# The first two have one field a line, so that sed can read them.

# A JSON string; null if empty. Control characters become blanks.
json_text() {
  case $1 in
    '') printf null ;;
    *[!A-Za-z0-9\ ._:/@+=,-]*) printf '"%s"' "$(printf %s "$1" | tr '\001-\037' ' ' | sed 's/[\\"]/\\&/g')" ;;
    # Most texts: without a process.
    *) printf '"%s"' "$1" ;;
  esac
}

# field FILE KEY: its value; nothing if it is null or not there.
field() {
  sed -n -e "/^ \"$2\": /!d" -e "s/^ \"$2\": //" -e 's/,$//' -e 's/^null$//' -e 's/^"\(.*\)"$/\1/' \
    -e 's/\\\(["\\]\)/\1/g' -e 'p;q' "$1" 2>/dev/null || :
}

# Whether only root can write the records. What they say is done as root: a machine is taken back to the system that the open
# record names.
records_are_roots() {
  [ -e $records ] || return 0
  # shellcheck disable=SC2046 # Mode, links, owner.
  set -- $(ls -ldnL $records)
  case "${1:-} ${3:-}" in d????-??-*' 0') ;; *) return 1 ;; esac
}

not_roots() { echo "other users than root can write to $records: make root its owner, with mode 755"; }

# Some systems only know a sync of everything.
flush() { sync "$1" 2>/dev/null 9>&- || sync 9>&-; }

# store FILE: makes standard input its content, on disk when this returns. If it fails, the old content stays.
store() {
  if cat >"$1.new" && flush "$1.new" && mv -f "$1.new" "$1"; then
    flush "${1%/*}"
  else
    rm -f "$1.new"
    return 1
  fi 2>>"$log"
}

# What both kinds of records say, from the variables of the run.
deployment_fields() {
  printf ' "%s": %s,\n' \
    id "$(json_text "$id")" mode "$(json_text "$mode")" toplevel "$(json_text "$toplevel")" \
    host "$(json_text "$host")" commit "$(json_text "$commit")" repository "$(json_text "$repository")" \
    branch "$(json_text "$branch")" committed "${committed:-null}" run "$(json_text "$run")" \
    digest "$(json_text "$digest")" by "$(json_text "$who")" activated "$(if [ "$activated" = yes ]; then echo true; else echo false; fi)"
}

# Writes the open record with the phase that begins now. Public, as all of NixOS's own state of this kind.
write_open() {
  (
    umask 022
    mkdir -p $records
    {
      echo '{'
      deployment_fields
      printf ' "%s": %s,\n' \
        phase "$(json_text "$phase")" before "$(json_text "$before")" profile "$(json_text "$profile_before")" \
        generation "$(json_text "$generation")" boot "$(json_text "$boot_before")" bootId "$(json_text "$bootid_before")" \
        reboot "$(if [ "$reboots" = yes ]; then echo true; else echo false; fi)"
      printf ' "time": "%s"\n}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    } >"$here/record" && store $records/activating.json <"$here/record"
  )
}

# Whether FILE is an open record of this script, to its last line.
record_is_whole() {
  [ "$(tail -n 1 "$1" 2>/dev/null)" = '}' ] || return
  case $(field "$1" id) in '' | *[!a-zA-Z0-9-]*) return 1 ;; esac
  case $(field "$1" toplevel) in /nix/store/?*) ;; *) return 1 ;; esac
  case " $phases " in *" $(field "$1" phase) "*) ;; *) return 1 ;; esac
}

# Reads the open record (or its copy in the run's directory) into the variables of the run.
load_record() {
  record_is_whole "$1" || return
  id=$(field "$1" id) mode=$(field "$1" mode) toplevel=$(field "$1" toplevel) host=$(field "$1" host)
  commit=$(field "$1" commit) repository=$(field "$1" repository) branch=$(field "$1" branch)
  committed=$(field "$1" committed) run=$(field "$1" run) digest=$(field "$1" digest) who=$(field "$1" by)
  if [ "$(field "$1" activated)" = true ]; then activated=yes; else activated=no; fi
  phase=$(field "$1" phase) before=$(field "$1" before)
  profile_before=$(field "$1" profile) generation=$(field "$1" generation) boot_before=$(field "$1" boot)
  bootid_before=$(field "$1" bootId)
  if [ "$(field "$1" reboot)" = true ]; then reboots=yes; else reboots=no; fi
}

# Makes the open record the last finished one; it stays open until it is dropped. May be repeated after it was cut.
finish_record() {
  deployed=$(
    echo '{'
    deployment_fields
    printf ' "time": "%s"\n}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  )
  (
    umask 022
    last=$(tail -n 1 $records/history 2>/dev/null)
    case $last in
      *"\"id\": \"$id\""*) ;;
      # A line that was cut gets its end first.
      *)
        case $last in '' | *'}') ;; *) echo ;; esac >>$records/history &&
          printf '%s\n' "$deployed" | tr -d '\n' >>$records/history && echo >>$records/history
        ;;
    esac && flush $records/history && printf '%s\n' "$deployed" | store $records/deployed.json
  ) 2>>"$log"
}

# The open record goes before its lists: what stays behind without it is removed by the next run. Secrets that are not kept
# by then would be taken back.
drop_record() {
  [ "$result" != finished ] || keep_secrets
  rm -f $records/activating.json && flush $records
  rm -f $records/activating.units $records/activating.failed $records/activating.generations
  drop_carried
}
