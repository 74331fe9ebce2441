#!/bin/sh
# Activates a NixOS system on the machine it runs on, outliving the connection that asked for it.
#
# It is sent over standard input and keeps no file on the target but those of the runs in progress:
#
#   ssh … "sh -c 'self=\$(cat) && eval \"\$self\"' nix-ferry VERB ARGUMENT…" < activate.sh
#
#   probe [ESCALATION…]             what this machine is and runs; needs no privilege
#   run ID MODE TOPLEVEL WHO [HOST COMMIT RUN DIGEST]
#                                   starts the activation ID, then watches it; needs root, as all that follow
#   watch ID LINES                  follows the activation ID after the first LINES lines of its log
#   finish ID                       what is true now; forgets the activation ID
#   supervise ID                    the activation itself: in its own systemd unit, or detached where there is no systemd
#
# Answers on standard output: `key=value`, and ": " before each line of the log.
set -u
umask 077
PATH=$PATH:/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
# sudo may leave the home of the user it came from, which Nix then warns of.
if [ "$(id -u)" = 0 ]; then
  HOME=~root
  export HOME
fi

runs=/run/nix-ferry
profile=/nix/var/nix/profiles/system
roots=/nix/var/nix/gcroots/nix-ferry
records=/var/lib/nix-ferry

answer() { printf '%s=%s\n' "$1" "$2"; }

# Where a link leads; nothing for one that leads nowhere (readlink -f would answer a path all the same).
toplevel_of() { [ ! -e "$1" ] || readlink -f "$1"; }

state() {
  answer current "$(toplevel_of /run/current-system)"
  answer profile "$(toplevel_of $profile)"
}

