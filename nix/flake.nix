# A flake's nixosConfigurations. The output `ferry.<host>` defines targets and tags: `user@address:port`, or a set.
{ request, glue }:
let
  inherit (glue request)
    answer
    evaluated
    evaluationsIn
    find
    isEvaluation
    ;
  flake = builtins.getFlake (glue request).request.reference;
  configurations = flake.nixosConfigurations or { };

  configurationOf =
    name:
    let
      value = builtins.getAttr name configurations;
      below = if isEvaluation value then [ ] else evaluationsIn value;
    in
    if below == [ ] then evaluated name value else throw (oneLevelDeeper name below);
  # The name of a system is not part of the message, which is the same for each of them.
  oneLevelDeeper =
    name: below:
    let
      first = builtins.head below;
      isSystem = builtins.match ".+-(linux|darwin|freebsd|windows)" name != null;
      group = if isSystem then "<system>" else name;
    in
    "the hosts of nixosConfigurations are one level deeper, below ${
      if isSystem then "a system" else builtins.toJSON name
    }: ${builtins.concatStringsSep ", " below}. Write nixosConfigurations.${first} instead of nixosConfigurations.${group}.${first}${
      if isSystem then
        ", outside of the function that repeats outputs for each system (eachDefaultSystem, forAllSystems)"
      else
        ""
    }";

  # Patterns without `...`, so that errors name an attribute that is missing or unknown.
  commandCheck =
    {
      description,
      cmd,
      period ? 2,
      timeout ? 5,
    }:
    {
      inherit
        description
        cmd
        period
        timeout
        ;
    };
  httpCheck =
    {
      description,
      port,
      host ? null,
      scheme ? "http",
      path ? "/",
      headers ? { },
      period ? 2,
      timeout ? 5,
      insecureSSL ? false,
    }:
    {
      inherit
        description
        port
        host
        scheme
        path
        headers
        period
        timeout
        insecureSSL
        ;
    };
  checks =
    {
      cmd ? [ ],
      http ? [ ],
    }:
    {
      cmd = map commandCheck cmd;
      http = map httpCheck http;
    };
  secret =
    name:
    {
      source,
      destination,
      user ? "root",
      group ? "root",
      permissions ? "0400",
      # A unit to restart, or the words of a command.
      action ? [ ],
      mkDirs ? true,
      uploadAt ? "pre-activation",
    }:
    {
      inherit
        name
        destination
        user
        group
        permissions
        mkDirs
        uploadAt
        ;
      source = sourceOf source;
      action =
        if builtins.isString action then
          [
            "systemctl"
            "restart"
            action
          ]
        else
          action;
    };
  # A file, or a set with one of the kinds of sources. A text would be in the store, as all of a flake is.
  sourceOf =
    source:
    if !builtins.isAttrs source then
      { file = toString source; }
    else if source ? text then
      throw "a secret of a flake has no text, because the flake itself is in the store: use file, command or env"
    else
      source;
  complete =
    settings:
    if !builtins.isAttrs settings then
      settings
    else
      settings
      // {
        healthChecks = checks (settings.healthChecks or { });
        preDeployChecks = checks (settings.preDeployChecks or { });
        secrets = builtins.attrValues (builtins.mapAttrs secret (settings.secrets or { }));
      };
in
answer {
  names = builtins.attrNames configurations;
  root = flake.sourceInfo.outPath;
  host = configurationOf;
  deployment = name: complete (find null [ "ferry" name ] flake);
}
