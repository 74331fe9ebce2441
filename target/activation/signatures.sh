# shellcheck shell=sh
# Signatures of a closure.

# Refuses a closure with a path that none of the keys in `signed-by` has signed. That a path is in the store proves nothing:
# users whom Nix does not trust may build there, too. With a number of signatures, Nix does not take what was built here for
# good; and it would trust its own secret keys, with which it may sign what it builds.
#
# A path whose name Nix derives from its content needs no signature: the name is in its signed referrers.
check_signatures() {
  [ -e "$here/spec/signed-by" ] || return 0
  verified_from=$(log_lines)
  bounded $((5 * step_limit)) nix --extra-experimental-features nix-command store verify --recursive --no-contents \
    --sigs-needed 1 --option trusted-public-keys "$(spec signed-by)" --option secret-key-files '' "$toplevel" && return
  untrusted=$(tail -n +"$((verified_from + 1))" "$log" | sed -n "s|^.*path '\(/nix/store/[^']*\)' is untrusted.*|\1|p")
  [ -n "$untrusted" ] || refuse "the signatures of $toplevel could not be checked (nix store verify: $ended)"
  set -- "$(printf '%s\n' "$untrusted" | head -n 1)" "$(printf '%s\n' "$untrusted" | awk 'END { print NR - 1 }')"
  [ "$2" = 0 ] || set -- "$1 and $2 other paths"
  refuse "no key of this machine has signed $1 (a deployment with root's own key and the signing key brings signatures of what is here)"
}
