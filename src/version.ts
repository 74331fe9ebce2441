/** The version in package.json; a test checks that they agree. */
export const version = '0.1.0';

/** The producer that archives and reports name. */
export const producer = `nix-ferry ${version}`;
