# shellcheck shell=sh
# Commands that the configuration wants to pass: pre-deploy checks once, before anything changes; health checks until they
# pass, after the activation.

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

pre_deploy_checks() {
  number=1
  while [ -e "$here/spec/check-$number.command" ]; do
    name=$(check_name "check-$number")
    say "check: $name"
    run_check "check-$number" "$(spec "check-$number.timeout" 30)" || refuse "the pre-deploy check \"$name\" $(how_it_ended)"
    number=$((number + 1))
  done
}

# Each in turn, again and again until it passes; all together within health-limit.
health_checks() {
  until=$(($(uptime_now) + health_limit))
  number=1
  while [ -e "$here/spec/health-$number.command" ]; do
    name=$(check_name "health-$number")
    say "health check: $name"
    until run_check "health-$number" "$(least "$(spec "health-$number.timeout" 30)" $((until - $(uptime_now))))"; do
      how=$(how_it_ended)
      ! rejected || go_back "$(rejection)"
      sleep "$(spec "health-$number.period" 1)" 9>&-
      [ "$(uptime_now)" -lt $until ] || go_back "the health check \"$name\" $how, for $health_limit s"
    done
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