has_systemd() { [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; }

probe() {
  answer machine "$(uname -m)"
  state
  answer nix "$(version)"
  answer free "$(df -Pk /nix/store 2>/dev/null | awk 'NR == 2 { print $4 }')"
  answer trusted "$(trusted)"
  if [ "$(id -u)" = 0 ]; then
    answer root yes
  elif [ $# -gt 0 ] && refusal=$("$@" sh -c : nix-ferry </dev/null 2>&1); then
    answer root escalated
  else
    answer root no
    answer refusal "$(printf %s "${refusal:-}" | head -n 1)"
  fi
  answer end probe
}

# Nix asks its daemon even for its version; a user whom the daemon lets in only by way of root gets no answer.
version() {
  command -v nix-store >/dev/null || return 0
  version=$(nix-store --version 2>/dev/null) || true
  version=${version##* }
  echo "${version:-unknown}"
}

# Whether Nix lets this user add paths that nobody signed: yes, no, or empty where it cannot be told.
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

run() {
  id=$1 mode=$2 toplevel=$3 who=$4
  case $id in '' | *[!a-zA-Z0-9-]*) answer end invalid && return ;; esac
  mkdir -p $runs
  forget_old
  mkdir "$runs/$id" || return
  # Shellcheck cannot see that the caller sets it: the text of this script.
  # shellcheck disable=SC2154
  printf '%s\n' "$self" >"$runs/$id/activate.sh"
  printf '%s\n' "$mode" "$toplevel" "$who" "${5:-}" "${6:-}" "${7:-}" "${8:-}" >"$runs/$id/spec"
  : >"$runs/$id/log"
  if has_systemd; then
    collect=
    systemd-run --help | grep -q -e --collect && collect=--collect
    systemd-run --quiet --no-ask-password $collect --unit="nix-ferry-$id" \
      --description="Nix Ferry: $mode $toplevel" \
      /bin/sh "$runs/$id/activate.sh" supervise "$id" || return
  elif command -v setsid >/dev/null; then
    setsid sh "$runs/$id/activate.sh" supervise "$id" </dev/null >/dev/null 2>&1 &
  else
    nohup sh "$runs/$id/activate.sh" supervise "$id" </dev/null >/dev/null 2>&1 &
  fi
  answer started "$id"
  watch "$id" 0
}

# Runs of other days whose end nobody came to read, and the roots of runs that a power cut ended.
forget_old() {
  find $runs -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec rm -rf {} +
  for root in "$roots"/*.*; do
    owner=${root##*/}
    [ -d "$runs/${owner%.*}" ] || rm -f "$root"
  done
}

watch() {
  id=$1 seen=$2 waited=0
  log=$runs/$id/log
  if [ ! -d "$runs/$id" ]; then
    answer end unknown
    return
  fi
  while :; do
    begun='' ended='' dead=''
    # In this order: what begins between two looks is not yet dead, and what ends has written its status before it is.
    [ ! -s "$runs/$id/pid" ] || begun=1
    alive "$id" || dead=1
    [ ! -f "$runs/$id/status" ] || ended=1
    lines=$(wc -l <"$log")
    if [ -n "$ended" ]; then
      # With a last line that nothing ended.
      sed -n "$((seen + 1)),\$s/^/: /p" "$log"
      echo
      cat "$runs/$id/status"
      return
    fi
    if [ "$lines" -gt "$seen" ]; then
      sed -n "$((seen + 1)),${lines}s/^/: /p" "$log"
      seen=$((lines))
    fi
    if [ -n "$dead" ]; then
      waited=$((waited + 1))
      # A unit that systemd has only just queued has no process yet.
      if [ -n "$begun" ] || [ $waited -gt 50 ]; then
        answer end lost
        return
      fi
    fi
    pause
  done
}

alive() { [ -f "$runs/$1/pid" ] && kill -0 "$(cat "$runs/$1/pid")" 2>/dev/null; }

finish() {
  state
  # A run in progress keeps what it needs; the next run on this machine clears it away.
  if [ -f "$runs/$1/status" ] || ! alive "$1"; then rm -rf "${runs:?}/$1"; fi
  answer end finish
}

supervise() {
  id=$1
  here=$runs/$id
  recorded=''
  for field in mode toplevel who host commit run digest; do read -r "${field?}"; done <"$here/spec"
  echo $$ >"$here/pid"
  code=0 step=check before=$(toplevel_of /run/current-system) generation=$(readlink $profile)

  command -v flock >/dev/null || end refused "flock (of util-linux or busybox) is not there"
  step=lock
  exec 9>>$runs/lock
  take_turn || end refused "$(cat $runs/holder 2>/dev/null)"
  printf '%s, since %s\n' "$who" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >$runs/holder

  step=check
  [ -x "$toplevel/bin/switch-to-configuration" ] || end refused "$toplevel has no bin/switch-to-configuration"
  [ "$mode" = dry-activate ] || { settle_record && begin_record; }
  case $mode in
    dry-activate)
      switch_to dry-activate "$toplevel"
      end "$([ $code = 0 ] && echo activated || echo refused)" ''
      ;;
    test)
      root_paths
      activate
      end activated ''
      ;;
    boot)
      root_paths
      commit || { restore_profile && end refused ''; }
      end activated ''
      ;;
    switch)
      root_paths
      activate
      activated=$code
      commit || { restore_profile && go_back; }
      [ "$code" != 0 ] || code=$activated
      end activated ''
      ;;
    *) end refused "$mode is no mode" ;;
  esac
}

say() { printf 'nix-ferry: %s\n' "$1" >>"$here/log"; }

# What is deployed, where an operator looks: the last one in deployed.json, all of them in history. activating.json is the one
# in progress, or one that ended with the machine's power.
begin_record() {
  (
    umask 022
    mkdir -p $records || exit
    # shellcheck disable=SC2154 # Read from the run's spec.
    printf '{"host": %s, "toplevel": "%s", "mode": "%s", "commit": %s, "run": %s, "digest": %s, "by": "%s", "time": "%s"}\n' \
      "$(quoted "$host")" "$toplevel" "$mode" "$(quoted "$commit")" "$(quoted "$run")" "$(quoted "$digest")" "$who" \
      "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >$records/activating.json
  ) 2>>"$here/log" && recorded=yes
}

quoted() { if [ -n "$1" ]; then echo "\"$1\""; else echo null; fi; }

end_record() {
  case $1 in
    activated) (umask 022 && cat $records/activating.json >>$records/history) && mv $records/activating.json $records/deployed.json ;;
    refused | rolled-back) rm -f $records/activating.json ;;
  esac
}

