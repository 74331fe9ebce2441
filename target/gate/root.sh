# shellcheck shell=sh
# The half of the gate that root runs: what it does is decided by what is signed, not by who asks. It has no arguments. Its
# request comes on standard input:
#
#   KEY VERB [WORD…]       KEY is the fingerprint of the client's key, from gate.sh
#   @ NAME                 begins a value, which follows in base64
#   .                      is the last line
#
# VALUES of `run`: those of target/activation/main.sh, some of them in fewer characters, except what the signed order says
# (below); and `checks`, with a line `KEY BASE64` for each key of a check. `stage` has `who`, `lock-wait`, `key` (only to compare), `secrets`, with a line
# `N.FIELD BASE64` for each field of a secret (target/activation/secrets.sh), `N.content` and `N.digest`. `reject` has `reason`. `run`, `stage`
# and `compare` have an order. Other verbs have no values.
#
# THE ORDER says which system belongs on which machine. It has the fields `host`, `toplevel`, `commit`, `repository`, `branch`
# and `committed` of an archive's manifest (schemas/manifest-1.json), which is an order too. A manifest does not have the fields
# `checks` and `secrets`, the digests of the values of these names; and `contents`, the digest of a line `N.content SHA-256`
# for each content of a secret. The order comes as a store object in four values of a .narinfo: `order.path`, `order.hash`
# (NarHash), `order.size` (NarSize), `order.signature`; and `order.nar`.
#
# SETTINGS, a file with a line `NAME VALUE` for each:
#   shell         the shell that sudo may run this script with
#   socket        instead: the socket behind which serve.sh runs it
#   host          the name of this machine in orders
#   signing-keys  public keys in Nix's form, separated by spaces. One of them must have signed the order
#   cache-keys    the paths of its closure may also be signed by one of these
#   allow-older   true: an order may be older than what was deployed last
set -fu
umask 077
PATH=/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
LC_ALL=C
export PATH HOME LC_ALL
directory=${0%/*}
# Bytes of a request: an order lists its whole closure.
most=33554432
request='' staging=''

log_refusal() {
  logger -t nix-ferry-gate -p auth.warning -- "refused ${key:-a key}: $1; asked for: ${verb:-nothing} ${id:-}" 2>/dev/null
}

leave() {
  [ -z "$request" ] || rm -rf "$request"
  [ -z "$staging" ] || rm -rf "$staging"
}

refuse() {
  log_refusal "$1"
  printf 'nix-ferry-gate: %s\n' "$1" >&2
  leave
  exit 77
}

setting() { sed -n "s/^$1 //p" "$directory/settings" | head -n 1; }

# Writes the values to files.
read_values() {
  # shellcheck disable=SC2016 # For awk.
  head -c $most | (cd "$request" && awk '
    function finish() { if (command != "" && close(command) != 0) failed = 1; command = "" }
    failed { next }
    $1 == "@" {
      finish()
      if (NF != 2 || $2 !~ /^([a-z][a-z0-9-]*([.][a-z]+)?|[0-9]+[.](content|digest))$/ || length($2) > 40 || $2 in seen) { failed = 1; next }
      seen[$2] = 1
      command = "base64 -d >" $2 " 2>/dev/null"
      printf "" | command
      next
    }
    $0 == "." { finish(); whole = 1; exit }
    command == "" || $0 !~ /^[A-Za-z0-9+\/=]+$/ { failed = 1; next }
    { print | command }
    END { finish(); exit failed || !whole }')
}

# value NAME: what the request says; nothing if it does not. Only for values without newlines.
value() { [ ! -e "$request/$1" ] || head -n 1 "$request/$1"; }

newline='
'

# matches TEXT PATTERN: whether all of it matches; grep sees each line for itself.
matches() {
  case $1 in *"$newline"*) return 1 ;; esac
  printf '%s\n' "$1" | grep -Eqx -e "$2"
}

# Checks the order and writes it to $request/order. Its entry is made here, without the field that would make it valid by its
# content alone, so that only a signature does.
check_order() {
  path=$(value order.path) hash=$(value order.hash) size=$(value order.size) signature=$(value order.signature)
  keys=$(setting signing-keys)
  [ -e "$request/order.nar" ] || refuse 'the request has no signed order'
  matches "$path" '/nix/store/[0-9a-z]{32}-[A-Za-z0-9._-]{1,100}' || refuse 'the path of the order is damaged'
  matches "$hash" 'sha256:[0-9a-z]{52}' || refuse 'the hash of the order is damaged'
  matches "$size" '[0-9]{1,10}' || refuse 'the size of the order is damaged'
  matches "$signature" '[A-Za-z0-9._-]{1,200}:[A-Za-z0-9+/]{86}==' || refuse 'the signature of the order is damaged'
  name=${path#/nix/store/}
  cache=$request/cache
  mkdir "$cache" && echo 'StoreDir: /nix/store' >"$cache/nix-cache-info" && mv "$request/order.nar" "$cache/order.nar" &&
    printf '%s\n' "StorePath: $path" 'URL: order.nar' 'Compression: none' "NarHash: $hash" "NarSize: $size" 'References: ' \
      "Sig: $signature" >"$cache/$(printf %.32s "$name").narinfo"
  # Without its own secret keys, which Nix would trust too.
  nix --extra-experimental-features nix-command store verify --store "file://$cache" --sigs-needed 1 \
    --option trusted-public-keys "$keys" --option secret-key-files '' "$path" >"$request/said" 2>&1 ||
    refuse "the order is not signed by a key of this machine (it is signed by ${signature%%:*})"
  nix-store --restore "$request/order" <"$cache/order.nar" 2>/dev/null || refuse 'the order cannot be unpacked'
  if [ -L "$request/order" ] || [ ! -f "$request/order" ]; then refuse 'the order is not a file'; fi
}

# ordered KEY: a text or number in the order, which has one field a line; nothing if it is null.
ordered() {
  sed -n "s/^ \"$1\": //p" "$request/order" | head -n 1 | sed -e 's/,$//' -e 's/^null$//' -e 's/^"\(.*\)"$/\1/'
}

# What a value may be: nothing in it means anything to a shell.
check_value() {
  store_path='/nix/store/[0-9a-z]{32}-[A-Za-z0-9+._?=-]{1,211}'
  case $1 in
    mode | failed-units | reboot) pattern='[a-z][a-z-]{1,20}' ;;
    nonce | key) pattern='[0-9a-f]{16,64}' ;;
    digest) pattern='[0-9a-f]{32} [0-9a-f]{64}' ;;
    expect)
      # At most two lines.
      set -- expect "${2%%"$newline"*}" "${2#*"$newline"}"
      matches "$3" "($store_path)?" || refuse 'the value of expect is damaged'
      pattern="($store_path)?"
      ;;
    run) pattern='https?://[A-Za-z0-9][A-Za-z0-9._/:%-]{1,300}' ;;
    who) pattern='[A-Za-z0-9_][]A-Za-z0-9 ._/:@#()[+,-]{0,299}' ;;
    *) pattern='[0-9]{1,9}' ;;
  esac
  matches "$2" "$pattern" || refuse "the value of $1 is damaged"
}

# Reads an order for this machine.
read_order() {
  check_order
  host=$(setting host)
  named=$(ordered host)
  [ "$named" = "$host" ] || refuse "the order is for $(printf %s "$named" | head -c 100 | tr -c ' -~' '?'), and this machine is $host"
  toplevel=$(ordered toplevel)
  matches "$toplevel" '/nix/store/[0-9a-z]{32}-[A-Za-z0-9+._?=-]{1,211}' || refuse 'the order has no system'
  committed=$(ordered committed)
  case $committed in *[!0-9]*) refuse 'the time of the commit in the order is not a number' ;; esac
}

read_who() {
  who=$(head -c 10000 "$request/who" 2>/dev/null && echo .)
  who=${who%.}
  check_value who "$who"
}

# check_digest NAME: whether this value is the one of the order. Checks and secrets have commands that root runs, and files
# that it writes: only those in the order, and all of them.
check_digest() {
  [ -e "$request/$1" ] || : >"$request/$1"
  digest=''
  [ ! -s "$request/$1" ] || digest=sha256:$(sha256sum <"$request/$1" | sed 's/ .*//')
  [ "$digest" = "$(ordered "$1")" ] || refuse "the $1 are not those of the order"
}

