# shellcheck shell=sh
# Activates a NixOS system on the machine it runs on. The activation outlives the connection that started it, and a dead
# man's switch goes back to the old system if the supervisor dies or the runner does not confirm.
#
# The files of this directory are one script: they are concatenated, this one last. It is sent over standard input:
#
#   ssh … "sh -c 'self=\$(cat) && eval \"\$self\"' nix-ferry VERB ARGUMENT…" < script
#
# VERBS (all but `probe` need root)
#
#   probe [ESCALATION…]     what this machine is and runs; changes nothing
#   run ID KEY=VALUE…       starts the activation ID (letters, digits, `-`), then does what `watch ID 0` does
#   watch ID LINES          follows the activation ID after the first LINES lines of its log
#   resume ID LINES         the same, after the machine was rebooted by the activation
#   confirm ID NONCE        the runner can still get in; to be sent over a new connection, once `phase=confirm` was read
#   reject ID REASON        the runner found the new system wanting: go back. Possible until the activation is confirmed
#   finish ID               the state now; forgets the activation ID if it has ended
#   secrets ID              replaces secrets without an activation; target/stage.sh has brought them, as for `run`
#   compare ID TOPLEVEL     what `run` with these secrets would change; changes nothing
#   settle                  settles an open record that nobody works on (after `end=lost`, or at boot)
#   supervise ID            used by `run`: the activation itself, in a systemd unit of its own
#   switchback ID           used by the timer: the dead man's switch, every 5 s
#   switchback-loop ID      the same where there is no systemd
#
# KEYS of `run`. A value may hold anything but NUL, newlines too. Times are seconds.
#
#   mode            dry-activate | test | boot | switch                                            required
#   toplevel        store path of the system                                                       required
#   who             who deploys, in words, for the lock and the journal                            required
#   host commit repository branch run digest
#                   for deployed.json and history
#   committed       unix time of the commit; with repository and branch: an older commit is refused
#   allow-older     true: an older commit is not refused
#   order           strict: a commit older than the one deployed last is refused, of any repository and branch
#   signed-by       public keys, separated by spaces: each path of the closure must be signed by one of them
#   expect          the running systems that the run was planned against, one a line (an empty line: none); any other is
#                   refused, except `toplevel` itself. Left out: not compared
#   nonce           what `confirm` must be given
#   confirm         time that the runner has to confirm; 0 or left out: no confirmation
#   failed-units    degrade (default) | rollback | ignore
#   lock-wait       time to wait for another activation, 600
#   activate-limit  time for one switch-to-configuration, 900
#   health-limit    time for all health checks together, and for all pre-deploy checks together, 300
#   reboot          never (default) | if-needed | always: whether a switch may reboot the machine instead of activating the
#                   system; with modes boot and switch
#   reboot-limit    time to shut down, time to boot, and time that the runner has then besides `confirm`, 600 each
#   step-limit      time for each other phase (records, roots, timers), 60
#   secrets         true: target/stage.sh has brought secrets for this run
#   check-N.command      a pre-deploy check, run by `sh -c`, N from 1; exit code 0 passes
#   check-N.description  in words, for the log
#   check-N.timeout      time for one attempt, 30
#   check-N.period       time between two attempts, 1: it is repeated until it passes
#   health-N.command health-N.description health-N.timeout health-N.period
#                        a health check: the same, after the activation
#
# ANSWERS on standard output: `key=value` lines, and ": " before each line of the log. The last line of a complete answer
# is `end=…`; an answer without it was cut. An empty value means unknown or none.
#
#   probe     machine, current, profile, boot, bootid, needs-reboot (of `current`), nix, free (KiB), trusted (yes | no | empty), root (yes | escalated |
#             no), refusal, open (`ID PHASE TOPLEVEL BEFORE` of an open record; `unreadable`), deployed.{toplevel, mode,
#             host, commit, repository, branch, committed, activated (true | false)}, end=probe
#   run       end=invalid (why: what is wrong with the arguments), end=failed (why: the unit did not start),
#             or started=ID, then as watch
#   watch     phase=PHASE whenever the phase changes (`back`: going back; a short phase may be missed), log lines, then the
#             status; or end=lost: the supervisor is dead and no dead man's switch has anything to do (call `settle`); or
#             end=unknown: no such run
#   confirm   confirmed=yes; or confirmed=no and why; end=confirm
#   reject    rejected=yes; or rejected=no and why; end=reject
#   finish    current, profile, boot, bootid, end=finish
#   secrets   changed and volatile (numbers of secrets, separated by spaces: those that were written, and those that a reboot
#             removes), end=secrets; or why, and end=busy (an activation is in progress), end=refused (nothing was changed),
#             end=taken-back (all are as they were) or end=failed (not all are)
#   compare   problems (empty: none), for each secret N state-N (missing | content | attributes | same; without contents,
#             `same` is not about them) and digest-N (see secrets-steps.sh), volatile, end=compare
#   settle    settled=…, settled-toplevel, current, profile, boot, bootid, why, end=settle; or end=busy and why (an
#             activation is in progress)
#
# THE STATUS: facts, as read back when everything had ended.
#
#   result          finished    what `mode` asks for was done (with failed units, if any: see failed-units and code)
#                   refused     the machine is as it was: refused before, or switch-to-configuration changed nothing
#                   went-back   something failed, or nobody confirmed; running system, profile, generation, boot default
#                               and units were read back and are as they were
#                   stuck       something failed and the machine is not (wholly) on the old system: see the other keys
#   phase           where it ended: the phase that failed; `report` if none did
#   why             in words, one line; empty if finished
#   verb, code      the last switch-to-configuration on the way there; code=timeout if it had to be killed
#   back-code       exit code of switch-to-configuration on the way back; empty if it did not run
#   activated       yes: the toplevel was activated (not: mode boot, dry-activate, exit code 100)
#   confirmed       yes | no | off
#   before, profile-before, generation-before, boot-before, bootid-before
#   current, profile, generation, boot, bootid
#   rebooted        yes if the boot id changed
#   needs-reboot    what differs between the toplevel and the system that the machine was booted with, of what only a boot
#                   makes effective (booted.sh), separated by spaces
#   failed-units    failed now and not before, separated by spaces
#   missing-units   ran before, exist in the new system (when gone back: in the old one) and do not run now
#   secrets-changed, secrets-volatile
#                   as in the answer of `secrets`, if the result is finished and the run has secrets
#   settled         an open record was found: finished | taken-back | superseded | unreadable | failed; empty: none
#   settled-toplevel, settled-phase
#                   of that record
#   by              supervisor | switch | settle: who wrote this status
#   end=status
#
# LOG LINES of ours start with `nix-ferry: `. `nix-ferry: going back to PATH` begins the way back: the units that
# switch-to-configuration names after it are those of the way back. `nix-ferry: health check …`, `nix-ferry: check …`
# come before and after what such a command prints.
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
# See reboot.sh.
carried=$records/activating.run
control=/etc/systemd/system.control
gate=/var/lib/nix-ferry-gate/current

answer() { printf '%s=%s\n' "$1" "$2"; }

called=${1:-}
[ $# = 0 ] || shift
case $called in
  probe | run | watch | resume | confirm | reject | finish | supervise | switchback) "$called" "$@" ;;
  switchback-loop) switchback_loop "$@" ;;
  settle) settle_verb ;;
  secrets) secrets_verb "$@" ;;
  compare) compare_secrets "$@" ;;
  # Used by `probe`.
  boot) boot_now ;;
  *)
    answer why "$called is not a verb"
    answer end invalid
    ;;
esac