# One that was cut short became true when the machine is on it all the same.
settle_record() {
  [ -f $records/activating.json ] || return 0
  cut=$(sed -n 's/.*"toplevel": "\([^"]*\)".*/\1/p' $records/activating.json)
  on=$(toplevel_of $profile)
  if grep -q '"mode": "test"' $records/activating.json; then on=$before; fi
  if [ "$cut" = "$on" ]; then end_record activated; else end_record refused; fi
  say "an activation of $cut was cut short; this machine runs ${before:-nothing}, and its profile is $(toplevel_of $profile)"
}

# Only one at a time. To ask what would change is short and harms nobody, and two pull requests may ask at once: that one
# waits, for a minute.
take_turn() {
  tries=1
  [ "$mode" != dry-activate ] || tries=300
  until flock -n 9; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return
    pause
  done
}

# Not every sleep knows parts of a second.
pause() { sleep 0.2 2>/dev/null || sleep 1; }

# Keeps both systems from the garbage collector until one of them is the profile's. They go when the run ends.
root_paths() {
  step=root
  mkdir -p $roots
  ln -sfn "$toplevel" "$roots/$id.new"
  [ -z "$before" ] || ln -sfn "$before" "$roots/$id.before"
  # It may have been collected between the copy and this moment.
  nix-store --check-validity "$toplevel" >>"$here/log" 2>&1 9>&- || end refused "$toplevel is not in the store"
}

# The lock must not pass to what the activation starts: without systemd a service would hold it for ever.
switch_to() {
  step=$1
  "$2/bin/switch-to-configuration" "$1" >>"$here/log" 2>&1 9>&- </dev/null
  code=$?
  return $code
}

# switch-to-configuration's exit codes: 1 and 11 (lock held) before anything changed, 4 some units failed but the switch
# happened, 100 a reboot is needed; all others leave the machine between the systems.
activate() {
  switch_to test "$toplevel"
  case $code in
    0 | 4 | 100) ;;
    1 | 11) if [ "$(toplevel_of /run/current-system)" = "$before" ]; then end refused ''; else go_back; fi ;;
    *) go_back ;;
  esac
}

# Profile and boot loader, only after the activation. The boot loader's menu is made from the profile's generations,
# so the profile must come first.
commit() {
  step=profile
  # shellcheck disable=SC2012 # Generations are named by numbers.
  generations=$(ls -d $profile-*-link 2>/dev/null)
  profile_command --set "$toplevel"
  code=$?
  [ $code = 0 ] || return
  switch_to boot "$toplevel"
}

restore_profile() {
  new=$(readlink $profile)
  [ "$new" != "$generation" ] || return 0
  failed=$code failed_step=$step
  say "taking the profile back to ${generation:-nothing}"
  if [ -n "$generation" ]; then
    # Not --rollback: that is "one generation less", not the one that was.
    profile_command --switch-generation "$(number_of "$generation")"
  else
    rm -f $profile
  fi
  case $generations in
    *"/$new"*) ;;
    *) profile_command --delete-generations "$(number_of "$new")" ;;
  esac
  # The boot loader may have got half of the new menu.
  [ ! -x $profile/bin/switch-to-configuration ] || switch_to boot "$(toplevel_of $profile)"
  code=$failed step=$failed_step
}

profile_command() {
  nix-env --profile $profile "$@" >>"$here/log" 2>&1 9>&-
}

number_of() {
  number=${1#system-}
  echo "${number%-link}"
}

# Back to the recorded system, not to "one generation less".
go_back() {
  failed=$code failed_step=$step
  if [ -z "$before" ] || [ "$before" = "$toplevel" ]; then end failed 'there is no other system to go back to'; fi
  say "going back to $before"
  switch_to test "$before"
  back=$code code=$failed step=$failed_step
  case $back in
    0 | 4) end rolled-back '' ;;
    *) end failed "going back to $before failed too, with exit code $back" ;;
  esac
}

end() {
  [ -z "$recorded" ] || end_record "$1"
  rm -f "$roots/$id.new" "$roots/$id.before"
  {
    answer result "$1"
    answer why "$2"
    answer step "$step"
    answer code "$code"
    answer before "$before"
    state
    answer end result
  } >"$here/status.new"
  # The journal keeps what was said, beyond the run's directory.
  cat "$here/log" "$here/status.new"
  mv "$here/status.new" "$here/status"
  exit 0
}

verb=$1
shift
"$verb" "$@"
