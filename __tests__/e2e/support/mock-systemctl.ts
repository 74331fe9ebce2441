import type { Target } from './target.ts';

// Systemd does not run in the emulated aarch64 machine. This mock does what `ferry target-setup` needs of it: it serves a socket
// with Accept=yes as the installed units say, and starts nix-daemon with the environment of their drop-in.

const listener = `use IO::Socket::UNIX;
my ($path, $user, $program, @words) = @ARGV;
unlink $path;
umask 0177;
my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 64) or die;
chown((getpwnam $user)[2], 0, $path);
$SIG{CHLD} = 'IGNORE';
while (1) {
  my $client = $socket->accept() or next;
  next if fork;
  umask 0022;
  $SIG{CHLD} = 'DEFAULT';
  open STDIN, '<&', $client;
  open STDOUT, '>&', $client;
  close $socket;
  close $client;
  exec $program, @words;
}
`;

const systemctl = `#!/bin/sh
units=/etc/systemd/system.control
setting() { sed -n "s/^$2=-*//p" "$units/$1"; }
ended() { if [ -e /run/listener.pid ]; then kill "$(cat /run/listener.pid)"; fi; rm -f /run/listener.pid "$1"; }
socket=$(setting ferry-gate.socket ListenStream 2>/dev/null)
case "$*" in
  'show --property=Version' | daemon-reload) ;;
  'is-active --quiet ferry-gate.socket') [ -e /run/listener.pid ] ;;
  'restart ferry-gate.socket')
    ended "$socket"
    setsid perl /usr/lib/listener.pl "$socket" "$(setting ferry-gate.socket SocketUser)" \\
      $(setting ferry-gate@.service ExecStart) >/dev/null 2>&1 </dev/null &
    echo $! >/run/listener.pid
    until [ -S "$socket" ]; do sleep 0.1; done
    ;;
  'stop ferry-gate.socket') ended "$socket" ;;
  'try-restart nix-daemon.service')
    pkill -x nix-daemon
    sleep 1
    env "$(setting nix-daemon.service.d/ferry-gate.conf Environment 2>/dev/null || echo x=)" setsid nix-daemon >/dev/null 2>&1 </dev/null &
    ;;
  *) exit 1 ;;
esac
`;

/** Installs the mock as `systemctl`. */
export async function giveSystemctl(target: Target): Promise<void> {
  const put = (file: string, input: string): Promise<unknown> =>
    target.machine.run(['sh', '-c', 'cat >"$0" && chmod 755 "$0"', file], { input });
  await put('/usr/lib/listener.pl', listener);
  await put('/usr/bin/systemctl', systemctl);
  await target.says('mkdir', '-p', '/etc/systemd');
}
