# shellcheck shell=sh
# The protocol: the activation itself, one phase after the other.

# spec KEY [DEFAULT]: what `run` was given.
spec() {
  if [ -e "$here/spec/$1" ]; then cat "$here/spec/$1"; else printf '%s\n' "${2:-}"; fi
}

# The run ID: where it is, and what it is to do.
open_run() {
  id=$1
  here=$runs/$id
  log=$here/log
  mode=$(spec mode) toplevel=$(spec toplevel) who=$(spec who) host=$(spec host) commit=$(spec commit)
  repository=$(spec repository) branch=$(spec branch) committed=$(spec committed) run=$(spec run) digest=$(spec digest)
  read_limits
  phase='' result='' why='' verb='' code='' back_code='' activated=no confirmed=off recorded='' looked='' armed=''
  before='' profile_before='' generation='' boot_before='' bootid_before='' reboots=no
  if [ -s "$here/path" ]; then PATH=$(cat "$here/path"); fi
}

read_limits() {
  lock_wait=$(spec lock-wait 600) activate_limit=$(spec activate-limit 900) health_limit=$(spec health-limit 300)
  step_limit=$(spec step-limit 60) confirm=$(spec confirm 0) reboot_limit=$(spec reboot-limit 600)
}

supervise() {
  # It may be started again: by systemd after it was killed, or by mistake.
  if [ -e "$runs/$1/pid" ] && { alive "$1" || [ ! -e "$runs/$1/restored" ]; }; then return; fi
  restore_run "$1" || return
  open_run "$1"
  echo $$ >"$here/pid"
  cgroup_of $$ >"$here/cgroup"
  deadline "$step_limit"
  end_when_overdue </dev/null >/dev/null 2>&1 &
  if [ "$mode" = dry-activate ]; then dry_run; fi
  if [ -e "$here/restored" ]; then after_reboot; fi

  enter lock "$lock_wait"
  take_lock
  enter look $((step_limit + 2 * activate_limit))
  settled='' settled_toplevel='' settled_phase=''
  records_are_roots || refuse "$(not_roots)"
  settle supervisor
  open_run "$1"
  restore_cut_secrets || refuse 'secrets of an earlier run could not be taken back'
  forget_old
  look
  enter expect "$step_limit"
  expect_system
  enter root $((7 * step_limit))
  root_paths
  enter check "$((health_limit + step_limit))"
  pre_deploy_checks
  check_secrets
  ! rejected || refuse "$(rejection)"
  enter arm "$step_limit"
  arm || refuse "the dead man's switch could not be armed"
  send_early_secrets
  if takes_reboot; then
    reboots=yes
    enter reboot $((reboot_limit + 2 * activate_limit + 4 * step_limit))
    reboot_into_new
  fi
  case $mode in
    switch | test)
      enter activate $((activate_limit + 2 * step_limit))
      activate
      ;;
  esac
  if [ "$activated" = yes ]; then
    enter verify $((health_limit + 2 * step_limit))
    use_early_secrets
    verify
    enter confirm $((confirm + step_limit))
    await_confirmation
  fi
  send_late_secrets
  if [ "$mode" != test ]; then
    enter commit $((activate_limit + 3 * step_limit))
    commit
  fi
  enter disarm "$step_limit"
  disarm
  enter report "$step_limit"
  end finished ''
}

# Ends a supervisor whose phase is overdue, as when a disk hangs: before the dead man's switch is armed nothing was changed
# yet, and afterwards it goes back.
end_when_overdue() {
  while kill -0 $$; do
    sleep 1
    ! overdue || kill -KILL $$
  done
}

# enter PHASE SECONDS: records that the phase begins, and until when the dead man's switch leaves it alone. The open
# record of an earlier run is settled in `look`, so that ours begins after it.
enter() {
  deadline "$2"
  previous=$phase
  phase=$1
  case $phase in
    lock | look) ;;
    *)
      if write_open; then
        recorded=yes
      elif reached disarm; then
        say "the record of the activation could not be written"
      elif reached verify; then
        phase=$previous
        go_back "the record of the activation could not be written in $records"
      else
        phase=$previous
        refuse "the record of the activation could not be written in $records"
      fi
      ;;
  esac
  show_phase "$phase"
}

deadline() { printf '%s\n' $(($(uptime_now) + $1)) >"$here/deadline.new" && mv -f "$here/deadline.new" "$here/deadline"; }
show_phase() { printf '%s\n' "$1" >"$here/phase.new" && mv -f "$here/phase.new" "$here/phase"; }

# What the machine is, under the lock: everything that the way back needs, in files that outlive a power cut.
look() {
  before=$(running_now) profile_before=$(profile_now) generation=$(generation_now) boot_before=$(boot_now)
  bootid_before=$(boot_id)
  units=$here/units failed=$here/failed generations=$here/generations
  looked=yes
  (
    umask 022
    units_now >"$units" && failed_now >"$failed" && generations_now >"$generations" && mkdir -p $records &&
      store $records/activating.units <"$units" && store $records/activating.failed <"$failed" &&
      store $records/activating.generations <"$generations"
  ) 2>>"$log" || refuse "the state of the machine could not be recorded in $records"
  end_dry_runs
}

