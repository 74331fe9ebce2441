# shellcheck shell=sh
# The part of systemd's bootctl that is needed: `set-oneshot ENTRY` and `set-default ENTRY`. As there, an empty ENTRY deletes
# the variable. It writes the variables that systemd-boot reads: four bytes of attributes, then null-terminated UTF-16.
case ${1-} in
set-oneshot) variable=LoaderEntryOneShot ;;
set-default) variable=LoaderEntryDefault ;;
*)
  echo "Unknown command verb '${1-}'." >&2
  exit 1
  ;;
esac
directory=/sys/firmware/efi/efivars
if [ ! -d $directory ]; then
  echo "Not booted with UEFI." >&2
  exit 1
fi
file=$directory/$variable-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
rm -f $file
[ -n "$2" ] || exit 0
{
  printf '\007\000\000\000'
  printf %s "$2" | sed 's/./&\n/g' | while read -r character; do printf '%s\000' "$character"; done
  printf '\000\000'
} > $file
