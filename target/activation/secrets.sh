# shellcheck shell=sh
# Secrets: files that must not be in the store. target/stage.sh has put them into the directory $runs/ID.secrets, which only
# root can read and which is in memory: for each secret, numbered from 1, N.name, N.destination, N.user, N.group, N.mode,
# N.when (pre | post), N.mkdirs (true | false), N.action (a command, or empty), N.content and, for secret-digests.sh, N.digest;
# 0.who is who sends them.
# Without contents, 0.key is what digests are made with.
#
# While secrets are replaced, activating.secrets in $records says which, so that whatever ends this, a loss of power too, they
# can be taken back: the run ID, then lines `change|create NUMBER DESTINATION`, `action NUMBER COMMAND` and `made - DIRECTORY`. The new file and the
# old one are next to the destination, as .nix-ferry-ID-NUMBER.new and .before. Contents are never anywhere else.
# Once it is called activating.kept, they stay, and only the old files are still to be removed.

secret() { cat "$staged/$1.$2"; }

# for_secrets FUNCTION [pre|post]: calls it with each number, of those only.
for_secrets() {
  number=1
  while [ -e "$staged/$number.destination" ]; do
    if [ $# = 1 ] || [ "$(secret $number when)" = "$2" ]; then "$1" $number || return; fi
    number=$((number + 1))
  done
}

next_to() { printf '%s/.nix-ferry-%s-%s.%s\n' "${1%/*}" "$2" "$3" "$4"; }

# What is wrong with the secrets on this machine, in words, one line each; nothing if they can be written.
secret_problems() { for_secrets problems_of_secret; }

problems_of_secret() {
  path=$(secret "$1" destination) user=$(secret "$1" user) group=$(secret "$1" group)
  wrong=$(directory_problem "${path%/*}" "$(secret "$1" mkdirs)")
  if [ -z "$wrong" ] && { [ -L "$path" ] || { [ -e "$path" ] && [ ! -f "$path" ]; }; }; then
    wrong="$path is not a regular file"
  fi
  printf '' >"$staged/$1.probe"
  if ! chown "$user" "$staged/$1.probe" 2>/dev/null; then
    late_owner "$1" user "$user" || wrong="${wrong:+$wrong, }there is no user $user"
  elif ! chown ":$group" "$staged/$1.probe" 2>/dev/null; then
    late_owner "$1" group "$group" || wrong="${wrong:+$wrong, }there is no group $group"
  fi
  if [ -n "$wrong" ]; then printf '%s: %s\n' "$(secret "$1" name)" "$wrong"; fi
}

# late_owner NUMBER user|group NAME: whether the new system makes this user or group. The secret then belongs to root until the
# system was activated.
late_owner() {
  [ -n "${toplevel:-}" ] || return
  {
    sed -n 's|^.*\(/nix/store/[^" ]*users-groups\.json\).*$|\1|p' "$toplevel/activate"
    sed -n 's|^.*\(/nix/store/[^" ]*userborn[^" ]*\.json\).*$|\1|p' "$toplevel/etc/systemd/system/userborn.service"
  } 2>/dev/null >"$staged/0.accounts"
  found=''
  while read -r accounts; do
    if grep -qsF "\"name\":\"$3\"" "$accounts"; then found=yes; fi
  done <"$staged/0.accounts"
  case $2 in user) kind=u ;; *) kind='[ug]' ;; esac
  if grep -qs -e "^$kind!\{0,1\}[[:space:]]\{1,\}$3[[:space:]]" "$toplevel"/etc/sysusers.d/*.conf; then found=yes; fi
  [ -z "$found" ] || : >"$staged/$1.late"
  [ -n "$found" ]
}

# directory_problem DIRECTORY MKDIRS: why nothing is written there. Whoever may write to a directory on the way could lead a
# secret to another place, or read another file in its name.
directory_problem() {
  existing=${1:-/}
  while [ ! -e "$existing" ] && [ ! -L "$existing" ]; do
    existing=${existing%/*}
    existing=${existing:-/}
  done
  if [ ! -d "$existing" ]; then
    echo "$existing is not a directory"
  elif [ "$existing" != "${1:-/}" ] && [ "$2" != true ]; then
    echo "the directory $1 does not exist"
  else
    writable_by_others "$existing" || writable_by_others "$(readlink -f "$existing")" || :
  fi
}

writable_by_others() {
  each=$1
  while :; do
    facts=$(stat -L -c '%u %g %a' "$each") || facts='unknown'
    case $facts in
      0\ *[2367]) others='everyone' ;;
      0\ 0\ *) others='' ;;
      0\ *[2367]?) others='its group' ;;
      0\ *) others='' ;;
      *) others='a user other than root' ;;
    esac
    if [ -n "$others" ]; then
      echo "$others may write to $each: choose a destination below directories that only root may write to"
      return
    fi
    [ "$each" != / ] || return 1
    each=${each%/*}
    each=${each:-/}
  done
}

# state_of_secret NUMBER: sets `state`: missing, content (it differs), attributes (only owner or mode differ) or same.
state_of_secret() {
  path=$(secret "$1" destination)
  if [ ! -f "$path" ]; then
    state=missing
  elif [ -e "$staged/$1.content" ] && ! cmp -s "$path" "$staged/$1.content"; then
    state=content
  elif [ -e "$staged/$1.late" ] || ! same_attributes "$1" "$path"; then
    state=attributes
  else
    state=same
  fi
}

# The probe has the owner that the secret is to have (problems_of_secret).
same_attributes() {
  chmod "$(secret "$1" mode)" "$staged/$1.probe"
  [ "$(stat -c '%u %g %a' "$2")" = "$(stat -c '%u %g %a' "$staged/$1.probe")" ]
}

# begin_secrets: before the first prepare_secret.
begin_secrets() {
  (umask 022 && mkdir -p $records)
  printf '%s\n' "$id" | store $records/activating.secrets &&
    printf '' >"$staged/changed" && printf '' >"$staged/ran"
}

# prepare_secret NUMBER: writes the new file next to the destination, if they differ. Nothing that is used changes.
prepare_secret() {
  state_of_secret "$1"
  [ $state != same ] || return 0
  case $state in missing) kind=create ;; *) kind=change ;; esac
  make_directories "${path%/*}" || return
  {
    printf '%s %s %s\n' $kind "$1" "$path"
    action=$(secret "$1" action)
    if [ -n "$action" ] && [ $state != attributes ]; then printf 'action %s %s\n' "$1" "$action"; fi
  } >>$records/activating.secrets && flush $records/activating.secrets || return
  new=$(next_to "$path" "$id" "$1" new)
  rm -f "$new"
  # The owner and the mode come before the content.
  (set -C && : >"$new") && own_secret "$1" "$new" && chmod "$(secret "$1" mode)" "$new" &&
    cat "$staged/$1.content" >"$new" && flush "$new" || return
  echo "$state" >"$staged/$1.state"
}

own_secret() { [ -e "$staged/$1.late" ] || chown "$(secret "$1" user):$(secret "$1" group)" "$2"; }

make_directories() {
  [ ! -d "${1:-/}" ] || return 0
  make_directories "${1%/*}" || return
  printf 'made - %s\n' "$1" >>$records/activating.secrets && flush $records/activating.secrets && (umask 022 && mkdir "$1")
}

# place_secret NUMBER: puts the prepared file into place, by one rename, so that a reader sees either the old or the new one.
place_secret() {
  [ -e "$staged/$1.state" ] || return 0
  path=$(secret "$1" destination)
  if [ "$(cat "$staged/$1.state")" != missing ]; then
    old=$(next_to "$path" "$id" "$1" before)
    rm -f "$old" && ln "$path" "$old" || return
  fi
  mv -f "$(next_to "$path" "$id" "$1" new)" "$path" && flush "${path%/*}" && echo "$1" >>"$staged/changed"
}

# prepare_secrets pre|post, place_secrets pre|post: false if one cannot be written; `failed_secret` is then its name.
prepare_secrets() { named_secrets prepare_secret "$1"; }
place_secrets() { named_secrets place_secret "$1"; }
named_secrets() {
  if for_secrets "$@" 2>"$staged/errors"; then return; fi
  failed_secret="the secret $(secret "$number" name) could not be written to $(secret "$number" destination): $(tail -n 1 "$staged/errors")"
  return 1
}

# Gives secrets to users and groups that only the new system has.
own_late_secrets() { for_secrets own_late_secret; }
own_late_secret() {
  if [ ! -e "$staged/$1.late" ]; then return; fi
  path=$(secret "$1" destination)
  rm -f "$staged/$1.late"
  # The others are written with their owner, later.
  [ "$(secret "$1" when)" = pre ] || return 0
  if own_secret "$1" "$path" 2>>"$log" && chmod "$(secret "$1" mode)" "$path"; then return; fi
  failed_secret="the owner of $(secret "$1" name) could not be set"
  return 1
}

# run_secret_actions pre|post: the actions of secrets with new content, each once; `failed_secret` says which failed.
run_secret_actions() { for_secrets run_secret_action "$1"; }
run_secret_action() {
  action=$(secret "$1" action)
  [ -n "$action" ] && grep -qx "$1" "$staged/changed" && [ "$(cat "$staged/$1.state")" != attributes ] || return 0
  while read -r ran; do
    if cmp -s "$staged/$ran.action" "$staged/$1.action"; then return; fi
  done <"$staged/ran"
  echo "$1" >>"$staged/ran"
  say "secret $(secret "$1" name) is new: $action"
  run_action "$action" || {
    failed_secret="the action of $(secret "$1" name) $(how_it_ended)"
    return 1
  }
}

run_action() {
  bounded "$step_limit" env "PATH=/run/wrappers/bin:/run/current-system/sw/bin:$PATH" sh -c "$1"
}

# The numbers of the secrets that were written, separated by blanks.
changed_secrets() { tr '\n' ' ' 2>/dev/null <"$runs/$1.secrets/changed" | sed 's/ $//'; }

# The numbers of the secrets that a reboot removes: those on a file system in memory.
volatile_secrets() {
  staged=$runs/$1.secrets
  for_secrets print_volatile | tr '\n' ' ' | sed 's/ $//'
}
print_volatile() {
  existing=$(secret "$1" destination)
  while [ ! -d "$existing" ]; do
    existing=${existing%/*}
    existing=${existing:-/}
  done
  kind=$(awk -v path="$(readlink -f "$existing")/" '
    { point = $2; if (point != "/") point = point "/"
      if (index(path, point) == 1 && length(point) >= longest) { longest = length(point); kind = $3 } }
    END { print kind }' /proc/mounts)
  case $kind in tmpfs | ramfs) echo "$1" ;; esac
}

# Takes back what was written, whatever interrupted it. May be repeated after it was cut. False if something could not be.
restore_secrets() {
  remove_replaced
  [ -e $records/activating.secrets ] || return 0
  say 'taking the secrets back'
  restored=yes
  { read -r owner && while IFS= read -r line; do
    rest=${line#* }
    path=${rest#* }
    restore_secret "${line%% *}" "${rest%% *}" "$path" || restored=''
  done; } <$records/activating.secrets
  if [ -e "$here/restored" ]; then
    while read -r restored_number; do sed -n "s/^action $restored_number //p" $records/activating.secrets; done <"$here/restored" |
      sort -u >"$here/restored.actions"
    rm -f "$here/restored"
  fi
  # The last one made is the innermost.
  sed -n 's/^made - //p' $records/activating.secrets | sort -r | while IFS= read -r made; do rmdir "$made" 2>/dev/null; done
  [ -n "$restored" ] && rm -f $records/activating.secrets "$runs/$owner.secrets/changed" && flush $records
}

restore_secret() {
  case $1 in made | action) return 0 ;; esac
  rm -f "$(next_to "$3" "$owner" "$2" new)"
  if [ "$1" = create ]; then
    if [ -e "$3" ]; then echo "$2" >>"$here/restored" && rm -f "$3"; fi
  else
    old=$(next_to "$3" "$owner" "$2" before)
    # Until the new file is in its place, both are one file, which some `mv` refuse to rename.
    if [ "$(stat -c %d:%i "$old" 2>/dev/null)" = "$(stat -c %d:%i "$3" 2>/dev/null)" ]; then
      rm -f "$old"
    elif [ -e "$old" ]; then
      echo "$2" >>"$here/restored" && mv -f "$old" "$3"
    fi
  fi 2>>"$log" && flush "${3%/*}"
}

# Takes back what a run that nobody works on any more has written, and runs the actions again that may have read it.
restore_cut_secrets() {
  owner=''
  restore_secrets || return
  run_restored_actions
  [ -z "$owner" ] || [ "$owner" = "${id:-}" ] || rm -rf "${runs:?}/$owner" "$runs/$owner.secrets"
}

run_restored_actions() {
  [ -e "$here/restored.actions" ] || return 0
  while IFS= read -r action; do
    say "a secret was taken back: $action"
    run_action "$action"
  done <"$here/restored.actions"
  rm -f "$here/restored.actions"
}

# After the way back: the actions that have read the new secrets read the old ones.
repeat_secret_actions() {
  staged=$runs/$1.secrets
  [ -e "$staged/ran" ] || return 0
  while read -r ran; do
    say "secret $(secret "$ran" name) was taken back: $(secret "$ran" action)"
    run_action "$(secret "$ran" action)"
  done <"$staged/ran"
  rm -f "$staged/ran"
}

# The secrets stay: from one moment on, all of them.
keep_secrets() {
  if [ -e $records/activating.secrets ]; then
    mv -f $records/activating.secrets $records/activating.kept && flush $records
  fi
  remove_replaced
}

remove_replaced() {
  [ -e $records/activating.kept ] || return 0
  { read -r owner && while IFS= read -r line; do
    rest=${line#* }
    case $line in change\ *) rm -f "$(next_to "${rest#* }" "$owner" "${rest%% *}" before)" ;; esac
  done; } <$records/activating.kept
  keep_digests "$owner"
  rm -f $records/activating.kept && flush $records
}