# Refuses a machine that is not what the run was planned against, unless it has become what the run would make it.
expect_system() {
  if [ -e "$here/spec/expect" ] && [ "$before" != "$toplevel" ] && ! grep -qxF -e "$before" "$here/spec/expect"; then
    expected=$(head -n 1 "$here/spec/expect")
    refuse "the machine runs ${before:-no NixOS system} now, and this run was planned for ${expected:-a machine without one}"
  fi
  [ "$(spec allow-older)" != true ] || return 0
  [ "$(spec order)" != strict ] || refuse_older
  [ -n "$committed" ] && [ -n "$repository" ] || return 0
  [ "$(field $records/deployed.json repository)" = "$repository" ] || return 0
  [ "$(field $records/deployed.json branch)" = "$branch" ] || return 0
  deployed=$(field $records/deployed.json toplevel)
  [ "$deployed" = "$before" ] || [ "$deployed" = "$profile_before" ] || return 0
  newer=$(field $records/deployed.json committed)
  [ -n "$newer" ] && [ "$newer" -gt "$committed" ] || return 0
  refuse "the machine has commit $(field $records/deployed.json commit) of $repository $branch, which is newer than ${commit:-this one}"
}

# Refuses a commit that is older than the one that was deployed last, from whichever repository and branch, whatever runs.
refuse_older() {
  newer=$(field $records/deployed.json committed)
  [ -n "$newer" ] || return 0
  [ -n "$committed" ] || refuse 'it is not known when the system was committed, and this machine refuses systems that may be older than its own'
  [ "$newer" -le "$committed" ] ||
    refuse "the machine has commit $(field $records/deployed.json commit), which is newer than ${commit:-this one}"
}

# Keeps both systems from the garbage collector until the run ends. The new one may have been collected since the copy.
root_paths() {
  {
    mkdir -p $roots && ln -sfn "$toplevel" "$roots/$id.new" && { [ -z "$before" ] || ln -sfn "$before" "$roots/$id.before"; }
  } 2>>"$log" || refuse "$toplevel could not be protected from the garbage collector"
  bounded "$step_limit" nix-store --check-validity "$toplevel" || refuse "$toplevel is not in the store"
  [ -x "$toplevel/bin/switch-to-configuration" ] || refuse "$toplevel has no bin/switch-to-configuration"
  check_signatures
}

activate() {
  verb='test'
  switch_to test "$toplevel"
  code=$ended
  if said '^Failed to run activate script' || said "^Activation script snippet '"; then
    go_back "the activation script failed"
  fi
  case $code in
    0 | 4)
      [ "$(running_now)" = "$toplevel" ] || go_back "switch-to-configuration ended with $code, and the machine runs $(running_now)"
      activated=yes
      ;;
    100)
      [ "$(running_now)" = "$before" ] || go_back "$(switch_ended)"
      [ "$mode" = switch ] || refuse "the new system needs a reboot"
      ;;
    *)
      if touched; then go_back "$(switch_ended)"; else refuse "$(switch_ended)"; fi
      ;;
  esac
}

switch_ended() {
  if [ "$code" = timeout ]; then
    echo "switch-to-configuration $verb did not end within $activate_limit s"
  else
    echo "switch-to-configuration $verb ended with exit code $code"
  fi
}

# The new system is the running one (see activate); its health, and what it broke.
verify() {
  health_checks
  failures=$(failed_now | without "$failed" | tr '\n' ' ')
  if [ "$(spec failed-units degrade)" = rollback ]; then
    [ -z "$failures" ] || go_back "units failed: ${failures% }"
    [ "$code" != 4 ] || go_back "switch-to-configuration reports failed units (exit code 4)"
  fi
}

# Whoever writes the verdict first decides: confirmed, rejected, expired or gone back.
decide() {
  printf '%s\n' "$1" >"$here/verdict.$$" && ln "$here/verdict.$$" "$here/verdict" 2>/dev/null
  decided=$?
  rm -f "$here/verdict.$$"
  return $decided
}

verdict() { cat "$here/verdict" 2>/dev/null; }
rejected() { case $(verdict) in rejected*) ;; *) return 1 ;; esac; }
rejection() { verdict | sed 's/^rejected */rejected: /'; }

await_confirmation() {
  if rejected; then go_back "$(rejection)"; fi
  [ "$confirm" -gt 0 ] || return 0
  confirmed=no
  until=$(($(uptime_now) + confirm))
  while :; do
    case $(verdict) in
      confirmed)
        confirmed=yes
        return
        ;;
      rejected*) go_back "$(rejection)" ;;
    esac
    if [ "$(uptime_now)" -ge $until ] && decide expired; then
      go_back "not confirmed within $confirm s"
    fi
    pause
  done
}

