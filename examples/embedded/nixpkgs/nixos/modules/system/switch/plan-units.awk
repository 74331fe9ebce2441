# awk -v old=DIR -v new=DIR -f plan-units.awk plan files active [asked]
#
# Decides what happens to each running unit when the unit files of `old` are replaced by those of `new`.
#
# plan     lines `ACTION UNIT`: what is already planned. ACTION is stop, start, restart, reload, skip (changed, but left
#          alone) or hide (not named in messages)
# files    the unit files and drop-ins of both directories, one path per line; `PATH masked` is a link to /dev/null
# active   lines `UNIT STATE`: the units that are not inactive
# asked    units whose restart the activation script requested; if given, only these are considered
#
# Prints the extended plan. Exits with 1 and an error message if a unit file cannot be parsed.

BEGIN {
  keys = "X-Reload-Triggers Description Documentation OnFailure OnSuccess OnFailureJobMode IgnoreOnIsolate " \
    "StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate CollectMode SourcePath"
  count = split(keys, list, " ")
  # Keys of [Unit] that may change without a restart; X-Reload-Triggers causes a reload.
  for (i = 1; i <= count; i++) harmless[list[i]]
}

FILENAME == "plan" { plan[$1, $2] }
FILENAME == "files" && $2 == "masked" {
  masked[$1]
  next
}
FILENAME == "files" {
  exists[$0]
  if (match($0, /\.d\/[^\/]*\.conf$/)) {
    unit = substr($0, 1, RSTART - 1)
    dropins[unit] = dropins[unit] $0 "\n"
  }
}
FILENAME == "active" { active[$1] = $2 }
FILENAME == "asked" {
  onlyAsked = 1
  asked[$1]
}

END {
  if (onlyAsked) for (unit in asked) restartAsked(unit)
  else for (unit in active) if (active[unit] == "active" || active[unit] == "activating") consider(unit)
  for (entry in plan) {
    split(entry, part, SUBSEP)
    print part[1], part[2]
  }
}

# The file that defines a unit: its own, or its template's.
function fileOf(unit, base) {
  base = unit
  if (!((old "/" unit) in exists) && !((new "/" unit) in exists)) sub(/@[^.]*\./, "@.", base)
  return base
}

function consider(unit, base, removed) {
  base = fileOf(unit)
  if (!((old "/" base) in exists)) return
  # An instance that only drop-ins declare is removed with them.
  removed = base != unit && dropins[old "/" unit] != "" && dropins[new "/" unit] == ""
  if (removed || !((new "/" base) in exists)) {
    parse("old", old, unit, base)
    if (flag("old", "Unit", "X-StopOnRemoval", 1)) plan["stop", unit]
    return
  }
  parse("new", new, unit, base)
  if (unit ~ /\.target$/) {
    considerTarget(unit)
    return
  }
  parse("old", old, unit, base)
  difference = compare()
  if (difference == 2) modified(unit, base, 0)
  else if (difference == 1 && !(("restart", unit) in plan)) plan["reload", unit]
}

# Starting an active target again starts the units that it newly wants.
function considerTarget(unit) {
  if (unit ~ /^(suspend|hibernate|hybrid-sleep)\.target$/) return
  if (!flag("new", "Unit", "RefuseManualStart", 0) && !flag("new", "Unit", "X-OnlyManualStart", 0)) {
    plan["start", unit]
    plan["hide", unit]
  }
  if (flag("new", "Unit", "X-StopOnReconfiguration", 0)) plan["stop", unit]
}

function restartAsked(unit, base) {
  base = fileOf(unit)
  if (!(unit in active)) {
    plan["start", unit]
    return
  }
  parse("new", new, unit, base)
  modified(unit, base, 1)
}

# The action that the options of a changed unit define. If the activation script requested it, `restart` replaces stop and
# start.
function modified(unit, base, byScript) {
  if (unit ~ /^(sysinit|basic|multi-user|graphical)\.target$/ || unit ~ /\.(path|slice|socket)$/) return
  if (unit ~ /\.mount$/) {
    if (unit == "-.mount" || unit == "nix.mount") plan["reload", unit]
    else plan["restart", unit]
    return
  }
  if (flag("new", "Service", "X-ReloadIfChanged", 0) && !(("restart", unit) in plan) && \
      (byScript || !(("stop", unit) in plan))) {
    plan["reload", unit]
    return
  }
  if (!flag("new", "Service", "X-RestartIfChanged", 1) || flag("new", "Unit", "RefuseManualStop", 0) || \
      flag("new", "Unit", "X-OnlyManualStart", 0)) {
    plan["skip", unit]
  } else if (!flag("new", "Service", "X-StopIfChanged", 1) || unit !~ /\.service$/) {
    plan["restart", unit]
  } else {
    stopAndStart(unit, base, byScript ? "restart" : "stop", byScript ? "restart" : "start")
  }
  delete plan["reload", unit]
}

