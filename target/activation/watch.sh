# shellcheck shell=sh
# What the runner calls while an activation goes on: starting, following, confirming, rejecting and forgetting it.

run() {
  id=${1:-}
  shift
  case $id in '' | *[!a-zA-Z0-9-]*) invalid "$id is not an identifier" && return ;; esac
  here=$runs/$id
  umask 077
  mkdir -p $runs
  mkdir "$here" 2>/dev/null || { invalid "the run $id exists already" && return; }
  mkdir "$here/spec"
  for argument; do
    case ${argument%%=*} in
      '' | *[!a-z0-9.-]* | .* | "$argument") invalid "not KEY=VALUE: $argument" && rm -rf "$here" && return ;;
    esac
    printf '%s\n' "${argument#*=}" >"$here/spec/${argument%%=*}"
  done
  wrong=$(wrong_spec)
  if [ -n "$wrong" ]; then
    rm -rf "$here"
    invalid "$wrong"
    return
  fi
  # Shellcheck cannot see that the caller sets it: the text of this script.
  # shellcheck disable=SC2154
  printf '%s\n' "$self" >"$here/script"
  # The tools of the system that runs now, which the new one may not have.
  printf '%s\n' "$(readlink -f /run/current-system/sw 2>/dev/null)/bin:$PATH" >"$here/path"
  : >"$here/log"
  if ! start_supervisor; then
    answer why "the supervisor could not be started: $(tail -n 1 "$here/unit")"
    answer end failed
    rm -rf "$here"
    return
  fi
  answer started "$id"
  watch "$id" 0
}

invalid() {
  answer why "$1"
  answer end invalid
}

# What is wrong with the spec; nothing if it is right.
wrong_spec() {
  case $(spec mode) in dry-activate | test | boot | switch) ;; *) echo "$(spec mode) is not a mode" ;; esac
  case $(spec toplevel) in
    *[!0-9A-Za-z+._?=/-]*) echo 'toplevel is not a store path' ;;
    /nix/store/?*) ;;
    *) echo 'toplevel is not a store path' ;;
  esac
  case $(spec failed-units degrade) in degrade | rollback | ignore) ;; *) echo "$(spec failed-units) is not a policy for failed units" ;; esac
  [ -n "$(spec who)" ] || echo 'who is missing'
  case $(spec reboot never) in never | if-needed | always) ;; *) echo "$(spec reboot) is not a policy for reboots" ;; esac
  for key in committed confirm lock-wait activate-limit health-limit step-limit reboot-limit; do
    [ -e "$here/spec/$key" ] || continue
    case $(spec $key) in *[!0-9]*) echo "$key is not a number" ;; esac
  done
}

start_supervisor() {
  if has_systemd; then
    transient supervise "$id" "--unit=nix-ferry-$id" "--description=Nix Ferry: $(spec mode) $(spec toplevel)"
  elif command -v setsid >/dev/null; then
    # shellcheck disable=SC2046 # The shell may be two words: busybox sh.
    setsid $(shell_words) "$here/script" supervise "$id" </dev/null >/dev/null 2>&1 &
  else
    # shellcheck disable=SC2046
    nohup $(shell_words) "$here/script" supervise "$id" </dev/null >/dev/null 2>&1 &
  fi
}

# After a reboot of its own, the run goes on by itself; where its unit could not be carried over, this starts it.
resume() {
  if record_is_of "$1" && goes_on_after_reboot; then start_carried; fi
  watch "$1" "$2"
}

watch() {
  open_run "$1"
  seen=$2 shown='' idle=0 waited=0
  if [ ! -d "$here" ]; then
    answer end unknown
    return
  fi
  while :; do
    ended='' dead='' begun=''
    # In this order: what begins between two looks is not yet dead, and what ends has written its status before it is.
    [ ! -s "$here/pid" ] || begun=1
    alive "$id" || dead=1
    [ ! -f "$here/status" ] || ended=1
    now=$(cat "$here/phase" 2>/dev/null)
    show_log "$ended"
    if [ "$now" != "$shown" ]; then answer phase "$now"; fi
    shown=$now
    if [ -n "$ended" ]; then
      cat "$here/status"
      return
    fi
    if [ -z "$dead" ]; then
      idle=0 waited=0
    elif [ -n "$begun" ] && record_is_ours && switch_is_armed && [ $waited -lt $((20 * (activate_limit + step_limit))) ]; then
      # The dead man's switch will settle it.
      idle=0 waited=$((waited + 1))
    else
      idle=$((idle + 1))
      if [ $idle -gt "$(patience)" ]; then
        answer end lost
        return
      fi
    fi
    pause
  done
}

# The lines since the last look; at the end, with a last line that nothing ended.
show_log() {
  if [ -n "$1" ]; then
    tail -n +$((seen + 1)) "$log" | awk '{ print ": " $0 }'
    return
  fi
  lines=$(wc -l <"$log")
  if [ "$lines" -gt "$seen" ]; then
    sed -n "$((seen + 1)),${lines}s/^/: /p" "$log"
    seen=$((lines))
  fi
}

# For how many looks (5 a second) a status may be missing: a unit that systemd has only just queued has no process yet, and
# whoever ends a run (the dead man's switch, or a run that ends a dry one) writes its status last.
patience() {
  if [ -z "$begun" ]; then
    echo 50
  elif [ -e "$here/armed" ]; then
    echo 25
  else
    echo 10
  fi
}

confirm() {
  open_run "$1"
  refusal=''
  if [ ! -d "$here" ]; then
    refusal="there is no run $id"
  elif [ -z "${2:-}" ] || [ "$2" != "$(spec nonce)" ]; then
    refusal='this is not the nonce of the run'
  elif [ "$(cat "$here/phase" 2>/dev/null)" != confirm ] || ! alive "$id"; then
    refusal="the run does not wait for a confirmation (phase $(cat "$here/phase" 2>/dev/null))"
  elif ! decide confirmed && [ "$(verdict)" != confirmed ]; then
    refusal="too late: $(verdict)"
  fi
  decided_answer confirmed "$refusal"
}

reject() {
  open_run "$1"
  refusal=''
  if [ ! -d "$here" ]; then
    refusal="there is no run $id"
  elif ! decide "rejected ${2:-}" && ! rejected; then
    refusal="too late: $(verdict)"
  fi
  decided_answer rejected "$refusal"
}

# decided_answer confirmed|rejected REFUSAL
decided_answer() {
  if [ -z "$2" ]; then
    answer "$1" yes
  else
    answer "$1" no
    answer why "$2"
  fi
  if [ "$1" = confirmed ]; then answer end confirm; else answer end reject; fi
}

# A run in progress keeps what it needs, and so does one that its dead man's switch has yet to settle.
finish() {
  open_run "$1"
  state
  if [ -f "$here/status" ] || { ! alive "$id" && ! record_is_ours; }; then forget "$id"; fi
  answer end finish
}
