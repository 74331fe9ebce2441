# shellcheck shell=sh
# One activation at a time: the lock, who holds it, and dry runs, which do without it.

# Holding the lock is the proof that a supervisor (or who settles for it) lives, so no child may have it.
take_lock() {
  command -v flock >/dev/null || refuse "flock (of util-linux or busybox) is not there"
  exec 9>>$runs/lock
  if ! wait_for_lock 9; then
    ! rejected || refuse "$(rejection)"
    refuse "another activation is in progress: $(holder)"
  fi
  hold "$who"
}

holder() { cat $runs/holder 2>/dev/null || echo 'by someone unknown'; }
hold() { printf '%s, since %s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >$runs/holder; }

# wait_for_lock DESCRIPTOR
wait_for_lock() {
  until=$(($(uptime_now) + lock_wait))
  waiting=''
  until flock -n "$1"; do
    if rejected || [ "$(uptime_now)" -ge $until ]; then return 1; fi
    [ -n "$waiting" ] || say "waiting for another activation: $(holder)"
    waiting=yes
    pause
  done
}

# Asks what would change. It has no lock of ours: a run that changes something ends it (end_dry_runs) instead of waiting.
# The run's directory is there before the lock is looked at, so that no run can miss it.
dry_run() {
  deadline $((lock_wait + activate_limit + step_limit))
  phase=lock
  show_phase $phase
  (wait_for_lock 8) 8>>$runs/lock || refuse "another activation is in progress: $(holder)"
  phase=root
  show_phase $phase
  if [ "$(spec order)" = strict ] && [ "$(spec allow-older)" != true ]; then refuse_older; fi
  root_paths
  phase=activate
  show_phase $phase
  before=$(running_now) profile_before=$(profile_now) generation=$(generation_now) boot_before=$(boot_now)
  bootid_before=$(boot_id)
  verb='dry-activate'
  switch_to dry-activate "$toplevel"
  code=$ended
  case $code in
    0 | 100)
      phase=report
      end finished ''
      ;;
    *) refuse "$(switch_ended)" ;;
  esac
}

end_dry_runs() {
  for dry in "$runs"/*/; do
    dry=${dry%/}
    [ "$(cat "$dry/spec/mode" 2>/dev/null)" = dry-activate ] || continue
    if [ -e "$dry/status" ] || ! alive "${dry##*/}"; then continue; fi
    say "ending a dry run: $(cat "$dry/spec/who")"
    kill_unit "${dry##*/}"
    rm -f "$roots/${dry##*/}".*
    {
      printf 'result=refused\nphase=activate\nwhy=ended, because another run activates a system: %s\nby=supervisor\n' "$who"
      state
      answer end status
    } >"$dry/status.new" && mv "$dry/status.new" "$dry/status"
  done
}
