#!/bin/sh
# Installs the system of this archive on the machine it runs on. It needs Nix (2.8 or newer) and a POSIX shell.
#
#   ./install [OPTION…] [dry-run|switch|boot|test|dry-activate]
#
#   (no mode), --dry-run   checks everything and changes nothing
#   switch                 activates the system now and makes it the boot default
#   boot                   makes it the boot default, for the next boot
#   test                   activates it now; the next boot starts the present system again
#   dry-activate           imports it and shows which units would change; activates nothing
#   --no-check-sigs        accepts an archive that is not signed, or not by a key that this machine trusts
#   --host NAME            installs the archive of NAME even if this machine has another name
#
# Exit status: 0 success · 1 refused, or failed before the activation: nothing was changed · 2 wrong usage ·
# 3 the activation failed and was rolled back · 4 success, but some units failed · 5 interrupted, or the rollback failed ·
# 100 success, but a reboot is needed
set -uf
umask 022
PATH=$PATH:/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

sources=/nix/var/nix/gcroots/nix-ferry-source
configuration=/etc/nixos/current-configuration

say() { printf '%s\n' "$*"; }

refuse() {
  printf 'install: refused: %s. This machine was not changed.\n' "$*" >&2
  exit 1
}

nix_() { nix --extra-experimental-features nix-command "$@"; }

# A text field of the manifest; nothing if it is null. The manifest has one field per line.
field() { sed -n "s/^ \"$1\": \"\(.*\)\",\$/\1/p" manifest.json | head -n 1; }
number() { sed -n "s/^ \"$1\": \([0-9]*\),\$/\1/p" manifest.json | head -n 1; }

# "path narSize narHash" of each path that is inside ($1 = true) or not ($1 = false).
paths() {
  sed -n "s/^  {\"path\":\"\(\/nix\/store\/[0-9A-Za-z+._?=-]*\)\",\"narHash\":\"\([^\" ]*\)\",\"narSize\":\([0-9]*\),\"inside\":$1,.*/\1 \3 \2/p" manifest.json
}

read_arguments() {
  mode='' check_sigs=1 name=''
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run | dry-run) mode=dry-run ;;
      switch | boot | test | dry-activate) mode=${mode:-$1} ;;
      --no-check-sigs) check_sigs='' ;;
      --host) [ $# -gt 1 ] || usage && name=$2 && shift ;;
      *) usage ;;
    esac
    shift
  done
  mode=${mode:-dry-run}
}

usage() {
  sed -n '4,16s/^# \{0,1\}//p' "$here/install" >&2
  exit 2
}

check_manifest() {
  [ -f manifest.json ] || refuse 'manifest.json is not in the folder of this script (unpack the whole artifact)'
  grep -qx ' "version": 1,' manifest.json || refuse 'manifest.json is damaged, or its version is not supported by this script'
  host=$(field host) host_name=$(field hostName) system=$(field system) toplevel=$(field toplevel)
  public_key=$(field publicKey) sums=$(field sums) commit=$(field commit) branch=$(field branch)
  kind=$(field kind)
  case $toplevel in /nix/store/*[!0-9A-Za-z+._?=/-]*) toplevel='' ;; /nix/store/?*) ;; *) toplevel='' ;; esac
  for value in "$toplevel" "$host" "$sums"; do [ -n "$value" ] || refuse 'manifest.json is damaged'; done
  # The manifest is an entry of the cache, whose name is derived from its bytes: see src/archive/manifest-entry.ts.
  hash=$(nix-hash --type sha256 --flat --base32 manifest.json) || refuse 'Nix cannot hash manifest.json'
  manifest=$(nix-store --print-fixed-path sha256 "$hash" manifest.json) || refuse 'Nix cannot name manifest.json'
  entry=${manifest#/nix/store/}
  entry=${entry%%-*}.narinfo
  [ -f "$entry" ] || refuse 'manifest.json is damaged'
  nar=$(sed -n 's/^NarHash: sha256://p' "$entry")
  [ -f "nar/$nar.nar" ] || refuse 'the entry of manifest.json is damaged'
  size=$(($(wc -c <"nar/$nar.nar")))
  said=$(printf '%s\n' "StorePath: $manifest" "URL: nar/$nar.nar" 'Compression: none' "FileHash: sha256:$nar" \
    "FileSize: $size" "NarHash: sha256:$nar" "NarSize: $size" 'References: ')
  [ "$(grep -v '^Sig: ' "$entry")" = "$said" ] || refuse 'the entry of manifest.json is damaged'
}

check_machine() {
  machine=$(uname -m)
  case $system in
    "$machine"-linux) ;;
    i686-linux) case $machine in x86_64 | i?86) ;; *) wrong_machine ;; esac ;;
    armv6l-linux | armv7l-linux) case $machine in arm* | aarch64) ;; *) wrong_machine ;; esac ;;
    *) wrong_machine ;;
  esac
  present=$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)
  case $host in "$name" | "$present" | "${present%%.*}") return ;; esac
  case $host_name in "$present" | "${present%%.*}") [ -n "$name" ] || return ;; esac
  grep -qsF "\"host\": \"$host\"" /var/lib/nix-ferry/deployed.json && return
  refuse "this archive is of $host, and this machine is $present (to install $host here, add --host $host)"
}

wrong_machine() { refuse "this archive is of $host, a machine of $system, and this machine is $machine"; }

# Detects damage: the manifest has the hash of SHA256SUMS, which has those of the small files; entries have those of
# NARs.
check_files() {
  [ "$(nix-hash --type sha256 --flat SHA256SUMS 2>/dev/null)" = "${sums#sha256:}" ] || refuse 'SHA256SUMS is damaged'
  damaged=$(sha256sum -c SHA256SUMS 2>/dev/null | sed -n 's/: FAILED.*//p' | head -n 1)
  [ -z "$damaged" ] || refuse "$damaged is damaged or missing"
  sha256sum -c SHA256SUMS >/dev/null 2>&1 || refuse 'its files do not match SHA256SUMS'
}

