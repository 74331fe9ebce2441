# shellcheck shell=sh disable=SC2154
# Describes the NixOS system that this machine runs. It needs no root, changes nothing and writes no file, not even a
# temporary one.
#
# It is sent over standard input, after activation/look.sh, whose functions it uses:
#
#   ssh … "sh -c 'self=\$(cat) && eval \"\$self\"' nix-ferry describe"
#
# A key that may only describe runs its own copy of the same text, as a forced command, whatever is sent.
#
# ANSWER on standard output: a line `nix-ferry-description=1 gzip` and base64 of the records, compressed; or
# `nix-ferry-description=1 plain` and the records. A record is a line; the last one is `end`. NAME and TEXT go to the end of
# their line. Everything but `end` may be missing if it is not known.
#
#   kernel TEXT, bootid TEXT     what the kernel says
#   system PATH                  the toplevel that runs
#   profile PATH, boot PATH      the toplevels of the system profile and of the boot loader's default entry
#   part SIDE NAME TARGET        a link of the toplevel SIDE (`system`, or `booted`: the one that was booted), and where it leads
#   file part SIDE/NAME          the text of a file of that toplevel
#   path BYTES PATH              a store path of the closure of `system`
#   state UNIT ACTIVE SUB        a unit that is not inactive, with its states
#   shadowed UNIT                a unit that systemd does not read from /etc
#   file unit NAME               the text of a unit file or drop-in of the generation
#   masked NAME                  a unit file or drop-in that is a link to /dev/null
#   want NAME                    a link in a directory `*.wants`, `*.requires` or `*.upholds`
#   hash SHA256 NAME             a file of the generation's etc; unit files are left out
#   link TARGET NAME             a link in the generation's etc
#   file etc NAME                the text of a small file there that everybody may read
#   file fstab NAME              /etc/fstab
#   file firewall NAME           the rules that open ports
#   file pending NAME            a list that an interrupted switch-to-configuration left
#   user NAME, group NAME        an account that the generation declares
#   secret SALT DIGEST NAME      the digest of a secret that the machine got (activation/secret-digests.sh); `-` if the secret is gone
#
# A record `file` is followed by the lines of the file, each after a `|`.
set -u
PATH=$PATH:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
# shellcheck disable=SC2034 # Used by profile_now.
profile=/nix/var/nix/profiles/system
# shellcheck disable=SC2016 # For awk.
lines_of='FNR == 1 { print "file", kind, FILENAME } { print "|" $0 }'

# files_of KIND FILE…: the files that can be read.
files_of() {
  kind=$1
  shift
  for file; do
    [ ! -r "$file" ] || awk -v kind="$kind" "$lines_of" "$file"
  done
}

# parts_of SIDE TOPLEVEL
parts_of() {
  for part in kernel initrd kernel-modules firmware systemd etc/systemd/system.conf; do
    [ ! -e "$2/$part" ] || printf 'part %s %s %s\n' "$1" "$part" "$(readlink -f "$2/$part")"
  done
  # One by one: an awk may end at a file that is missing, as kernel-params is in a container.
  (cd "$2" && for file in kernel-params init-interface-version nixos-version switch-inhibitors; do
    [ ! -r "$file" ] || awk -v kind=part -v side="$1" \
      'FNR == 1 { print "file", kind, side "/" FILENAME } { print "|" $0 }' "$file"
  done)
}

# closure_of TOPLEVEL: records `path`. A Nix without `nix path-info` is asked in its older words.
closure_of() {
  infos=$(nix --extra-experimental-features nix-command path-info --recursive --size "$1" 2>/dev/null) || infos=''
  if [ -n "$infos" ]; then
    printf '%s\n' "$infos" | awk '{ print "path", $2, $1 }'
    return
  fi
  infos=$(nix-store --query --requisites "$1" 2>/dev/null) || return 0
  {
    printf '%s\n' "$infos"
    printf '%s\n' "$infos" | xargs nix-store --query --size 2>/dev/null
  } | awk '/^\// { path[++paths] = $0; next } { size[++sizes] = $0 } END {
    for (i = 1; i <= paths; i++) print "path", (i in size ? size[i] : 0), path[i]
  }'
}

# Whether a file of the generation is one of the store. Links may lead elsewhere, for example to a secret that this machine has
# decrypted, which is not part of the generation.
in_store() {
  case $(readlink -f "$1") in /nix/store/?*) ;; *) return 1 ;; esac
}

# units_of DIRECTORY
units_of() {
  cd "$1" 2>/dev/null || return 0
  find -L . -maxdepth 2 \( ! -path './*/*' -o -path './*.d/*.conf' \) -type f | while IFS= read -r file; do
    if in_store "$file"; then printf '%s\0' "$file"; fi
  done | xargs -0 -r awk -v kind=unit "$lines_of"
  find -L . -maxdepth 2 \( ! -path './*/*' -o -path './*.d/*.conf' \) -type c | sed 's/^/masked /'
  find -L . -maxdepth 2 \( -path './*.wants/*' -o -path './*.requires/*' -o -path './*.upholds/*' \) | sed 's/^/want /'
}

