#! @shell@
# shellcheck shell=sh disable=SC1008,SC2239,SC2123,SC2194
# Called with the toplevel that is to be booted by default.
set -eu
PATH=@path@
toplevel=$1

case @loader@ in
generic-extlinux-compatible) echo "updating the boot generations directory..." ;;
systemd-boot) echo "updating the systemd-boot entries..." ;;
grub) echo "updating GRUB 2 menu..." ;;
esac

entries=/boot/loader/entries
mkdir -p $entries
default=
known=
for link in /nix/var/nix/profiles/system-*-link; do
  [ -e "$link" ] || continue
  number=${link#/nix/var/nix/profiles/system-}
  number=${number%-link}
  system=$(readlink "$link")
  name=nixos-generation-$number.conf
  known="$known $name"
  if [ "$system" = "$toplevel" ]; then default=$name; fi
  [ -e "$entries/$name" ] && [ "$system" = "$(sed -n 's/^# //p' "$entries/$name")" ] && continue
  cat > "$entries/$name.tmp" <<END
title NixOS
version Generation $number NixOS $(cat "$system/nixos-version")
linux $(readlink -f "$system/kernel")
options init=$system/init $(cat "$system/kernel-params")
# $system
END
  mv "$entries/$name.tmp" "$entries/$name"
done

for entry in "$entries"/nixos-generation-*.conf; do
  name=${entry##*/}
  case " $known " in
  *" $name "*) ;;
  *) rm -f "$entry" ;;
  esac
done

# Without a generation in the profile the toplevel itself is the default.
printf 'timeout %s\ndefault %s\n' '@timeout@' "${default:-$toplevel}" > /boot/loader/loader.conf.tmp
mv /boot/loader/loader.conf.tmp /boot/loader/loader.conf
