# shellcheck shell=sh
# What an activation does about secrets in its phases, and the verbs that do it without an activation.

has_secrets() { [ "$(spec secrets)" = true ]; }

# In phase `check`: all that can be wrong with secrets is wrong now, before anything is changed.
check_secrets() {
  has_secrets || return 0
  staged=$runs/$id.secrets
  [ -d "$staged" ] || refuse 'the secrets did not arrive'
  problems=$(secret_problems | joined)
  [ -z "$problems" ] || refuse "secrets cannot be written: $problems"
  { begin_secrets && prepare_secrets pre; } || refuse "${failed_secret:-the secrets could not be recorded in $records}"
}

joined() { awk '{ printf "%s%s", separator, $0; separator = "; " }'; }

# Before the activation.
send_early_secrets() {
  has_secrets || return 0
  place_secrets pre || go_back "$failed_secret"
}

# After the activation: its users and units are there.
use_early_secrets() {
  has_secrets || return 0
  deadline $((step_limit * (2 + $(for_secrets echo | wc -l))))
  if ! own_late_secrets || ! run_secret_actions pre; then go_back "$failed_secret"; fi
  deadline $((health_limit + 2 * step_limit))
}

# After the confirmation.
send_late_secrets() {
  has_secrets || return 0
  deadline $((step_limit * (2 + $(for_secrets echo | wc -l))))
  if ! prepare_secrets post || ! place_secrets post; then go_back "$failed_secret"; fi
  [ "$activated" != yes ] || run_secret_actions post || go_back "$failed_secret"
}

# open_secrets ID: for a verb that belongs to no activation.
open_secrets() {
  case ${1:-} in '' | *[!a-zA-Z0-9-]*) return 1 ;; esac
  id=$1 here=$runs/$1 staged=$runs/$1.secrets log=$runs/$1/log toplevel='' failed_secret=''
  [ -d "$staged" ] && mkdir "$here" && printf '' >"$log" && read_limits
}

# The verb `secrets`: replaces secrets of the system that runs. If one of them or an action fails, all are taken back.
secrets_verb() {
  open_secrets "${1:-}" || { invalid "there are no secrets of ${1:-no run}" && return; }
  # The connection may be lost.
  trap '' HUP PIPE
  exec 9>>$runs/lock
  lock_wait=$(secret 0 wait) who=$(secret 0 who)
  if ! wait_for_lock 9; then
    answer why "another activation is in progress: $(holder)"
    answer end busy
  elif [ -e $records/activating.json ]; then
    answer why 'an activation was cut, and its record is open'
    answer end busy
  else
    hold "$who"
    replace_secrets
  fi
  rm -rf "$here" "$staged"
}

replace_secrets() {
  if ! restore_cut_secrets; then
    answer why 'secrets of an earlier run could not be taken back'
    answer end refused
    return
  fi
  problems=$(secret_problems | joined)
  if [ -n "$problems" ]; then
    answer why "secrets cannot be written: $problems"
    answer end refused
  elif begin_secrets && prepare_secrets pre && prepare_secrets post && place_secrets pre && place_secrets post &&
    run_secret_actions pre && run_secret_actions post; then
    keep_secrets
    answer changed "$(changed_secrets "$id")"
    answer volatile "$(volatile_secrets "$id")"
    answer end secrets
  else
    sed 's/^/: /' "$log"
    answer why "${failed_secret:-the secrets could not be recorded in $records}"
    if restore_secrets; then
      repeat_secret_actions "$id"
      answer end taken-back
    else
      answer end failed
    fi
  fi
}

# The verb `compare`: what would change, as digests that only the key of the run explains. Writes nothing outside of $runs.
compare_secrets() {
  open_secrets "${1:-}" || { invalid "there are no secrets of ${1:-no run}" && return; }
  toplevel=${2:-}
  answer problems "$(secret_problems | joined)"
  for_secrets compare_secret
  answer volatile "$(volatile_secrets "$id")"
  answer end compare
  rm -rf "$here" "$staged"
}

compare_secret() {
  state_of_secret "$1"
  answer "state-$1" "$state"
  if [ "$state" = missing ]; then return; fi
  inner=$(cat "$staged/0.key" "$path" | sha256sum | cut -d ' ' -f 1)
  answer "digest-$1" "$(printf %s "$inner" | cat "$staged/0.key" - | sha256sum | cut -d ' ' -f 1)"
}
