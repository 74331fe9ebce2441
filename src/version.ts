/** The version of package.json; a test holds the two together. */
export const version = '0.1.0';

/** What archives and reports say made them. */
export const producer = `nix-ferry ${version}`;