# A service that is activated by sockets is not started; its sockets are.
function stopAndStart(unit, base, stop, start, sockets, socket, count, i, bySocket) {
  sockets = value["new", "Service", "Sockets"]
  if (sockets == "") {
    socket = base
    sub(/@?\.service$/, ".socket", socket)
    sockets = socket
  }
  count = split(sockets, list, /[ \t\n]+/)
  for (i = 1; i <= count; i++) {
    socket = list[i]
    if (socket == "") continue
    if (socket in active) plan[stop, socket]
    if ((new "/" socket) in exists || (new "/" socket) in masked) {
      if (socket in active) plan[start, socket]
      bySocket = 1
    }
  }
  if (!bySocket || flag("new", "Service", "X-NotSocketActivated", 0)) plan[start, unit]
  plan[stop, unit]
}

# Compares `old` and `new` as parsed. 0: equal, 1: a reload is enough, 2: a restart is needed.
function compare(worst, entry, part, weight, added, count) {
  for (entry in value) {
    split(entry, part, SUBSEP)
    count[part[1], part[2]]++
  }
  for (entry in section) {
    split(entry, part, SUBSEP)
    if (((part[1] == "old" ? "new" : "old"), part[2]) in section) continue
    if (part[2] != "Unit" && part[2] != "Service") return 2
    # A [Service] that comes or goes has exactly one key, ExecReload, or is a change like any other.
    if (part[2] == "Service" && count[entry] != 1) return 2
    if (part[1] == "new" && ++added > 1) return 2
  }
  for (entry in value) {
    split(entry, part, SUBSEP)
    weight = 0
    if (part[1] == "old" && !(("new", part[2], part[3]) in value)) weight = weigh(part[2], part[3], "removed")
    else if (part[1] == "new" && !(("old", part[2], part[3]) in value)) weight = weigh(part[2], part[3], "added")
    else if (value["old", part[2], part[3]] != value["new", part[2], part[3]]) weight = weigh(part[2], part[3], "changed")
    if (weight > worst) worst = weight
  }
  return worst + 0
}

function weigh(name, key, how) {
  if (name == "Unit" && key == "X-Reload-Triggers" || name == "Service" && key == "ExecReload") return how != "removed"
  if (name == "Unit" && key in harmless) return 0
  if (name == "Mount" && key == "Options" && how == "changed") return 1
  return 2
}

# Reads a unit with its drop-ins into section[WHICH, …] and value[WHICH, SECTION, KEY], which has the values of a key separated
# by newlines.
function parse(which, directory, unit, base, entry, part, files, count, i) {
  for (entry in section) if (index(entry, which SUBSEP) == 1) delete section[entry]
  for (entry in value) if (index(entry, which SUBSEP) == 1) delete value[entry]
  files = directory "/" base "\n" dropins[directory "/" base]
  if (unit != base) files = files dropins[directory "/" unit]
  count = split(files, list, "\n")
  for (i = 1; i <= count; i++) if (list[i] != "") parseFile(which, list[i])
}

function parseFile(which, file, line, name, key, text, at, unquote) {
  while ((getline line < file) > 0) {
    if (line ~ /^[ \t]*([#;]|$)/) continue
    if (line ~ /^[ \t]*\[/) {
      if (line !~ /\]/) unparsable(file)
      add(which, name)
      name = line
      gsub(/^[ \t]*\[|\].*$/, "", name)
      gsub(/^[ \t]+|[ \t]+$/, "", name)
      if (name != "Install") section[which, name]
      continue
    }
    at = index(line, "=")
    if (name == "" || name == "Install" || at == 0) continue
    key = substr(line, 1, at - 1)
    text = substr(line, at + 1)
    gsub(/^[ \t]+|[ \t]+$/, "", key)
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    # The quotation marks around a value are removed.
    if (text ~ /^"[^"]*"/) unquote = "\""
    else unquote = text ~ /^\047[^\047]*\047/ ? "\047" : ""
    if (unquote != "") {
      sub(unquote, "", text)
      sub(unquote, "", text)
    }
    given[key]++
    # An empty value removes earlier ones.
    if (text == "") {
      cleared[key]
      values[key] = ""
    } else values[key] = values[key] text "\n"
  }
  add(which, name)
  close(file)
}

# Adds the values that a section of a file gives, for each key as often as it gives one: of two drop-ins with one value each,
# this makes something else than of one with both.
function add(which, name, key, i) {
  for (key in given) {
    if (key in cleared) value[which, name, key] = values[key]
    else for (i = 1; i <= given[key]; i++) value[which, name, key] = value[which, name, key] values[key]
    delete values[key]
    delete cleared[key]
  }
  split("", given)
}

function unparsable(file, line, lines) {
  close(file)
  while ((getline line < file) > 0) lines++
  printf "Error: Failed to parse systemd unit file %s\n\nCaused by:\n", file > "/dev/stderr"
  printf "    0: Failed parse unit file as INI\n    1: %d:1 expecting \"[Some(']')]\" but found EOF.\n", lines + 1 > "/dev/stderr"
  exit 1
}

function flag(which, name, key, otherwise, count) {
  if (!((which, name, key) in value)) return otherwise
  count = split(value[which, name, key], list, "\n")
  return count < 2 ? otherwise : list[count - 1] ~ /^(1|yes|true|on)$/
}
