/** The meaning of an error of Nix, as a clause, and what to do. */
export interface Explanation {
  message: string;
  cure: string;
}

/** A download whose hash is not the one that the source specifies. Both hashes are in the form that Nix prints (SRI since 2.4). */
export interface HashMismatch {
  drvPath: string;
  specified: string;
  got: string;
}

/** The first hash mismatch in what Nix printed; null if there is none. */
export function hashMismatchIn(printed: string): HashMismatch | null {
  const pattern = /hash mismatch in fixed-output derivation '([^']+)':\s+specified:\s+(\S+)\s+got:\s+(\S+)/;
  const [, drvPath, specified, got] = pattern.exec(printed) ?? [];
  return drvPath === undefined || specified === undefined || got === undefined ? null : { drvPath, specified, got };
}

const explanations: { pattern: RegExp; explain: (match: RegExpExecArray) => Explanation }[] = [
  {
    // NixOS/nix src/libstore/build/local-derivation-goal.cc; 2.31 and newer say "Required system: '…'".
    pattern: /(?:a '([^']+)' with features \{[^}]*\} is required|Required system: '([^']+)')/,
    explain: ([, old, current]) => ({
      message: `building it needs a machine of system ${old ?? current}, and this machine is not one`,
      cure: 'Set `emulate: auto`, add a remote builder to `builders`, or run the job on a runner of that system.',
    }),
  },
  {
    // nixpkgs' `assert stdenv.isLinux` and its successors, if a NixOS system is evaluated for macOS.
    pattern: /assertion '?\(?(?:stdenv|stdenvNoCC)[^\n]*isLinux[^\n]*'? failed/,
    explain: () => ({
      message: 'the configuration is evaluated for macOS, but NixOS runs on Linux',
      cure: 'Set the system of the host with `nixpkgs.hostPlatform = "aarch64-linux";` (before 22.11 `nixpkgs.localSystem.system`), or the input `system`.',
    }),
  },
  {
    // Nix 2.8 says "canonical path" if a link leads there.
    pattern: /access to (?:(?:absolute |canonical )?path|URI) '([^']*)' is forbidden in restricted mode/,
    explain: ([, path]) => ({
      message: `the configuration reads ${path}, which is outside the repository`,
      cure: 'Move it into the repository, or name it in `allowed-paths`.',
    }),
  },
  {
    pattern: /access to (?:absolute path|URI) '([^']*)' is forbidden in pure evaluation mode/,
    explain: ([, path]) => ({
      message: `the flake reads ${path}, which is outside of it`,
      cure: 'Commit it and refer to it by a relative path; a secret belongs on the target, not in its configuration.',
    }),
  },
  {
    pattern: /attribute 'currentSystem' missing/,
    explain: () => ({
      message: 'the flake uses the system of the evaluating machine',
      cure: 'Set the system in the flake: `system = "x86_64-linux";`.',
    }),
  },
  {
    pattern:
      /(?:[Uu]nrecognized archive format|unsupported format|does not look like a tar archive|file format not recognized)/,
    explain: () => ({
      message: 'a download is not an archive; it is probably an HTML page from a proxy, a login or a rate limit',
      cure: 'Open the address to see what it returns; for a private repository, set `github-token`.',
    }),
  },
  {
    pattern: /unable to download '(https:\/\/(?:api\.)?github\.com\/[^']+)': HTTP error (401|403|404|429)/,
    explain: ([, url, status]) => ({
      message: `GitHub answers ${status} for ${url}: it is private, it does not exist, or there were too many requests without a token`,
      cure: 'Set `github-token` to a token that may read it.',
    }),
  },
  {
    pattern:
      /(?:cloning builder process|setting up a private mount namespace|unable to start build process|this system does not support the kernel namespaces)[^\n]*/,
    explain: () => ({
      message: "Nix's sandbox cannot be set up on this machine",
      cure: 'Run on a machine where root can create namespaces; a container must be privileged.',
    }),
  },
  {
    pattern: /unable to download '([^']+)': Could(?:n't| not) resolve host/,
    explain: ([, url = '']) => ({
      message: `${/^\w+:\/\/([^/:]+)/.exec(url)?.[1] ?? 'its server'} has no address here`,
      cure: "Check the machine's network, DNS and proxy, and the URL.",
    }),
  },
  {
    pattern: /timed out after (\d+) seconds of silence/,
    explain: ([, seconds]) => ({
      message: `the build printed nothing for ${seconds} s and was ended`,
      cure: 'If it is only slow, raise `stall-timeout`.',
    }),
  },
  {
    // Nix 2.34 does not say which of its limits it was, nor which build.
    pattern: /timed out after (\d+) seconds/,
    explain: ([, seconds]) => ({
      message: `a build took longer than ${seconds} s, or printed nothing for so long, and was ended`,
      cure: `If it is only slow, raise \`build-timeout\` or \`stall-timeout\`, whichever is ${seconds} s.`,
    }),
  },
  {
    pattern: /Exec format error|cannot execute binary file/,
    explain: () => ({
      message: 'it runs a program for another processor, which is not emulated here',
      cure: 'Set `emulate: always`, add a remote builder to `builders`, or run the job on a runner of that system.',
    }),
  },
  {
    // https://github.com/NixOS/nixpkgs/pull/444829
    pattern: /option `fileSystems\..*\.fsType' was accessed but has no value defined/,
    explain: () => ({
      message: 'a file system has no type, for which nixpkgs has no default since 26.05',
      cure: 'Write `fsType = "ext4";` with its type, or `"auto"`, the default before.',
    }),
  },
  {
    pattern: /^\s*- The .fileSystems. option does not specify your root file system/m,
    explain: () => ({
      message: 'the configuration lacks what is special to the machine: its disks and its boot loader',
      cure: '`nixos-generate-config --show-hardware-config` prints most of it there: commit that as hardware-configuration.nix and import it, or use disko.',
    }),
  },
  {
    pattern: /^\s*(?:error: )?stack overflow/m,
    explain: () => ({
      message: 'a value needs itself, most often through functions that call each other without an end',
      cure: 'The stack trace names them.',
    }),
  },
  {
    pattern: /infinite recursion encountered/,
    explain: () => ({
      message: 'a value needs itself',
      cure: 'Most often `imports`, or the names that a module defines, depend on `config` or `pkgs`: use arguments of `specialArgs` there, and `lib.mkIf` instead of `if` around definitions.',
    }),
  },
  {
    pattern: /[Nn]o space left on device/,
    explain: () => ({
      message: 'the disk is full',
      cure: 'Free space before the step, or build fewer hosts in one job with `hosts`.',
    }),
  },
];

/** The explanation of the first known error in what Nix printed; null if there is none. */
export function explainNixError(printed: string): Explanation | null {
  for (const { pattern, explain } of explanations) {
    const match = pattern.exec(printed);
    if (match !== null) return explain(match);
  }
  return null;
}
