# shellcheck shell=sh
# What the boot loader starts by default, read from the files of the loaders that NixOS installs: nothing here changes them.

# Tests put other files below this directory.
loader_root=

# The toplevel that the boot loader starts by default; nothing if that is unknown. If the files of two boot loaders
# disagree, one of them is left over from earlier, and we do not know which.
boot_now() {
  boot_found=''
  for each in "$(systemd_boot_default)" "$(grub_default)" "$(extlinux_default)" "$(init_script_default)"; do
    [ -n "$each" ] || continue
    [ -z "$boot_found" ] || [ "$boot_found" = "$each" ] || return 0
    boot_found=$each
  done
  printf '%s\n' "$boot_found"
}

# The toplevel of the first `init=` on a kernel command line in standard input.
init_toplevel() { sed -n 's|^.*[[:space:]]init=\(/nix/store/[^[:space:]]*\)/init\([[:space:]].*\)\{0,1\}$|\1|p' | head -n 1; }

# The directory with systemd-boot's loader.conf; nothing if there is none.
systemd_boot_esp() {
  for esp in /boot /efi /boot/efi; do
    if [ -r "$loader_root$esp/loader/loader.conf" ]; then
      printf '%s\n' "$loader_root$esp"
      return
    fi
  done
}

# efi_variable NAME: the text of a variable of systemd-boot: four bytes of attributes, then UTF-16. Nothing without it.
efi_variables=/sys/firmware/efi/efivars
efi_variable() {
  variable=$loader_root$efi_variables/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
  if [ -r "$variable" ]; then tail -c +5 "$variable" | tr -d '\000'; fi
}

# loader.conf(5), and the default that bootctl(1) or the menu has set, which comes first. A pattern, or no default, means
# the newest entry by rules that are not worth repeating here.
systemd_boot_default() {
  esp=$(systemd_boot_esp)
  [ -n "$esp" ] || return 0
  entry=$(efi_variable LoaderEntryDefault)
  [ -n "$entry" ] ||
    entry=$(sed -n 's/^[[:space:]]*default[[:space:]]\{1,\}\([^[:space:]]*\).*$/\1/p' "$esp/loader/loader.conf" | tail -n 1)
  entry=${entry%.conf}
  case $entry in '' | *[!A-Za-z0-9._+-]*) return ;; esac
  # With a boot counter, `+3-1`, after its name; the entries may be on another partition than loader.conf.
  for file in "$esp/loader/entries/$entry.conf" "$loader_root/boot/loader/entries/$entry.conf" "$esp/loader/entries/$entry"+*.conf; do
    if [ -r "$file" ]; then
      sed -n 's/^options/&/p' "$file" | init_toplevel
      return
    fi
  done
}

# NixOS's grub.cfg names its default by number (or leaves it to the environment block: then it is not known). Submenus
# count as one entry.
grub_default() {
  [ -r "$loader_root/boot/grub/grub.cfg" ] || return 0
  wanted=$(sed -n -e '/next_entry/d' -e 's/^[[:space:]]*set default=["'\'']\{0,1\}\([^"'\'']*\)["'\'']\{0,1\}[[:space:]]*$/\1/p' \
    "$loader_root/boot/grub/grub.cfg" | tail -n 1)
  case $wanted in '' | *[!0-9]*) return 0 ;; esac
  awk -v wanted="$wanted" '
    depth == 0 && /^[ \t]*(menuentry|submenu)[ \t]/ { count++ }
    { inside = depth > 0 && count == wanted + 1; line = $0; depth += gsub(/[{]/, "", line); depth -= gsub(/[}]/, "", line) }
    inside { print }' "$loader_root/boot/grub/grub.cfg" | init_toplevel
}

extlinux_default() {
  [ -r "$loader_root/boot/extlinux/extlinux.conf" ] || return 0
  awk 'toupper($1) == "DEFAULT" { wanted = $2 }
    toupper($1) == "LABEL" { label = $2 }
    toupper($1) == "APPEND" && label == wanted { print }' "$loader_root/boot/extlinux/extlinux.conf" | init_toplevel
}

# boot.loader.initScript: /sbin/init itself starts the system.
init_script_default() {
  init_script=$loader_root/sbin/init
  [ -f "$init_script" ] && [ ! -L "$init_script" ] && grep -qsI 'created by init-script-builder' "$init_script" || return 0
  sed -n 's|^exec \(/nix/store/[^[:space:]]*\)/init$|\1|p' "$init_script" | head -n 1
}
