lib: rec {
  inherit (builtins)
    concatStringsSep
    isString
    match
    replaceStrings
    split
    stringLength
    substring
    ;
  concatStrings = concatStringsSep "";
  concatMapStrings = f: xs: concatStrings (map f xs);
  concatMapStringsSep =
    separator: f: xs:
    concatStringsSep separator (map f xs);
  concatLines = concatMapStrings (line: line + "\n");
  concatImapStrings = f: xs: concatStrings (lib.imap1 f xs);
  mapAttrsToLines = f: set: concatStringsSep "\n" (lib.mapAttrsToList f set);
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      cut = stringLength text - stringLength suffix;
    in
    cut >= 0 && substring cut (stringLength suffix) text == suffix;
  hasInfix = infix: text: builtins.length (split (escapeRegex infix) text) > 1;
  removePrefix =
    prefix: text:
    if hasPrefix prefix text then substring (stringLength prefix) (stringLength text) text else text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  stringToCharacters = text: lib.genList (n: substring n 1 text) (stringLength text);
  escape = chars: replaceStrings chars (map (c: "\\" + c) chars);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeShellArg =
    arg:
    let
      text = toString arg;
    in
    if match "[[:alnum:],._+:@%/-]+" text != null then
      text
    else
      "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  splitString = separator: text: builtins.filter isString (split (escapeRegex separator) text);
  toUpper = replaceStrings (stringToCharacters "abcdefghijklmnopqrstuvwxyz") (
    stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  );
  toLower = replaceStrings (stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    stringToCharacters "abcdefghijklmnopqrstuvwxyz"
  );
  toInt = text: builtins.fromJSON text;
  fixedWidthString =
    width: filler: text:
    if stringLength text >= width then text else fixedWidthString width filler (filler + text);
  makeBinPath = packages: concatMapStringsSep ":" (package: "${package}/bin") packages;
  getName =
    package:
    if isString package then
      (builtins.parseDrvName package).name
    else
      package.pname or (builtins.parseDrvName package.name).name;
  isStorePath =
    x: (isString x || builtins.isPath x || x ? outPath) && hasPrefix builtins.storeDir (toString x);
  generators.toKeyValue =
    { }: set: concatStrings (lib.mapAttrsToList (name: value: "${name}=${toString value}\n") set);
}
