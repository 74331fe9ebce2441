# shellcheck shell=sh disable=SC2154
# What a machine is, and whether it can have a gate: a part of setup.sh. Nothing here changes the machine.

look() {
  answer hostname "$(cat /proc/sys/kernel/hostname)"
  answer nix "$(nix-store --version 2>/dev/null | sed -n '1s/.* //p')"
  answer owner "$(owner)"
  answer version "$(version)"
  answer obstacle "$(obstacle)"
  answer end look
}

# Why the machine cannot have a gate; nothing if it can.
obstacle() {
  if [ "$(id -u)" != 0 ]; then
    echo 'this needs root'
  elif [ ! -e /etc/NIXOS ]; then
    echo 'it does not run NixOS'
  elif ! systemctl show --property=Version >/dev/null 2>&1; then
    echo 'systemd does not run there'
  elif [ -e /var/lib/nix-ferry/activating.json ]; then
    echo 'an activation is in progress there, or was cut: the next deployment settles it'
  else
    if [ -z "$(netcat)" ]; then
      echo 'there is no netcat of OpenBSD (nc), which every NixOS system has by default'
      return
    fi
    if [ -z "$(setpriv)" ]; then
      echo 'there is no setpriv of util-linux, which every NixOS system has by default'
      return
    fi
    for program in flock awk base64 ssh-keygen nix-daemon nix-store; do
      command -v $program >/dev/null || {
        echo "the program $program, which every NixOS system has by default, is not there"
        return
      }
    done
    obstacle_of_user
  fi
}

obstacle_of_user() {
  if id "$user" >/dev/null 2>&1; then
    [ "$(owner)" != none ] || echo "it has a user $user already, which Nix Ferry has not made"
  elif ! command -v useradd >/dev/null; then
    echo 'its configuration sets users.mutableUsers = false, so that only the configuration can make the user of the gate'
    return
  fi
  for directory in /var/lib /etc/ssh /etc/systemd; do
    if [ ! -d $directory ] || [ ! -w $directory ]; then
      echo "$directory cannot be written"
      return
    fi
  done
  sshd -T -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null | awk -v user="$user" '
    { key = $1; $1 = "" }
    key == "authorizedkeysfile" && !index($0 " ", " /etc/ssh/authorized_keys.d/%u ") {
      print "its sshd does not read /etc/ssh/authorized_keys.d/%u (AuthorizedKeysFile is" $0 ")"
      said = 1
      exit
    }
    key == "allowusers" || key == "allowgroups" {
      asked[key] = 1
      for (i = 2; i <= NF; i++) if ($i == user || $i == "*") found[key] = 1
    }
    END {
      for (key in asked) if (!said && !found[key]) {
        print "its sshd lets only some users in (" key "), and " user " is not one of them"
        said = 1
      }
    }'
}

# program NAME OPTION PATTERN: the first on PATH whose help, which OPTION prints, matches. Busybox has some with less options.
program() {
  for directory in $(printf %s "$PATH" | tr : ' '); do
    if [ -x "$directory/$1" ] && "$directory/$1" "$2" 2>&1 </dev/null | grep -Eq -e "$3"; then
      readlink -f "$directory/$1"
      return
    fi
  done
}

# With Unix sockets (-U) and half-closed connections (-N).
netcat() { program nc -h '[[]-[0-9A-Za-z]*N[A-Za-z]*U'; }
setpriv() { program setpriv --help '--reuid'; }
