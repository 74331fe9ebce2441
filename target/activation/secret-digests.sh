# shellcheck shell=sh disable=SC2154
# Digests of the secrets that this machine has got, in the file `secrets` in $records, for previews to compare with. Everybody
# may read them: only the holder of the signing key knows the key that they are made with (src/deploy/secrets/digest.ts).
#
# A line is `SALT DIGEST BOOT DESTINATION`; BOOT is the boot ID for a secret that a reboot removes, `-` for any other.

# keep_digests ID: of the secrets of this run, whose contents stay; those of other contents are forgotten. The file
# activating.kept says which secrets have changed.
keep_digests() {
  staged=$runs/$1.secrets
  [ -e $records/secrets ] || ls "$staged"/*.digest >/dev/null 2>&1 || return 0
  {
    for_secrets print_digest
    sed -n -e 's/^change [0-9]* /gone /p' -e 's/^create [0-9]* /gone /p' $records/activating.kept
    sed 's/^/old /' $records/secrets
  } 2>/dev/null | awk '
    function after(words) { text = $0; while (words-- > 0) sub(/^[^ ]* /, "", text); return text }
    $1 == "new" { known[after(4)] = 1; print after(1) }
    $1 == "gone" { known[after(1)] = 1 }
    $1 == "old" && !(after(4) in known) { print after(1) }' | (umask 022 && store $records/secrets)
}

print_digest() {
  [ -e "$staged/$1.digest" ] || return 0
  boot=-
  [ -z "$(print_volatile "$1")" ] || boot=$(boot_id)
  printf 'new %s %s %s\n' "$(secret "$1" digest)" "$boot" "$(secret "$1" destination)"
}