# states_now: systemd is asked once for all units. Files in these directories take precedence over those in /etc.
states_now() {
  LC_ALL=C systemctl list-units --full --plain --no-legend --no-pager 2>/dev/null |
    awk '$3 != "inactive" { print "state", $1, $3, $4 }'
  for directory in /etc/systemd/system.control /run/systemd/system.control /run/systemd/transient /run/systemd/generator.early; do
    [ ! -d $directory ] || ls $directory 2>/dev/null
  done | sed -n '/\.[a-z]*$/s/^/shadowed /p'
}

# The files of the generation's etc that are in the store.
etc_files() {
  find . \( -type l -o -type f \) ! -path './systemd/system/*' | while IFS= read -r file; do
    if [ -f "$file" ] && in_store "$file"; then printf '%s\n' "$file"; fi
  done
}

# Of the files whose names are read, those that everybody may read.
public_files() {
  while IFS= read -r file; do
    if [ -r "$file.mode" ]; then
      read -r mode _ <"$file.mode"
      case $mode in *[4567]) ;; *) continue ;; esac
    fi
    printf '%s\n' "$file"
  done
}

# etc_of DIRECTORY
etc_of() {
  cd "$1" 2>/dev/null || return 0
  find . -type l ! -path './systemd/system/*' -exec ls -ld {} + | sed -n 's|^.* \./\(.*\) -> \(.*\)$|link \2 ./\1|p'
  files=$(etc_files)
  [ -n "$files" ] || return 0
  printf '%s\n' "$files" | tr '\n' '\000' | xargs -0 sha256sum | sed 's/^/hash /'
  # shellcheck disable=SC2016 # They belong to the inner shell.
  printf '%s\n' "$files" | public_files | tr '\n' '\000' | lines_of=$lines_of xargs -0 -r sh -c 'find -L "$@" -prune -type f -size -17 \
    ! -name "*shadow*" ! -name "*secret*" ! -name "*passw*" ! -name "*key*" ! -name "*token*" ! -name "*credential*" \
    -exec awk -v kind=etc "$lines_of" {} +' sh
}

# accounts_of FILE: names from the JSON that NixOS gives to the program that makes accounts; its other values may be secret.
accounts_of() {
  awk '{ text = text $0 }
    END {
      at = index(text, "\"users\":[")
      names("group", substr(text, 1, at))
      names("user", substr(text, at))
    }
    function names(kind, text) {
      while (match(text, /"name":"[^"\\]*"/)) {
        print kind, substr(text, RSTART + 8, RLENGTH - 9)
        text = substr(text, RSTART + RLENGTH)
      }
    }' "$1"
}

# sources_of SYSTEM ETC PATHS: the files with accounts and with the firewall's rules, which only their names tell. A user whom
# Nix does not answer finds them where they are used.
sources_of() {
  {
    printf '%s\n' "$3" | sed -n 's/^path [0-9]* //p'
    grep -ohsE '/nix/store/[0-9a-z]{32}-[A-Za-z0-9._-]+' "$1/activate" \
      "$2/systemd/system/firewall.service" "$2/systemd/system/nftables.service" "$2/systemd/system/userborn.service"
  } | grep -E -- '-(users-groups\.json|userborn\.json|firewall-start|nftables-rules)$' | sort -u | while IFS= read -r path; do
    [ ! -d "$path" ] || path=$path/bin/firewall-start
    [ -r "$path" ] || continue
    case $path in
      *.json) accounts_of "$path" ;;
      *) awk '/dport/ { if (!n++) print "file firewall", FILENAME; print "|" $0 }' "$path" ;;
    esac
  done
}

digests_now() {
  [ -r /var/lib/nix-ferry/secrets ] || return 0
  this_boot=$(boot_id)
  while IFS= read -r line; do
    salt=${line%% *} rest=${line#* }
    digest=${rest%% *} rest=${rest#* }
    path=${rest#* }
    case ${rest%% *} in - | "$this_boot") ;; *) digest=- ;; esac
    if [ -x "${path%/*}" ] && [ ! -e "$path" ]; then digest=-; fi
    printf 'secret %s %s %s\n' "$salt" "$digest" "$path"
  done </var/lib/nix-ferry/secrets
}

describe() {
  system=$(running_now)
  printf 'kernel %s\nbootid %s\nsystem %s\nprofile %s\nboot %s\n' \
    "$(uname -r)" "$(boot_id)" "$system" "$(profile_now)" "$(boot_now)"
  if [ -n "$system" ]; then
    parts_of system "$system"
    [ ! -e /run/booted-system ] || parts_of booted "$(readlink -f /run/booted-system)"
    closure=$(closure_of "$system")
    printf '%s\n' "$closure"
    etc=/etc/static
    [ -d $etc ] || etc=$system/etc
    sources_of "$system" "$etc" "$closure"
    (units_of "$etc/systemd/system")
    (etc_of "$etc")
    states_now
  fi
  files_of fstab /etc/fstab
  digests_now
  files_of pending /run/nixos/start-list /run/nixos/restart-list /run/nixos/reload-list
  echo end
}

if [ "${1:-}" != describe ]; then
  echo "nix-ferry-description=1 refused: this key may only describe" && exit 1
elif command -v gzip >/dev/null && command -v base64 >/dev/null; then
  echo 'nix-ferry-description=1 gzip'
  describe 2>/dev/null | gzip -c | base64
else
  echo 'nix-ferry-description=1 plain'
  describe 2>/dev/null
fi
