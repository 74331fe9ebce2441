# shellcheck shell=sh
# The dead man's switch, and the settling of an open record that nobody works on any more.

# Arms the switch: a timer of its own, which survives the supervisor, its unit, and a restart of D-Bus or systemd.
arm() {
  armed=yes
  echo armed >"$here/armed"
  if has_systemd; then
    # Every 5 s, so that the journal must not repeat what is normal.
    transient switchback "$id" "--unit=nix-ferry-$id-switchback" \
      --description="Nix Ferry: goes back unless $toplevel is confirmed" \
      --on-active=5 --on-unit-inactive=5 --timer-property=AccuracySec=250ms --timer-property=DefaultDependencies=no \
      --property=SyslogLevel=notice --property=LogLevelMax=notice &&
      systemctl is-active --quiet "nix-ferry-$id-switchback.timer" 9>&-
  elif command -v setsid >/dev/null; then
    # shellcheck disable=SC2046 # The shell may be two words: busybox sh.
    setsid $(shell_words) "$here/script" switchback-loop "$id" </dev/null >/dev/null 2>&1 9>&- &
    echo $! >"$here/switch"
  else
    return 1
  fi
}

disarm() {
  if has_systemd; then bounded "$step_limit" systemctl stop "nix-ferry-$id-switchback.timer"; fi
  armed=''
}

# transient VERB ID OPTION…: starts this script in a unit of its own, on which nothing of the new system has an influence:
# neither its dependencies, nor a lack of memory, nor its shell. An old systemd that does not know one of the properties
# gets none of them.
transient() {
  verb_and_id="$1 $2"
  shift 2
  # shellcheck disable=SC2086,SC2046 # Words without blanks; the shell may be two: busybox sh.
  systemd-run --quiet --no-ask-password --collect --property=DefaultDependencies=no --property=OOMPolicy=continue \
    --property=OOMScoreAdjust=-900 --property=TimeoutStopSec=5s "$@" $(shell_words) "$here/script" $verb_and_id \
    2>"$here/unit" 9>&- && return
  for option; do
    shift
    case $option in --property=* | --timer-property=*) ;; *) set -- "$@" "$option" ;; esac
  done
  # shellcheck disable=SC2086,SC2046
  systemd-run --quiet --no-ask-password "$@" $(shell_words) "$here/script" $verb_and_id 2>>"$here/unit" 9>&-
}

# The shell by its own path: the new system may change /bin/sh.
shell_words() {
  shell=$(readlink -f /bin/sh)
  case ${shell##*/} in
    busybox*) echo "$shell sh" ;;
    *sh) echo "$shell" ;;
    *) echo /bin/sh ;;
  esac
}

# What the timer runs every 5 s. A supervisor that lives holds the lock, and is left alone until its phase is overdue.
switchback() {
  open_run "$1"
  if ! record_is_ours; then
    # Its last steps are overdue too, if it does not end.
    if alive "$id"; then
      overdue || return 0
      kill_unit "$id"
    fi
    stop_switch
    return
  fi
  exec 9>>$runs/lock
  why="the supervisor was killed in phase $(cat "$here/phase")"
  if ! flock -n 9; then
    overdue || return 0
    why="phase $(cat "$here/phase") did not end in time"
    say "$why: ending the supervisor"
    kill_unit "$id"
    rounds=0
    until flock -n 9; do
      rounds=$((rounds + 1))
      [ $rounds -lt 50 ] || return 0
      pause
    done
  fi
  # Another run may have settled it while we waited.
  if record_is_ours; then
    hold "the dead man's switch of $who"
    echo again >>"$here/attempts"
    may_reboot=yes
    settle switch
  else
    stop_switch
  fi
}

# Whether the phase of the run should have ended by now.
overdue() { [ "$(uptime_now)" -gt "$(cat "$here/deadline")" ]; }

switchback_loop() {
  while [ ! -e "$runs/$1/stopped" ] && [ -d "$runs/$1" ]; do
    sleep 5
    (switchback "$1")
  done
}

# Also called by the switch itself: stopping the timer does not stop what it has started.
stop_switch() {
  if [ -d "$runs/$id" ]; then echo stopped >"$runs/$id/stopped"; fi
  if has_systemd; then systemctl --no-block stop "nix-ferry-$id-switchback.timer" 2>/dev/null 9>&-; fi
}

record_is_ours() { record_is_of "$id"; }

# Whether the switch is there for the run.
switch_is_armed() {
  if has_systemd; then
    systemctl is-active --quiet "nix-ferry-$id-switchback.timer" 9>&-
  else
    [ -e "$here/switch" ] && [ ! -e "$here/stopped" ] && kill -0 "$(cat "$here/switch")" 2>/dev/null
  fi
}