# Profile and boot loader: the boot loader's menu is made from the profile's generations, so that the profile comes first.
commit() {
  bounded "$step_limit" nix-env --profile $profile --set "$toplevel" || go_back "the profile could not be set (nix-env: $ended)"
  switch_to boot "$toplevel" || {
    verb=boot code=$ended
    go_back "the boot loader could not be installed: $(switch_ended)"
  }
  [ "$mode" != boot ] || verb=boot code=$ended
  look_now
  [ "$current_profile" = "$toplevel" ] || go_back "the profile was set, and is ${current_profile:-nothing}"
  case $current_boot in '' | "$toplevel") ;; *) go_back "the boot loader was installed, and starts $current_boot" ;; esac
  [ "$activated" != yes ] || [ "$current" = "$toplevel" ] || go_back "the machine runs ${current:-nothing of NixOS} now"
}

# The only way from here is the old system.
go_back() {
  why=$1
  decide 'gone back'
  deadline $((3 * activate_limit + 5 * step_limit))
  show_phase back
  take_back
  end $result "$why${note:+; $note}${problem:+; going back: $problem}"
}

refuse() { end refused "$1"; }

# end RESULT WHY: closes the record by what is true, and tells the watchers.
end() {
  result=$1 why=$2
  [ "$result" != refused ] || restore_secrets || result=stuck why="$why; secrets could not be taken back"
  if [ -n "$recorded" ]; then
    # What cannot be completed stays open, and the next run finds that it was finished.
    if [ "$result" != finished ] || finish_record; then
      drop_record
    else
      say "the record of the activation could not be completed in $records"
    fi
  elif [ -n "$looked" ]; then
    drop_record
  fi
  if [ "$result" = finished ] && [ "$mode" != dry-activate ]; then keep_gate; fi
  [ -z "$armed" ] || disarm
  rm -f "$roots/$id".*
  write_status supervisor "$here"
  rm -rf "$runs/$id.secrets"
  # The journal keeps what was said, beyond the run's directory.
  printf 'nix-ferry: by %s\n' "$who"
  cat "$log" "$here/status"
  exit 0
}

# write_status WHO DIRECTORY: the facts, as they are now.
write_status() {
  look_now
  failures=''
  if [ -n "${failed:-}" ] && [ -e "$failed" ]; then failures=$(failed_now | without "$failed" | tr '\n' ' '); fi
  missing=''
  if [ -n "${units:-}" ] && [ -e "$units" ]; then missing=$(missing_units "$units" | tr '\n' ' '); fi
  rebooted=no
  [ -z "$bootid_before" ] || [ "$bootid_before" = "$current_bootid" ] || rebooted=yes
  {
    answer result "$result"
    answer phase "$phase"
    answer why "$(printf %s "$why" | tr '\n' ' ')"
    answer verb "$verb"
    answer code "$code"
    answer back-code "$back_code"
    answer activated "${activated:-no}"
    answer confirmed "$confirmed"
    answer before "$before"
    answer profile-before "$profile_before"
    answer generation-before "$generation"
    answer boot-before "$boot_before"
    answer bootid-before "$bootid_before"
    answer current "$current"
    answer profile "$current_profile"
    answer generation "$current_generation"
    answer boot "$current_boot"
    answer bootid "$current_bootid"
    answer rebooted "$rebooted"
    answer needs-reboot "$(needs_reboot "$toplevel")"
    answer failed-units "${failures% }"
    answer missing-units "${missing% }"
    if [ "$result" = finished ] && [ -d "$runs/$id.secrets" ]; then
      answer secrets-changed "$(changed_secrets "$id")"
      answer secrets-volatile "$(volatile_secrets "$id")"
    fi
    answer settled "${settled:-}"
    answer settled-toplevel "${settled_toplevel:-}"
    answer settled-phase "${settled_phase:-}"
    answer by "$1"
    answer end status
  } >"$2/status.new" && mv -f "$2/status.new" "$2/status"
}

# Forgets the run ID; a timer without the run's directory would only fail.
forget() {
  if [ -e "$runs/$1/armed" ] && has_systemd; then systemctl stop "nix-ferry-$1-switchback.timer" 2>/dev/null 9>&-; fi
  rm -rf "${runs:?}/$1" "$runs/$1.secrets"
}

# Run directories whose end nobody came to read, and roots without a run.
forget_old() {
  find $runs -mindepth 1 -maxdepth 1 -type d -mmin +1440 2>/dev/null 9>&- | while read -r old; do
    alive "${old##*/}" || forget "${old##*/}"
  done
  for root in "$roots"/*.*; do
    owner=${root##*/}
    [ -d "$runs/${owner%.*}" ] || rm -f "$root"
  done
}
