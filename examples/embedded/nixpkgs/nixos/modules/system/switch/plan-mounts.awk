# awk -f plan-mounts.awk OLD NEW: compares two fstabs and prints lines `ACTION TYPE PLACE`. TYPE is the unit's: mount,
# automount, or swap, whose place is a device.
FNR == 1 { file++ }
/#/ || NF < 3 { next }
$3 == "swap" {
  swaps[file, $1]
  if (file == 1) oldSwaps[$1]
  next
}
file == 1 { source[$2] = $1 " " $3; options[$2] = $4; next }
{ kept[$2] }
!($2 in source) { next }
source[$2] != $1 " " $3 {
  if ($2 != "/" && $2 != "/nix") print "restart mount", $2
  else print (options[$2] == $4 ? "skip" : "reload"), "mount", $2
  next
}
options[$2] != $4 { print "reload mount", $2 }
END {
  for (place in source) if (!(place in kept)) print "stop", (options[place] ~ /x-systemd\.automount/ ? "automount" : "mount"), place
  for (device in oldSwaps) if (!((2, device) in swaps)) print "stop swap", device
}
