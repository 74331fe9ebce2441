# shellcheck shell=sh
# Running switch-to-configuration and whatever else may hang, and the way back.

say() { printf 'nix-ferry: %s\n' "$1" >>"$log"; }

# Not every sleep knows parts of a second.
pause() { sleep 0.2 2>/dev/null 9>&- || sleep 1 9>&-; }

# bounded SECONDS COMMAND…: runs it with the log as its output; its exit code is in `ended`, `timeout` if it was killed.
# The lock (9) must not pass to what it starts: a daemon would hold it for ever. Nor does the umask of our own files.
bounded() {
  limit=$1
  shift
  # In a session of its own, so that its whole group can be killed.
  if command -v setsid >/dev/null; then set -- setsid "$@"; fi
  rm -f "$here/timeout"
  (umask 022 && exec "$@") >>"$log" 2>&1 </dev/null 9>&- &
  child=$!
  echo $child >"$here/child"
  kill_after "$limit" $child </dev/null >/dev/null 2>&1 9>&- &
  watchdog=$!
  wait $child 2>/dev/null
  ended=$?
  kill $watchdog 2>/dev/null
  wait $watchdog 2>/dev/null
  rm -f "$here/child"
  if [ -e "$here/timeout" ]; then
    ended=timeout
    rm -f "$here/timeout"
    kill_cgroup "$(cgroup_of $$)"
  fi
  [ "$ended" = 0 ]
}

kill_after() {
  left=$1
  while [ "$left" -gt 0 ]; do
    sleep 1
    kill -0 $$ || exit 0
    left=$((left - 1))
  done
  : >"$here/timeout"
  kill_group "$2"
}

# Without `--` before the group: dash and busybox take it for a number.
kill_group() { kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null; }

# The directory of the control group of a process that is in a unit of ours; nothing for any other.
cgroup_of() {
  sed -n -e 's|^0::||p' -e 's|^[0-9]*:name=systemd:||p' "/proc/$1/cgroup" 2>/dev/null | while read -r path; do
    case $path in */nix-ferry-*.service) ;; *) continue ;; esac
    for mount in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
      if [ -f "$mount$path/cgroup.procs" ]; then
        printf '%s\n' "$mount$path"
        break
      fi
    done
  done | head -n 1
}

# Kills all processes of a control group except this one. It asks neither D-Bus nor systemd. A process that is being reaped is
# listed as 0, which `kill` takes for our own process group.
kill_cgroup() {
  rounds=0
  while [ -f "$1/cgroup.procs" ] && [ $rounds -lt 50 ]; do
    others=''
    while read -r pid; do
      if [ "$pid" != $$ ] && [ "$pid" != 0 ]; then
        kill -KILL "$pid" 2>/dev/null
        others=1
      fi
    done <"$1/cgroup.procs"
    [ -n "$others" ] || return 0
    rounds=$((rounds + 1))
    pause
  done
}

# Kills all that the activation ID runs (its supervisor, its switch-to-configuration), except this process.
kill_unit() {
  killed=$(cat "$runs/$1/cgroup" 2>/dev/null)
  if [ -n "$killed" ]; then
    kill_cgroup "$killed"
    return
  fi
  # Without control groups: the process groups that we know.
  if alive "$1" && [ "$supervisor" != $$ ]; then kill_group "$supervisor"; fi
  group=$(cat "$runs/$1/child" 2>/dev/null)
  if [ -n "$group" ]; then kill_group "$group"; fi
}

# Whether the supervisor of the activation ID runs. Its number may be another process's by now.
alive() {
  supervisor=$(cat "$runs/$1/pid" 2>/dev/null)
  [ -n "$supervisor" ] && tr '\000' ' ' 2>/dev/null <"/proc/$supervisor/cmdline" | grep -q -e " supervise $1 "
}

log_lines() { awk 'END { print NR }' "$log"; }

# said PATTERN: whether the last switch-to-configuration printed such a line.
said() { tail -n +$((said_from + 1)) "$log" | grep -q -e "$1"; }

# switch_to VERB TOPLEVEL [VARIABLE=VALUE]: runs its switch-to-configuration within activate-limit. It has a lock of its
# own, which somebody else's dry run or switch may hold for a while: that is waited for, within step-limit.
switch_to() {
  lock_until=$(($(uptime_now) + step_limit))
  while :; do
    said_from=$(log_lines)
    if [ $# -gt 2 ]; then
      bounded "$activate_limit" env "$3" "$2/bin/switch-to-configuration" "$1"
    else
      bounded "$activate_limit" "$2/bin/switch-to-configuration" "$1"
    fi
    if [ "$ended" = 0 ] || [ "$(uptime_now)" -ge $lock_until ] || ! said '^Could not acquire lock'; then break; fi
    [ "$mode" = dry-activate ] || end_dry_runs
    sleep 2 9>&-
  done
  [ "$ended" = 0 ]
}

# Whether the last switch-to-configuration began to change the machine: by its words, the running system, and the units.
touched() {
  [ "$ended" != timeout ] || return 0
  said '^\(stopping\|restarting\|reloading\|starting\) the following' && return
  said '^activating the configuration' && return
  [ "$(running_now)" = "$before" ] || return 0
  [ -n "$(missing_units "$units")" ]
}

# Takes everything back to what the record says: `before`, `profile_before`, `generation`, `boot_before`, the units in the
# file `units`. Sets `result` (went-back | stuck), `problem` and `back_code`. May be repeated after it was cut.
take_back() {
  back_code='' boot_back_code='' problem='' note=''
  say "going back to ${before:-nothing}"
  kill_unit "$id"
  restore_secrets || add_problem 'secrets could not be taken back'
  rebooted=''
  [ "$(boot_id)" = "$bootid_before" ] || rebooted=yes
  if [ "$reboots" = yes ]; then
    reboot_back
    forget_once
  fi
  if changed_running; then restore_running; elif [ -n "$rebooted" ]; then expected=''; fi
  keep_gate
  if { reached commit || [ "$reboots" = yes ]; } && [ "$mode" != test ]; then restore_profile; fi
  [ -n "$rebooted" ] || start_missing
  # After a reboot, only the record says which there were.
  if [ -n "$rebooted" ]; then run_restored_actions; else repeat_secret_actions "$id"; fi
  judge_back
}

# Whether the activation may have changed what runs: since it began, or by starting the machine from a boot loader that
# was installed and is taken back now.
changed_running() {
  expected=$before
  if [ "$reboots" = yes ]; then
    [ -n "$rebooted" ] && [ "$profile_before" != "$toplevel" ] || return
    # Or it was on the way from there.
    [ "$(running_now)" = "$toplevel" ] || [ "$(toplevel_of /run/booted-system)" = "$toplevel" ]
    return
  fi
  case $(running_now) in
    "$before") [ -z "$rebooted" ] && [ "$mode" != boot ] && reached activate ;;
    # Started so, unless it was what the machine was to start anyway.
    "$toplevel") [ -z "$rebooted" ] || { reached commit && [ "$profile_before" != "$toplevel" ]; } ;;
    *) [ -z "$rebooted" ] ;;
  esac
}

