# awk -f compare-units.awk OLD NEW: prints `equal`, `reload` (only X-Reload-Triggers differ) or `restart`.
# What does not change a running unit does not count: [Install], comments, and some keys of [Unit].
/^\[/ { section = $0 }
/^[#;]/ || /^$/ || /^\[/ || section == "[Install]" { next }
section == "[Unit]" && /^(Description|Documentation|OnFailure|OnSuccess|Wants|Before|After)=/ { next }
section == "[Unit]" && /^X-Reload-Triggers=/ {
  trigger[FILENAME] = trigger[FILENAME] $0 "\n"
  next
}
{ body[FILENAME] = body[FILENAME] section $0 "\n" }
END {
  if (body[ARGV[1]] != body[ARGV[2]]) print "restart"
  else if (trigger[ARGV[1]] != trigger[ARGV[2]]) print "reload"
  else print "equal"
}
