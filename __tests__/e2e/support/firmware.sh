#!/usr/bin/env bash
# Replaces a machine's firmware, boot loader and kernel, which cannot run in namespaces: reads the files of the boot loader
# that is installed below ROOT and prints the path of the init that the chosen entry starts. Prints nothing if no boot loader
# is installed; prints a message and exits with 1 if the chosen entry cannot be booted.
#
# A kernel panics if it finds no init. With `panic=N` it then reboots, which is another choice of an entry; without it, it
# stays as it is. Here it gives up after the third panic.
#
#   systemd-boot   /boot/loader: the variables LoaderEntryOneShot (which is deleted) and LoaderEntryDefault, then
#                  `default` of loader.conf, a pattern; EFIVARS is the directory of the variables, as in efivarfs
#   GRUB           /boot/grub/grub.cfg: `next_entry` of grubenv (which is deleted), then the default that it sets
#   U-Boot         /boot/extlinux/extlinux.conf: DEFAULT
#
# usage: firmware.sh ROOT EFIVARS
set -euo pipefail
root=$1 variables=$2
guid=4a67b082-0a4c-41cf-b6c7-440b29bb8c4f

stop() {
  echo "firmware: $1" >&2
  exit 1
}

# panic WHY PARAMETER…
panics=0
panic() {
  echo "firmware: kernel panic: $1" >&2
  shift
  panics=$((panics + 1))
  # Negative: at once. 0: never.
  if [[ " $* " =~ \ panic=-?[1-9][0-9]*\  ]] && [ $panics -lt 3 ]; then
    echo 'firmware: the kernel reboots' >&2
    choose
  fi
  exit 1
}

# An EFI variable: four bytes of attributes, then UTF-16 that ends with a null character.
variable() { if [ -e "$variables/$1-$guid" ]; then tail -c +5 "$variables/$1-$guid" | tr -d '\0'; fi; }

# boot KERNEL PARAMETER…: prints the value of init=. The kernel is a path below ROOT.
boot() {
  local kernel=$1 parameter
  shift
  [ -s "$root$kernel" ] || stop "the kernel $kernel does not exist"
  for parameter; do
    case $parameter in
      init=*)
        [ -x "$root${parameter#init=}" ] || panic "${parameter#init=} is not there" "$@"
        echo "${parameter#init=}"
        exit 0
        ;;
    esac
  done
  stop 'the entry has no init='
}

systemd_boot() {
  local loader=$root/boot/loader entry='' candidate
  candidate=$(variable LoaderEntryOneShot)
  rm -f "$variables/LoaderEntryOneShot-$guid"
  for candidate in "$candidate" "$(variable LoaderEntryDefault)" "$(sed -n 's/^default  *//p' "$loader/loader.conf")"; do
    [ -n "$candidate" ] || continue
    # Of several that match the pattern, the newest.
    entry=$(cd "$loader/entries" && find . -name "$candidate" | sort -V | tail -n 1)
    if [ -n "$entry" ]; then break; fi
  done
  if [ -z "$entry" ]; then entry=$(cd "$loader/entries" && find . -name '*.conf' | sort -V | tail -n 1); fi
  [ -n "$entry" ] || stop 'there is no entry to boot'
  # shellcheck disable=SC2046
  boot "/boot$(sed -n 's/^linux  *//p' "$loader/entries/$entry")" $(sed -n 's/^options  *//p' "$loader/entries/$entry")
}

grub() {
  local directory=$root/boot/grub chosen='' line
  if [ -s "$directory/grubenv" ]; then
    chosen=$(sed -n 's/^next_entry=//p' "$directory/grubenv")
    sed -i '/^next_entry=/d' "$directory/grubenv"
  fi
  [ -n "$chosen" ] || chosen=$(sed -n 's/^ *set default=\([0-9].*\)$/\1/p' "$directory/grub.cfg" | tail -n 1)
  # An entry's number is counted from 0, in a submenu from 0 again: 1>0.
  line=$(awk -v chosen="$chosen" '
    /^submenu / { within = count++; inside = 0; submenu = 1 }
    /^ *menuentry / {
      id = submenu ? within ">" inside++ : count++
      title = $0
      gsub(/^[^"]*"|".*$/, "", title)
    }
    /^ *linux / && (id == chosen || title == chosen) { sub(/^ *linux +/, ""); print; exit }
  ' "$directory/grub.cfg")
  [ -n "$line" ] || stop "GRUB has no entry $chosen"
  # shellcheck disable=SC2086
  boot $line
}

extlinux() {
  local file=$root/boot/extlinux/extlinux.conf label
  label=$(sed -n 's/^DEFAULT  *//p' "$file")
  # shellcheck disable=SC2046
  boot $(awk -v label="$label" '
    $1 == "LABEL" { found = $2 == label }
    found && $1 == "LINUX" { kernel = $2 }
    found && $1 == "APPEND" { sub(/^ *APPEND +/, ""); sub(/^\.\./, "/boot", kernel); print kernel, $0 }
  ' "$file")
}

choose() {
  if [ -e "$root/boot/loader/loader.conf" ]; then
    systemd_boot
  elif [ -e "$root/boot/grub/grub.cfg" ]; then
    grub
  elif [ -e "$root/boot/extlinux/extlinux.conf" ]; then
    extlinux
  fi
}

choose
