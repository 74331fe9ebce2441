# shellcheck shell=sh
# Commands that the configuration wants to pass: pre-deploy checks before anything changes, health checks after the activation.
# As morph does, each is repeated until it passes; those of one kind have health-limit together.

# run_check check-N|health-N SECONDS: with the tools of the system that runs.
run_check() {
  bounded "$2" env "PATH=/run/wrappers/bin:/run/current-system/sw/bin:$PATH" sh -c "$(spec "$1.command")"
}

# check_name check-N|health-N: its description, or else the command's first line.
check_name() {
  name=$(spec "$1.description")
  [ -n "$name" ] || name=$(spec "$1.command" | head -n 1)
  printf '%s\n' "$name"
}

# passes check-N|health-N: again and again until it passes or the time `until` is over; then `how` says how it ended.
passes() {
  until run_check "$1" "$(least "$(spec "$1.timeout" 30)" $((until - $(uptime_now))))"; do
    how=$(how_it_ended)
    ! rejected || return 1
    sleep "$(spec "$1.period" 1)" 9>&-
    [ "$(uptime_now)" -lt "$until" ] || return 1
  done
}

pre_deploy_checks() {
  until=$(($(uptime_now) + health_limit))
  number=1
  while [ -e "$here/spec/check-$number.command" ]; do
    name=$(check_name "check-$number")
    say "check: $name"
    if ! passes "check-$number"; then
      ! rejected || refuse "$(rejection)"
      refuse "the pre-deploy check \"$name\" $how, for $health_limit s"
    fi
    number=$((number + 1))
  done
}

health_checks() {
  until=$(($(uptime_now) + health_limit))
  number=1
  while [ -e "$here/spec/health-$number.command" ]; do
    name=$(check_name "health-$number")
    say "health check: $name"
    if ! passes "health-$number"; then
      ! rejected || go_back "$(rejection)"
      go_back "the health check \"$name\" $how, for $health_limit s"
    fi
    say "health check passed: $name"
    number=$((number + 1))
  done
}

how_it_ended() {
  if [ "$ended" = timeout ]; then echo 'did not end in time'; else echo "failed (exit code $ended)"; fi
}

# The smaller number, at least 1.
least() {
  smaller=$1
  [ "$smaller" -le "$2" ] || smaller=$2
  [ "$smaller" -ge 1 ] || smaller=1
  echo "$smaller"
}