restore_running() {
  if [ -z "$before" ]; then return; fi
  # Its own pre-switch checks must not keep a machine from its old system.
  switch_to test "$before" NIXOS_NO_CHECK=1
  back_code=$ended
}

# The gate that `ferry target-setup` has made (target/gate/setup.sh) is part of no system: what another system has removed of
# it is made again, and what a system with the module has replaced is removed.
keep_gate() {
  [ ! -e $gate/setup ] || bounded "$step_limit" sh $gate/setup keep
}

# Profile, generation and boot loader. The boot loader's menu is made from the profile's generations, so that the profile
# comes first; it is installed again in any case, since it may have got half of a new menu.
restore_profile() {
  if [ "$(generation_now)" != "$generation" ]; then
    say "taking the profile back to ${generation:-nothing}"
    if [ -z "$generation" ]; then
      rm -f $profile
    else
      number=${generation#system-}
      # Not --rollback: that is "one generation less", not the one that was. If Nix cannot, the link can still be made.
      bounded "$step_limit" nix-env --profile $profile --switch-generation "${number%-link}" ||
        { ln -sfn "$generation" $profile.nix-ferry && mv -fT $profile.nix-ferry $profile; } 2>>"$log"
    fi
  fi
  # Only what this run made. nix-env refuses to delete the generation of a profile that has no other.
  generations_now | without "$generations" | while read -r link; do
    if [ "$(readlink "${profile%/*}/$link")" = "$toplevel" ] && [ "$link" != "$(generation_now)" ]; then
      rm -f "${profile%/*}/$link"
    fi
  done
  [ -n "$profile_before" ] || return 0
  switch_to boot "$profile_before" NIXOS_NO_CHECK=1
  boot_back_code=$ended
}

# switch-to-configuration does not start again what had failed, nor what is stopped and has not changed.
start_missing() {
  missing=$(missing_units "$units")
  for unit in $missing; do
    bounded "$step_limit" systemctl reset-failed "$unit"
    say "starting $unit, which ran before"
    bounded "$step_limit" systemctl start "$unit"
  done
}

# await_units FILE: waits, within step-limit, for units that are neither up nor down yet: what a unit is in the end is what
# counts, and systemd may still be starting one, or others that it has to start before.
await_units() {
  until=$(($(uptime_now) + step_limit))
  while [ "$(uptime_now)" -lt "$until" ] && units_change "$1"; do pause; done
}

judge_back() {
  look_now
  # A machine that was restarted in between runs what its boot loader started.
  if [ "$current" != "$expected" ] && { [ -n "$expected" ] || [ -z "$rebooted" ]; }; then
    add_problem "the machine runs ${current:-nothing of NixOS}, not ${expected:-what it ran before}"
  fi
  [ "$current_profile $current_generation" = "$profile_before $generation" ] ||
    add_problem "the profile is ${current_generation:-nothing} (${current_profile:-no system}), not ${generation:-nothing}"
  if [ -n "$current_boot" ] && [ "$current_boot" != "$profile_before" ] && [ "$current_boot" != "$boot_before" ]; then
    add_problem "the boot loader starts $current_boot"
  fi
  case $back_code in
    '' | 0 | 4) ;;
    timeout) add_problem "switch-to-configuration of the old system did not end within $activate_limit s" ;;
    *) add_problem "switch-to-configuration of the old system ended with $back_code" ;;
  esac
  # With a full /boot it cannot, and its default may be right all the same.
  case $boot_back_code in
    '' | 0) ;;
    *)
      note="the boot menu could not be written again (exit code $boot_back_code)"
      [ -n "$current_boot" ] || add_problem "$note"
      ;;
  esac
  if [ -z "$rebooted" ]; then
    await_units "$units"
    missing=$(missing_units "$units" | tr '\n' ' ')
    [ -z "$missing" ] || add_problem "these units do not run any more: ${missing% }"
  fi
  if [ -z "$problem" ]; then result=went-back; else result=stuck; fi
}

add_problem() { problem=${problem:+$problem; }$1; }

# reached PHASE: whether the phase of the run is this one or a later one.
reached() {
  for each in $phases; do
    [ "$each" != "$1" ] || return 0
    [ "$each" != "$phase" ] || return 1
  done
  return 1
}