# check_contents: whether the contents of secrets are those of the order. The deploy key alone must not replace them.
check_contents() {
  set -- "$(cd "$request" && find . -name '*.content' | sed 's|^[.]/||' | sort -n)"
  if [ -z "$1" ]; then
    [ -e "$request/key" ] || [ ! -s "$request/secrets" ] || refuse 'the secrets have no contents'
    return
  fi
  [ ! -e "$request/key" ] || refuse 'secrets that are only compared have contents'
  digest=$(for name in $1; do printf '%s %s\n' "$name" "$(sha256sum <"$request/$name" | sed 's/ .*//')"; done | sha256sum | sed 's/ .*//')
  [ "sha256:$digest" = "$(ordered contents)" ] || refuse 'the contents of the secrets are not those of the order'
}

# Puts secrets where the activation script looks for them; activations look at the age of an order themselves.
stage() {
  deployed=$(sed -n 's/^ "committed": \([0-9]*\),*$/\1/p' /var/lib/nix-ferry/deployed.json 2>/dev/null | head -n 1)
  [ -z "$deployed" ] || [ "$(setting allow-older)" = true ] || [ "${committed:-0}" -ge "$deployed" ] ||
    refuse 'the order is older than what was deployed last'
  check_contents
  text=$(value lock-wait)
  check_value lock-wait "$text"
  if ! mkdir -p "$runs" || ! mkdir "$runs/$id.secrets"; then refuse "the secrets of $id are here already"; fi
  staging=$runs/$id.secrets
  printf '%s' "$who (key $key)" >"$staging/0.who"
  printf '%s' "$text" >"$staging/0.wait"
  printf '%s' "$path" >"$staging/0.order"
  if [ -e "$request/key" ]; then
    text=$(value key)
    check_value key "$text"
    printf '%s' "$text" >"$staging/0.key"
  fi
  while read -r name base64; do
    matches "$name" '[1-9][0-9]{0,3}[.](name|destination|user|group|mode|when|mkdirs|action)' || refuse 'the secrets are damaged'
    printf '%s' "$base64" | base64 -d >"$staging/$name" 2>/dev/null || refuse 'the secrets are damaged'
  done <"$request/secrets"
  set +f
  for file in "$request"/*.content; do
    [ -e "$file" ] || continue
    number=${file##*/}
    [ -e "$staging/${number%.content}.destination" ] || refuse 'a content belongs to no secret of the order'
    mv "$file" "$staging/" || refuse 'the secrets could not be written'
    file=$request/${number%.content}.digest
    [ -e "$file" ] || continue
    digest=$(cat "$file")
    check_value digest "$digest"
    mv "$file" "$staging/" || refuse 'the secrets could not be written'
  done
  staging=''
  echo staged=yes
}

