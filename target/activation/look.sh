# shellcheck shell=sh
# What is true of this machine: nothing here changes it.

# Where a link leads; nothing if it leads nowhere (readlink -f would answer a path all the same).
toplevel_of() { [ ! -e "$1" ] || readlink -f "$1"; }

running_now() { toplevel_of /run/current-system; }
profile_now() { toplevel_of $profile; }

# The link of the profile's current generation, as `system-21-link`.
generation_now() {
  link=$(readlink $profile 2>/dev/null)
  printf %s "${link##*/}"
}

# The links of all generations, one a line.
generations_now() {
  for link in "$profile"-*-link; do
    if [ -L "$link" ]; then printf '%s\n' "${link##*/}"; fi
  done
}

# Containers share the kernel's boot id, so the start time of process 1 is part of it.
boot_id() {
  kernel=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
  started=$(sed 's/^.*) //' /proc/1/stat 2>/dev/null | cut -d ' ' -f 20)
  printf '%s\n' "$kernel${started:+.$started}"
}

# Seconds since the machine started: a clock that nobody sets.
uptime_now() {
  read -r seconds _ </proc/uptime
  printf '%s\n' "${seconds%.*}"
}

has_systemd() { [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; }

list_units() {
  has_systemd || return 0
  systemctl list-units --all --full --plain --no-legend --no-pager 2>/dev/null 9>&-
}

# The units that run, one a line: those that an operator would miss. Not: sessions, mounts below /run, transient units,
# one connection of a socket (`sshd@0-10.0.0.1:22-…`), and targets, whose units are listed themselves.
units_now() {
  list_units | awk '($3 == "active" || $3 == "reloading") &&
    $1 ~ /\.(service|socket|timer|path|mount|automount|swap)$/ &&
    $1 !~ /^(nix-ferry-|run-|user@|user-runtime-dir@)/ && $1 !~ /@[0-9]+-.*:[0-9]+/ { print $1 }' | sort
}

# The units that failed, one a line; one that systemd starts again and again has failed too.
failed_now() {
  list_units | awk '($3 == "failed" || $4 ~ /^auto-restart/) && $1 !~ /^nix-ferry-/ { print $1 }' | sort
}

# without FILE: the lines of standard input that are not in FILE.
without() {
  awk -v file="$1" 'BEGIN { while ((getline line < file) > 0) seen[line] = 1 } !($0 in seen)'
}

# The units that ran before (in the file $1), are still installed and do not run now. A unit that something else starts
# when it is needed (a timer, a socket, a path) has ended by itself, unless it failed.
missing_units() {
  has_systemd || return 0
  units_now >"$here/units.now"
  without "$here/units.now" <"$1" >"$here/units.gone"
  [ -s "$here/units.gone" ] || return 0
  # shellcheck disable=SC2046 # One word a unit: their names have no blanks.
  systemctl show --no-pager --property=Id,LoadState,ActiveState,FragmentPath,TriggeredBy,Type,RemainAfterExit \
    -- $(cat "$here/units.gone") 2>/dev/null 9>&- | awk -F= '
      function flush() {
        if (v["Id"] != "" && v["LoadState"] == "loaded" && v["ActiveState"] !~ /^(active|activating|reloading)$/ &&
            v["FragmentPath"] !~ /^\/run\/systemd\/transient\// && (v["ActiveState"] == "failed" || v["TriggeredBy"] == "") &&
            !(v["Type"] == "oneshot" && v["RemainAfterExit"] == "no" && v["ActiveState"] == "inactive")) print v["Id"]
        split("", v)
      }
      /^$/ { flush(); next }
      { v[$1] = substr($0, length($1) + 2) }
      END { flush() }'
}

# Reads what is true now into variables.
look_now() {
  current=$(running_now)
  current_profile=$(profile_now)
  current_generation=$(generation_now)
  current_boot=$(boot_now)
  current_bootid=$(boot_id)
}

state() {
  answer current "$(running_now)"
  answer profile "$(profile_now)"
  answer boot "$(boot_now)"
  answer bootid "$(boot_id)"
}

probe() {
  answer machine "$(uname -m)"
  answer current "$(running_now)"
  answer profile "$(profile_now)"
  answer bootid "$(boot_id)"
  answer needs-reboot "$(needs_reboot "$(running_now)")"
  answer nix "$(nix_version)"
  answer free "$(df -Pk /nix/store 2>/dev/null | awk 'NR == 2 { print $4 }')"
  answer trusted "$(trusted)"
  probe_records
  refusal=''
  if [ "$(id -u)" = 0 ]; then
    answer root yes
    answer boot "$(boot_now)"
  elif [ $# -gt 0 ] && boot=$(escalated_boot "$@"); then
    answer root escalated
    answer boot "$boot"
  else
    answer root no
    [ $# = 0 ] || refusal=$("$@" sh -c : nix-ferry </dev/null 2>&1)
    answer refusal "$(printf %s "$refusal" | head -n 1)"
  fi
  answer end probe
}

# escalated_boot ESCALATION…: on most machines only root may read the boot loader's files.
escalated_boot() {
  # Shellcheck cannot see that the caller sets `self`: the text of this script, which it is not to expand here.
  # shellcheck disable=SC2016,SC2154
  printf '%s\n' "$self" | "$@" sh -c 'self=$(cat) && eval "$self"' nix-ferry boot 2>/dev/null
}

probe_records() {
  open=''
  if [ -e $records/activating.json ]; then
    if record_is_whole $records/activating.json; then
      open="$(field $records/activating.json id) $(field $records/activating.json phase) $(field $records/activating.json toplevel) $(field $records/activating.json before)"
    else
      open=unreadable
    fi
  fi
  answer open "$open"
  for key in toplevel mode host commit repository branch committed activated; do
    answer "deployed.$key" "$(field $records/deployed.json $key)"
  done
}

# Nix asks its daemon even for its version; a user whom the daemon lets in only by way of root gets no answer.
nix_version() {
  command -v nix-store >/dev/null || return 0
  version=$(nix-store --version 2>/dev/null) || true
  version=${version##* }
  echo "${version:-unknown}"
}

# Whether Nix accepts paths from this user that nobody signed: yes, no, or empty if that is not known.
trusted() {
  [ "$(id -u)" != 0 ] || { echo yes && return; }
  [ -w /nix/var/nix/daemon-socket/socket ] || { echo no && return; }
  users=$(nix --extra-experimental-features nix-command show-config 2>/dev/null | sed -n 's/^trusted-users = //p')
  [ -n "$users" ] || users=$(nix --extra-experimental-features nix-command config show trusted-users 2>/dev/null)
  [ -n "$users" ] || return 0
  user=$(id -un)
  groups=" $(id -Gn) "
  for each in $users; do
    case $each in
      "$user" | '*') echo yes && return ;;
      @*) case $groups in *" ${each#@} "*) echo yes && return ;; esac ;;
    esac
  done
  echo no
}
