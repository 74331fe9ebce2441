# shellcheck shell=sh
# A switch that takes a reboot. The supervisor ends with the machine, so that all it needs is put on the disk, with a unit
# that starts it again in whichever system comes up.
#
# NixOS makes /etc/systemd/system anew for each system, and /run is empty after a reboot. But systemd also reads
# /etc/systemd/system.control ($control), where `systemctl set-property` keeps its settings, and no NixOS system writes there.

# Whether this run may take a reboot, and needs one.
takes_reboot() {
  case $mode in boot | switch) ;; *) return 1 ;; esac
  case $(spec reboot never) in
    always) ;;
    if-needed) [ -n "$(needs_reboot "$toplevel")" ] || return ;;
    *) return 1 ;;
  esac
  if ! has_systemd; then
    say 'this machine is not rebooted: systemd does not run here'
    return 1
  fi
}

# Makes the boot loader start the new system, and reboots. Ends here in any case: the rest comes after the reboot.
reboot_into_new() {
  say "rebooting into $toplevel: $(why_reboot)"
  carry || go_back 'what the run needs after the reboot could not be written'
  stage
  ! rejected || go_back "$(rejection)"
  cp "$log" $carried/log && flush $carried
  reboot_machine
  go_back "the machine did not reboot within $reboot_limit s"
}

why_reboot() {
  different=$(needs_reboot "$toplevel")
  if [ -n "$different" ]; then echo "other than what it was booted with: $different"; else echo 'as asked for'; fi
}

# The boot loader gets an entry for the new system, and starts it once. If it cannot, the new system becomes the default.
stage() {
  if [ -z "$profile_before" ]; then
    say 'warning: this machine has no previous generation to return to'
  elif [ "$profile_before" = "$toplevel" ]; then
    return 0
  elif [ -z "$(once_loader)" ]; then
    say "warning: $(once_obstacle). If the new system does not start, the machine stays off; if it starts and is not confirmed, the machine goes back."
  elif add_generation && switch_to boot "$profile_before" NIXOS_NO_CHECK=1 && [ "$(boot_now)" = "$profile_before" ] && start_once "$toplevel"; then
    case " $(cat "$toplevel/kernel-params" 2>/dev/null) " in
      *' panic='*) ;;
      *) say "warning: the new system has no kernel parameter \`panic=\`: if its kernel panics, the machine starts its previous system only after a reset" ;;
    esac
    return 0
  else
    verb=boot code=$ended
    go_back "the boot loader could not be set to start $toplevel once"
  fi
  commit
}

# A generation for the boot loader's menu. The profile itself only changes when it was confirmed.
add_generation() {
  last=$(generations_now | sed 's/^system-\(.*\)-link$/\1/' | sort -n | tail -n 1)
  [ -z "$last" ] || [ "$(readlink "$profile-$last-link")" != "$toplevel" ] || return 0
  ln -s "$toplevel" "$profile-$((${last:-0} + 1))-link" 2>>"$log" && flush "${profile%/*}"
}

# Asks systemd, and insists after a while: what is being stopped may hang. Returns if the machine is still there.
reboot_machine() {
  for force in '' --force; do
    # shellcheck disable=SC2086 # None or one word.
    bounded "$step_limit" systemctl reboot --no-block $force
    end_of_patience=$(($(uptime_now) + reboot_limit / 2))
    while [ "$(uptime_now)" -lt $end_of_patience ]; do pause; done
  done
}

# Puts the run on the disk. The nonce is in there: only root may read it.
carry() {
  (
    umask 077
    rm -rf $carried && mkdir -p $records $carried && cp -R "$here/spec" "$here/script" "$here/path" $carried/ &&
      : >$carried/log && flush $carried/script && flush $carried
  ) 2>>"$log" || return
  if carry_unit 2>>"$log"; then return 0; fi
  remove_unit
  say "warning: $control cannot be written. The new system only goes back by itself if it is reset; the run goes on when it can connect."
}

carry_unit() {
  umask 022
  unit=nix-ferry-$id.service
  # As in `transient`. After an emergency too, and once more if it is killed before its dead man's switch is armed.
  mkdir -p $control/sysinit.target.wants && cat >"$control/$unit" <<END && ln -sfn "../$unit" "$control/sysinit.target.wants/$unit" && flush $control/sysinit.target.wants && flush $control
[Unit]
Description=Nix Ferry: the switch to $toplevel goes on after a reboot
DefaultDependencies=no
After=local-fs.target
IgnoreOnIsolate=yes

[Service]
ExecStart=$(shell_words) $carried/script supervise $id
Restart=on-failure
RestartSec=10
OOMPolicy=continue
OOMScoreAdjust=-900
TimeoutStopSec=5s
END
}