# The secrets of a run are those of its order.
check_staged() {
  [ ! -d "$runs/$id.secrets" ] || [ "$(cat "$runs/$id.secrets/0.order" 2>/dev/null)" = "$path" ] ||
    refuse 'the secrets of the run belong to another order'
}

read_request() {
  IFS= read -r line || refuse 'the request is empty'
  case $line in *[!A-Za-z0-9:+/=\ -]*) refuse 'the request is damaged' ;; esac
  # shellcheck disable=SC2086 # Words; their characters are harmless.
  set -- $line
  case $# in 2 | 3 | 4) ;; *) refuse 'the request is damaged' ;; esac
  key=$1 verb=$2 id=${3:-} word=${4:-}
  for each in "$id" "$word"; do
    case $each in -* | *[!a-z0-9-]*) refuse 'a word of the request is damaged' ;; esac
  done
  if [ ${#id} -gt 64 ] || [ ${#word} -gt 64 ]; then refuse 'a word of the request is too long'; fi
  case $verb in
    watch | resume) case $word in '' | *[!0-9]* | ??????????*) refuse 'not a number of lines' ;; esac ;;
  esac
  request=$(mktemp -d /run/nix-ferry-gate.XXXXXXXX) || refuse 'the request cannot be kept in /run'
  trap leave EXIT
  trap 'leave; exit 1' HUP INT TERM
  read_values || refuse 'the values of the request are damaged, or too large'
}

runs=/run/nix-ferry
read_request
case $verb in
  probe | settle) set -- "$verb" ;;
  finish) set -- finish "$id" ;;
  watch | resume | confirm) set -- "$verb" "$id" "$word" ;;
  stage)
    read_order
    read_who
    check_digest secrets
    stage
    exit
    ;;
  secrets) set -- secrets "$id" ;;
  compare)
    read_order
    check_staged
    set -- compare "$id" "$toplevel"
    ;;
  reject) set -- reject "$id" "$(printf %s "$(value reason)" | head -c 500 | tr -c '[:alnum:] ._/:@#()+,-' '?')" ;;
  run)
    [ ! -e "$runs/$id" ] || refuse "the run $id exists already"
    read_order
    read_who
    check_digest checks
    check_staged
    set -- run "$id" "toplevel=$toplevel" "host=$host" "committed=$committed" "order=strict" \
      "signed-by=$(setting signing-keys) $(setting cache-keys)" "allow-older=$(setting allow-older)" \
      "who=$who (key $key)"
    [ ! -d "$runs/$id.secrets" ] || set -- "$@" secrets=true
    for name in commit repository branch; do set -- "$@" "$name=$(ordered $name)"; done
    for name in mode expect nonce confirm failed-units lock-wait activate-limit health-limit reboot reboot-limit run; do
      [ -e "$request/$name" ] || continue
      # A line may be empty, the last one too.
      text=$(head -c 10000 "$request/$name" && echo .)
      text=${text%.}
      check_value "$name" "$text"
      set -- "$@" "$name=$text"
    done
    while read -r name base64; do
      matches "$name" '(check|health)-[0-9]{1,4}[.](command|description|timeout|period)' || refuse 'the checks are damaged'
      text=$(printf '%s' "$base64" | base64 -d 2>/dev/null && echo .) || refuse 'the checks are damaged'
      set -- "$@" "$name=${text%.}"
    done <"$request/checks"
    ;;
  *) refuse "$verb is not a verb" ;;
esac
leave
request=''
trap - EXIT HUP INT TERM
set +fu
self=$(cat "$directory/activate")
eval "$self"