# settle supervisor|switch|settle: settles the open record, by what is true. It was finished if only the report is missing;
# everything else is taken back. Sets `settled` and, of the record, `settled_toplevel` and `settled_phase`. The variables
# of the run are those of the record afterwards. Needs the lock.
settle() {
  [ -e $records/activating.json ] || return 0
  records_are_roots || { say "$(not_roots)" && return; }
  if ! load_record $records/activating.json; then
    say "the record of an earlier activation is damaged; it is kept as $records/damaged.json"
    mv -f $records/activating.json $records/damaged.json
    settled=unreadable
    return
  fi
  settled_toplevel=$toplevel settled_phase=$phase
  say "settling $id ($mode of $toplevel), which was cut in phase $phase"
  kill_unit "$id"
  state_before
  result='' problem='' note='' verb='' code='' back_code=''
  look_now
  if was_finished; then
    settled=finished result=finished
    finish_record && drop_record
  elif taken_over; then
    settled=superseded result=stuck problem='another system was activated or set since'
    keep_secrets
    drop_record
  else
    take_back
    if [ $result = went-back ]; then settled=taken-back; else settled=failed; fi
    if may_try_again "$1"; then
      say "$problem; trying again"
      return
    fi
    drop_record
  fi
  say "settled $id: $settled${problem:+ ($problem)}"
  rm -f "$roots/$id".*
  stop_switch
  # The last: who reads it forgets the run.
  if [ -d "$runs/$id" ]; then settled_status "$1"; fi
  rm -rf "$runs/$id.secrets"
}

# The dead man's switch does not give up at once.
may_try_again() { [ "$1 $settled" = 'switch failed' ] && [ "$(awk 'END { print NR }' "$here/attempts")" -lt 3 ]; }

# What the machine was before, from the files of the record.
state_before() {
  units=$here/settle.units failed=$here/settle.failed generations=$here/settle.generations
  cp $records/activating.units "$units" 2>/dev/null || : >"$units"
  cp $records/activating.failed "$failed" 2>/dev/null || : >"$failed"
  # Without the list no generation is superfluous.
  cp $records/activating.generations "$generations" 2>/dev/null || generations_now >"$generations"
}

# After `commit` began it was confirmed. If the boot loader cannot be read, only the next phase proves that it was installed.
was_finished() {
  reached commit || return
  if [ "$mode" != test ]; then
    [ "$current_profile" = "$toplevel" ] || return
    case $current_boot in "$toplevel") ;; '') reached disarm || return ;; *) return 1 ;; esac
  fi
  [ "$activated" != yes ] || [ "$current" = "$toplevel" ]
}

# Whether somebody else has changed the machine since: what is not ours is not taken back.
taken_over() {
  if reached commit; then
    case $current_profile in "$toplevel" | "$profile_before") ;; *) return 0 ;; esac
  elif [ "$current_generation" != "$generation" ]; then
    return 0
  fi
  [ "$current_bootid" = "$bootid_before" ] || return 1
  case $current in "$toplevel" | "$before") return 1 ;; esac
}

# For those who watch the activation that was cut.
settled_status() {
  confirmed=no
  if [ "$(cat "$runs/$id/verdict" 2>/dev/null)" = confirmed ]; then confirmed=yes; fi
  why="${why:-the activation was cut in phase $phase}${note:+; $note}${problem:+; going back: $problem}"
  write_status "$1" "$runs/$id"
}

settle_verb() {
  if goes_on_after_reboot && [ ! -d "$runs/$(field $records/activating.json id)" ] && start_carried; then
    answer why 'an activation goes on after its reboot'
    answer end busy
    return
  fi
  here=$runs/settle-$$
  mkdir -p "$here" && exec 9>>$runs/lock || return
  log=$here/log
  : >"$log"
  read_limits
  lock_wait=5 settled='' settled_toplevel='' settled_phase='' why='' confirmed=off
  if wait_for_lock 9; then
    hold 'settling an activation that was cut'
    settle settle
    # Those that were replaced without an activation.
    [ -e $records/activating.json ] || restore_cut_secrets || say 'secrets could not be taken back'
    sed 's/^/: /' "$log"
    answer settled "$settled"
    answer settled-toplevel "$settled_toplevel"
    answer settled-phase "$settled_phase"
    answer why "$why"
    state
    answer end settle
  else
    answer why "another activation is in progress: $(holder)"
    answer end busy
  fi
  rm -rf "$here"
}
