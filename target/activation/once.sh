# shellcheck shell=sh
# Entries that the boot loader starts once: the default stays what it is, and whatever ends the machine then starts that.

# Whether the boot loader can do this, by which means: systemd-boot | grub; nothing if it cannot. `once_obstacle` says why.
once_loader() {
  if [ -n "$(systemd_boot_default)" ] && command -v bootctl >/dev/null; then
    if [ -d "$loader_root$efi_variables" ]; then echo systemd-boot; fi
  elif [ -n "$(grub_default)" ] && command -v grub-reboot >/dev/null; then
    # Else the default would be the new system for good.
    if grep -q next_entry "$loader_root/boot/grub/grub.cfg" && grub_can_write; then echo grub; fi
  fi
}

# Why it cannot, in words.
once_obstacle() {
  if [ -n "$(systemd_boot_default)" ]; then
    echo 'systemd-boot cannot be set to start an entry once without bootctl and EFI variables'
  elif [ -n "$(grub_default)" ]; then
    echo 'GRUB cannot be set to start an entry once: grub-reboot or its support in grub.cfg is missing, or GRUB cannot write to /boot'
  else
    echo 'the boot loader cannot start an entry once'
  fi
}

# GRUB forgets the entry by writing to its environment block, which it only can on simple file systems.
grub_can_write() {
  case $(stat -f -c %T "$loader_root/boot/grub" 2>/dev/null) in btrfs | zfs) return 1 ;; esac
  case $(df -P "$loader_root/boot/grub" 2>/dev/null | awk 'NR == 2 { print $1 }') in
    /dev/mapper/* | /dev/dm-* | /dev/md*) return 1 ;;
  esac
}

# start_once TOPLEVEL: makes the next boot, and only that, start it. The boot loader must have an entry for it.
start_once() {
  case $(once_loader) in
    systemd-boot)
      entry=$(systemd_boot_entry "$1")
      [ -n "$entry" ] && bounded "$step_limit" bootctl set-oneshot "$entry" && [ "$(efi_variable LoaderEntryOneShot)" = "$entry" ]
      ;;
    grub)
      entry=$(grub_entry "$1")
      [ -n "$entry" ] && bounded "$step_limit" grub-reboot "$entry" && [ "$(grub_next)" = "$entry" ]
      ;;
    *) return 1 ;;
  esac
}

# Takes back what was not used.
forget_once() {
  if [ -n "$(efi_variable LoaderEntryOneShot)" ] && command -v bootctl >/dev/null; then
    bounded "$step_limit" bootctl set-oneshot ''
  fi
  if [ -n "$(grub_next)" ] && command -v grub-editenv >/dev/null; then
    bounded "$step_limit" grub-editenv /boot/grub/grubenv unset next_entry
  fi
}

grub_next() { sed -n 's/^next_entry=//p' "$loader_root/boot/grub/grubenv" 2>/dev/null | head -n 1; }

# The name of the newest entry that starts this toplevel, without its boot counter.
systemd_boot_entry() {
  for file in "$(systemd_boot_esp)"/loader/entries/*.conf "$loader_root"/boot/loader/entries/*.conf; do
    [ -r "$file" ] || continue
    [ "$(sed -n 's/^options/&/p' "$file" | init_toplevel)" = "$1" ] || continue
    name=${file##*/}
    printf '%s.conf\n' "$(printf %s "${name%.conf}" | sed 's/+[0-9]*\(-[0-9]*\)\{0,1\}$//')"
  done | sort -t - -k 3 -n | tail -n 1
}

# The number of the first entry in a submenu that starts this toplevel, as GRUB counts: `1>0`. Not that of an entry at the
# top: there is only the default.
grub_entry() {
  awk -v init="init=$1/init" '
    BEGIN { top = -1 }
    depth == 0 && /^[ \t]*(menuentry|submenu)[ \t]/ { top++; inner = -1 }
    depth == 1 && /^[ \t]*menuentry[ \t]/ { inner++ }
    depth == 2 && inner >= 0 {
      for (i = 1; i <= NF; i++) if ($i == init) { print top ">" inner; exit }
    }
    { line = $0; depth += gsub(/[{]/, "", line); depth -= gsub(/[}]/, "", line) }' "$loader_root/boot/grub/grub.cfg"
}