remove_unit() {
  [ -e "$control/nix-ferry-$id.service" ] || return 0
  # Killed, it waits to be started again, which it could not be. This process may be in the unit itself.
  case $(cgroup_of $$) in
    */"nix-ferry-$id.service") ;;
    *) if has_systemd; then systemctl stop "nix-ferry-$id.service" 9>&-; fi ;;
  esac
  rm -f "$control/sysinit.target.wants/nix-ferry-$id.service" "$control/nix-ferry-$id.service"
  rmdir $control/sysinit.target.wants $control 2>/dev/null
  if has_systemd; then
    systemctl daemon-reload 9>&-
    systemctl reset-failed "nix-ferry-$id.service" 9>&-
  fi
} >/dev/null 2>&1

# Removes what was carried over a reboot, once the record is gone.
drop_carried() {
  remove_unit
  rm -rf $carried
}

# Whether the open record is that of a run that goes on after the reboot that has happened.
goes_on_after_reboot() {
  [ "$(field $records/activating.json reboot)" = true ] && [ -d $carried ] &&
    [ "$(field $records/activating.json bootId)" != "$(boot_id)" ]
}

# restore_run ID: makes the directory of a run again from what was carried.
restore_run() {
  [ ! -d "$runs/$1" ] || return 0
  if ! record_is_of "$1" || ! goes_on_after_reboot; then
    id=$1
    remove_unit
    return 1
  fi
  half=$runs/.$1.$$
  mkdir -p "$half" && cp -R $carried/. "$half/" && : >"$half/restored" || return
  if [ -d "$runs/$1" ]; then rm -rf "$half"; else mv "$half" "$runs/$1"; fi
}

record_is_of() { [ "$(field $records/activating.json id)" = "$1" ]; }

# Starts the run that goes on after a reboot, if nothing has done so yet.
start_carried() {
  id=$(field $records/activating.json id)
  [ ! -d "$runs/$id" ] || return 0
  restore_run "$id" || return
  open_run "$id"
  start_supervisor
}

# The second half of the protocol, in whichever system came up.
after_reboot() {
  looked=yes recorded=yes settled='' settled_toplevel='' settled_phase=''
  exec 9>>$runs/lock
  # Started again, it waits again.
  wait_for_lock 9 || exit 1
  hold "$who"
  if ! record_is_ours || ! load_record $records/activating.json; then
    drop_unowned
  fi
  open_phase=$phase
  state_before
  forget_once
  if [ -e $carried/why ] || [ "$(running_now)" != "$toplevel" ] || reached commit; then
    end_after_reboot
  fi
  may_reboot=yes activated=yes
  arm || go_back "the dead man's switch could not be armed"
  enter verify $((health_limit + reboot_limit + 2 * step_limit))
  await_boot
  verify
  # The network may come up long after this.
  [ "$confirm" = 0 ] || confirm=$((confirm + reboot_limit))
  enter confirm $((confirm + step_limit))
  await_confirmation
  enter commit $((activate_limit + 3 * step_limit))
  commit
  enter disarm "$step_limit"
  disarm
  enter report "$step_limit"
  end finished ''
}

# The record is gone: somebody has settled it.
drop_unowned() {
  remove_unit
  rm -rf "$here"
  exit 0
}

# The machine does not run the new system: it came back, or never got there; or the run was cut while it committed.
end_after_reboot() {
  why=$(cat $carried/why 2>/dev/null)
  code='' verb='' confirmed=no
  deadline $((3 * activate_limit + 5 * step_limit))
  look_now
  if was_finished; then
    confirmed=yes
    [ "$confirm" != 0 ] || confirmed=off
    phase=report
    end finished ''
  fi
  phase=$open_phase
  [ -n "$why" ] || why="the machine came up on ${current:-a system that is not NixOS}, not on the new system"
  decide 'gone back'
  show_phase back
  take_back
  end $result "$why${note:+; $note}${problem:+; going back: $problem}"
}

# Units are still being started.
await_boot() {
  until=$(($(uptime_now) + reboot_limit))
  while [ "$(uptime_now)" -lt $until ]; do
    case $(systemctl is-system-running 2>/dev/null 9>&-) in initializing | starting) pause ;; *) return ;; esac
  done
}

# The way back from a system that was booted: its default is the old one again, and the machine starts that. What is read
# back then is reported then. Returns if the machine is not rebooted: the way back has to do without.
reboot_back() {
  [ -n "${may_reboot:-}" ] && [ ! -e $carried/why ] && [ "$(running_now)" = "$toplevel" ] || return 0
  [ -n "$profile_before" ] && [ "$profile_before" != "$toplevel" ] || return 0
  restore_profile
  case $(boot_now) in '' | "$profile_before") ;; *) return 0 ;; esac
  say "rebooting into $profile_before: $why"
  printf '%s\n' "$why" | store $carried/why && cp "$log" $carried/log && flush $carried || return 0
  deadline $((2 * reboot_limit + step_limit))
  reboot_machine
}