# Nix checks every NAR and, unless --no-check-sigs is given, every signature.
check_paths() {
  if [ -z "$check_sigs" ]; then
    trust=--no-trust
  else
    [ -n "$public_key" ] || refuse 'this archive is not signed (if you trust its origin, add --no-check-sigs)'
    trust='--sigs-needed 1'
  fi
  # shellcheck disable=SC2046,SC2086 # One or two words, and one word per path.
  said=$(nix_ store verify --store "$store" $trust "$manifest" $(paths true | sed 's/ .*//') 2>&1) && return
  why=$(say "$said" | grep -e untrusted | head -n 1)
  [ -z "$why" ] || refuse "$why: none of this machine's trusted-public-keys signed it (the archive's key is $public_key)"
  why=$(say "$said" | grep -e error -e modified -e corrupt -e mismatch | head -n 1)
  refuse "${why:-$said}"
}

check_space() {
  needed=$(paths true | while read -r path size _; do [ -e "$path" ] || say "$size"; done |
    awk '{ sum += $1 } END { printf "%d", sum / 1024 }')
  free=$(df -Pk /nix/store 2>/dev/null | awk 'NR == 2 { print $4 }')
  [ -z "$free" ] || [ "$free" -gt "$needed" ] || refuse "/nix/store has $free KiB free and the archive's paths need $needed KiB"
}

# The paths that the archive leaves out and this machine does not have.
absent() {
  # shellcheck disable=SC2046 # One word per path.
  nix-store --check-validity --print-invalid $(paths false | sed 's/ .*//')
}

# The archive was made with paths of certain contents, whoever signed others for this machine. Checks those that it has.
check_outside() {
  present=$({ absent && paths false; } | awk 'NF == 1 { absent[$1] = 1 } NF == 3 && !($1 in absent)')
  [ -n "$present" ] || return 0
  # shellcheck disable=SC2046 # One word per path or hash.
  {
    found=$(nix-store --query --hash $(say "$present" | sed 's/ .*//')) || refuse 'Nix cannot list the hashes of its paths'
    wanted=$(nix-hash --type sha256 --to-base32 $(say "$present" | sed 's/.* //')) || refuse 'manifest.json is damaged'
  }
  [ "$(say "$found" | sed 's/^sha256://')" != "$wanted" ] || return 0
  other=$(say "$present" | while read -r path _ hash; do
    [ "$(nix-store --query --hash "$path")" = "sha256:$(nix-hash --type sha256 --to-base32 "$hash")" ] || say "$path"
  done | head -n 1)
  refuse "$other on this machine differs from the one that the archive was made with (ask for a full archive)"
}

# Nix fetches what the archive leaves out from this machine's substituters.
fetch() {
  wanted=$(absent)
  [ -n "$wanted" ] || return 0
  # shellcheck disable=SC2086 # One word per path.
  said=$(nix-store --realise $wanted 2>&1 >/dev/null) ||
    refuse "the paths that are not in the archive could not be fetched: $(say "$said" | tail -n 1 | cut -c 1-300)"
}

# The first error that Nix printed, except those of threads that were stopped because of another error.
reason() {
  why=$(say "$said" | grep error | grep -v -e 'error (ignored)' -e 'interrupted by the user' | head -n 1)
  say "${why:-$said}" | tail -n 1
}

import() {
  inside=$(paths true | sed 's/ .*//')
  no_check=
  [ -n "$check_sigs" ] || no_check=--no-check-sigs
  # shellcheck disable=SC2086 # One word per path.
  [ -z "$inside" ] || said=$(nix_ copy $no_check --no-recursive --from "$store" $inside 2>&1) ||
    refuse "Nix could not import it: $(reason)"
  nix-store --check-validity "$toplevel" 2>/dev/null || refuse "$toplevel is not in the store after the import"
}

