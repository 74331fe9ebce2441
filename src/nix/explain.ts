/** What an error of Nix means, in one sentence, and what to write instead. */
export interface Explanation {
  message: string;
  cure: string;
}

const explanations: { pattern: RegExp; explain: (match: RegExpExecArray) => Explanation }[] = [
  {
    // NixOS/nix src/libstore/build/local-derivation-goal.cc; 2.31 and newer say "Required system: '…'".
    pattern: /(?:a '([^']+)' with features \{[^}]*\} is required|Required system: '([^']+)')/,
    explain: ([, old, current]) => ({
      message: `building it needs a machine of system ${old ?? current}, and this one is none`,
      cure: 'Leave `emulate` at auto, name a remote builder in `builders`, or run the job on a runner of that system.',
    }),
  },
  {
    // nixpkgs' `assert stdenv.isLinux` and its successors, when a Linux system is evaluated for a Mac.
    pattern: /assertion '?\(?(?:stdenv|stdenvNoCC)[^\n]*isLinux[^\n]*'? failed/,
    explain: () => ({
      message: 'this configuration is evaluated for macOS, and NixOS is Linux',
      cure: 'Say the system of the host: `nixpkgs.hostPlatform = "aarch64-linux";` (before 22.11 `nixpkgs.localSystem.system`), or the input `system`.',
    }),
  },
  {
    pattern:
      /attribute '(?:currentSystem)' missing|access to (?:absolute path|URI) '[^']*' is forbidden in (?:pure evaluation|restricted) mode/,
    explain: () => ({
      message: 'this flake asks for what lies outside of it: the machine that evaluates it, or a path of it',
      cure: 'Say the system in the flake (`system = "x86_64-linux";`) and refer to files by paths relative to it.',
    }),
  },
  {
    pattern:
      /(?:[Uu]nrecognized archive format|unsupported format|does not look like a tar archive|file format not recognized)/,
    explain: () => ({
      message: 'a download is no archive, most likely an HTML page that says why (a proxy, a login, a limit)',
      cure: 'Fetch the address by hand to see what it answers; for a private repository give `github-token`.',
    }),
  },
  {
    pattern: /unable to download '(https:\/\/(?:api\.)?github\.com\/[^']+)': HTTP error (401|403|404|429)/,
    explain: ([, url, status]) => ({
      message: `GitHub answers ${status} for ${url}: it is private, gone, or asked too often without a token`,
      cure: 'Give `github-token` a token that may read it.',
    }),
  },
  {
    pattern:
      /(?:cloning builder process|setting up a private mount namespace|unable to start build process|this system does not support the kernel namespaces)[^\n]*/,
    explain: () => ({
      message: "Nix's sandbox cannot be set up on this machine",
      cure: 'Run on a machine, or in a container with the privilege, where root can make namespaces.',
    }),
  },
  {
    pattern: /Exec format error|cannot execute binary file/,
    explain: () => ({
      message: 'it runs a program of another processor, and nothing here emulates that one',
      cure: 'Write `emulate: always`, name a remote builder in `builders`, or run the job on a runner of that system.',
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

/** The explanation of the first error known to us in what Nix printed; null when none is. */
export function explainNixError(printed: string): Explanation | null {
  for (const { pattern, explain } of explanations) {
    const match = pattern.exec(printed);
    if (match !== null) return explain(match);
  }
  return null;
}
