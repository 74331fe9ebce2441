# shellcheck shell=sh
# The gate: what a restricted key runs instead of a shell, as the user `nix-ferry`, who has no rights. A line of
# authorized_keys:
#
#   restrict,command="SHELL DIRECTORY/gate KIND TYPE BASE64" TYPE BASE64 COMMENT
#
# KIND is `preview` (only `describe`) or `deploy` (all verbs). TYPE and BASE64 are the key itself: they name it in the journal.
#
# The command that the client asks for is compared with the list below, and is never evaluated:
#
#   nix-ferry-gate PROTOCOL VERB [WORD…]
#
#   describe            describes the machine (target/describe.sh), without root
#   receive [--stdio]   Nix's own protocol, as this user, whom Nix does not trust: only signed paths are accepted
#   probe, run ID, watch ID LINES, resume ID LINES, confirm ID NONCE, reject ID, finish ID, settle, secrets ID, compare ID
#                       the verbs of target/activation/main.sh, as root: see root.sh, which reads the rest of the request from
#                       standard input
#   stage ID            brings the secrets of a run, as target/stage.sh does
#
# The system that brings a newer gate is confirmed by the runner that deployed it, so a newer version of the protocol has to
# accept the one before it.
#
# Everything else is refused: with a line `nix-ferry-gate: WHY` on standard error, exit code 77, and a line in the journal.
# A path that Nix refuses to receive has a line in the journal, too.
#
# DIRECTORY contains gate, root, activate (the activation script), describe (target/describe.sh with what it needs) and
# settings, which root.sh describes; and serve, if root is asked over a socket, with the netcat in the directory above it. Only
# root may write to them.
set -fu
umask 077
PATH=/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
protocol=1
directory=${0%/*}
kind=$1 type=$2 base64=$3
asked=${SSH_ORIGINAL_COMMAND-}

fingerprint() {
  found=$(printf '%s %s\n' "$type" "$base64" | ssh-keygen -lf - 2>/dev/null)
  found=${found#* }
  printf '%s\n' "${found%% *}"
}

# log WHAT WHY: what has happened to the key's request, and why.
log() {
  from=${SSH_CONNECTION-}
  shown=$(printf '%s' "$asked" | head -c 200 | tr -c ' -~' '?')
  logger -t nix-ferry-gate -p auth.warning -- \
    "$1 $(fingerprint) from ${from%% *}: $2; asked for: ${shown:-nothing}" 2>/dev/null
}

refuse() {
  log refused "$1"
  printf 'nix-ferry-gate: %s\n' "$1" >&2
  exit 77
}

# clean COMMAND…: without any variable that the client may have sent.
clean() { exec env -i "PATH=$PATH" LC_ALL=C "$@"; }

# Logs the first path that Nix did not accept. It says so only to the client, in the answers that are read here.
log_unsigned() {
  tr -c ' -~' '\n' | awk '
    match($0, /\/nix\/store\/[0-9a-z]+-[A-Za-z0-9+._?=-]+/) { path = substr($0, RSTART, RLENGTH) }
    /because it lacks a (valid )?signature/ && !said { said = 1; print path }' |
    while IFS= read -r path; do log refused "Nix did not accept ${path:-a path}, which lacks a signature"; done
}

# Nix's own protocol. Its answers are few bytes; what the client sends is not copied.
receive() {
  exec 4>&1
  code=$(
    {
      {
        env -i "PATH=$PATH" LC_ALL=C nix-daemon --stdio 3>&- 4>&-
        echo $? >&3
      } | { tee /dev/fd/5 >&4 3>&-; } 5>&1 | log_unsigned >/dev/null 3>&- 4>&-
    } 3>&1
  )
  [ "$code" = 0 ] || log failed "nix-daemon ended with exit code ${code:-1}"
  exit "${code:-1}"
}

# As root, and only this: the rule of sudo, or the socket, allows nothing else.
ask_root() {
  request="$(fingerprint) $*"
  socket=$(sed -n 's/^socket //p' "$directory/settings")
  [ -z "$socket" ] || ask_over "$socket"
  shell=$(sed -n 's/^shell //p' "$directory/settings")
  { printf '%s\n' "$request" && cat; } | clean sudo -n "$shell" "$directory/root"
  exit
}

# ask_over SOCKET: prints the answer of serve.sh, and exits as root.sh did.
ask_over() {
  { printf '%s\n' "$request" && cat; } | clean "${directory%/*}/nc" -N -U "$1" | {
    while IFS= read -r line; do
      case $line in
        'nix-ferry-gate-end '*)
          line=${line#* }
          printf '%s' "${line#* }" | base64 -d >&2
          exit "${line%% *}"
          ;;
      esac
      printf '%s\n' "$line"
    done
    printf '%s\n' "nix-ferry-gate: root's half of the gate has not answered" >&2
    exit 1
  }
  exit
}

[ -n "$asked" ] || refuse 'there is no shell here'
[ ${#asked} -le 200 ] || refuse 'this command is too long'
case $asked in *[!a-z0-9\ -]*) refuse 'this command contains characters that no verb has' ;; esac
# shellcheck disable=SC2086 # Words; their characters are harmless.
set -- $asked
if [ "$*" != "$asked" ] || [ "$1" != nix-ferry-gate ] || [ $# -lt 3 ] || [ $# -gt 5 ]; then
  refuse 'this is not a command of the gate'
fi
[ "$2" = $protocol ] || refuse "this machine has version $protocol of the gate's protocol, and was asked in version $2"
shift 2
verb=$1
[ "$kind" = deploy ] || [ "$verb" = describe ] || refuse 'this key may only describe'
case "$*" in
  describe) clean sh "$directory/describe" describe ;;
  receive | 'receive --stdio') receive ;;
esac
# Words of verbs are identifiers, numbers and nonces.
for word; do
  case $word in -*) refuse 'a word begins with a dash' ;; esac
done
case "$verb $#" in
  'probe 1' | 'settle 1' | 'run 2' | 'stage 2' | 'secrets 2' | 'compare 2' | 'reject 2' | 'finish 2' | 'watch 3' | 'resume 3' | 'confirm 3') ask_root "$@" ;;
  *) refuse 'this is not a verb of the gate, or it has too few or too many words' ;;
esac