# Uses the script that deployments over SSH use too: it outlives this shell, takes a lock, and goes back on failure. Nobody
# confirms, and an older commit is not refused: whoever runs this is on the machine.
activate() {
  self=$(cat activate.sh)
  export self
  id=install-$(date +%s)-$$
  exec 3>&1
  run=$(sed -n 's/.*"run": *"\([^"\]*\)".*/\1/p' run.json 2>/dev/null)
  answers=$(sh activate.sh run "$id" "mode=$mode" "toplevel=$toplevel" "who=install of $host by $(id -un)" \
    "host=$host" "commit=$commit" "repository=$(field repository)" "branch=$(field branch)" \
    "committed=$(number committed)" allow-older=true "run=$run" "digest=$(field digest)" | show_log)
  case $(answer end) in
    status | invalid | failed) ;;
    *) answers=$(sh activate.sh settle | show_log) ;;
  esac
  sh activate.sh finish "$id" >/dev/null
  result=$(answer result) code=$(answer code) why=$(answer why)
}

answer() { say "$answers" | sed -n "s/^$1=//p" | tail -n 1; }

# Prints the log lines in activate.sh's output for the operator and passes on the others.
show_log() {
  while IFS= read -r line; do
    case $line in ': '*) say "${line#: }" >&3 ;; *) say "$line" ;; esac
  done
}

# Links the configuration, its nixpkgs and the system in one folder, which also protects them from garbage collection.
link_source() {
  paths_of=$(grep '^ "source": {' manifest.json) || return 0
  folder=$sources/${toplevel#/nix/store/}
  mkdir -p "$folder" "${configuration%/*}"
  ln -sfn "$toplevel" "$folder/system"
  ln -sfn "$(say "$paths_of" | sed 's/.*"configuration":"\([^"]*\)".*/\1/')" "$folder/configuration"
  nixpkgs=$(say "$paths_of" | sed -n 's/.*"nixpkgs":"\([^"]*\)".*/\1/p')
  if [ -n "$nixpkgs" ]; then ln -sfn "$nixpkgs" "$folder/nixpkgs"; else rm -f "$folder/nixpkgs"; fi
  if [ -e $configuration ] && [ ! -L $configuration ]; then
    say "$configuration is not a link and was not replaced; the configuration is in $folder" >&2
    return
  fi
  ln -sfn "$folder" $configuration.new && mv -T $configuration.new $configuration
  set +f
  for old in "$sources"/*; do [ "$old" = "$folder" ] || rm -rf "$old"; done
}

here=$(cd "$(dirname "$0")" && pwd) || exit 1
cd "$here" || exit 1
store=file://$PWD
case $PWD in
  *[!A-Za-z0-9_./-]*)
    # Nix 2.8 cannot open an address with a space, encoded or not.
    link=$(mktemp -d) || exit 1
    trap 'rm -rf "$link"' EXIT
    ln -s "$PWD" "$link/archive"
    store=file://$link/archive
    ;;
esac
read_arguments "$@"
command -v nix-store >/dev/null || refuse 'Nix is not installed or not on PATH'
[ "$mode" = dry-run ] || [ "$(id -u)" = 0 ] || refuse 'only root can install a system'
check_manifest
check_machine
check_files
check_paths
check_outside
check_space
if [ "$mode" = dry-run ]; then
  say "$host: $toplevel is intact ($kind archive of commit ${commit:-unknown}${branch:+ of $branch}); nothing was changed"
  exit 0
fi
fetch
check_outside
import
# From here on, signals from the terminal no longer interrupt the installation.
trap '' HUP INT TERM
activate
case $result in
  finished)
    case $mode in switch | boot) link_source ;; esac
    say "$host: $mode of $toplevel done"
    [ "$mode $(answer activated)" != 'switch no' ] || exit 100
    if [ "$code" = 4 ] || [ -n "$(answer failed-units)" ]; then exit 4; fi
    exit 0
    ;;
  refused)
    refuse "${why:-switch-to-configuration exited with $code}"
    ;;
  went-back)
    say "install: the activation of $toplevel failed ($why); this machine is on its previous system again" >&2
    exit 3
    ;;
  stuck)
    say "install: $mode of $toplevel failed: $why" >&2
    exit 5
    ;;
  *)
    [ -z "$why" ] || [ "$(answer end)" = settle ] || refuse "$why"
    current=$(answer current) profile=$(answer profile)
    say "install: $mode of $toplevel was cut: this machine runs ${current:-no NixOS system}, and its profile is ${profile:-empty}; install it again" >&2
    exit 5
    ;;
esac
