export const id = 374;
export const ids = [374];
export const modules = {

/***/ 11374:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  optionOf: () => (/* binding */ optionOf),
  run: () => (/* binding */ run),
  setupConfigOf: () => (/* binding */ setupConfigOf)
});

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
// EXTERNAL MODULE: ./src/nix/pack.ts
var pack = __webpack_require__(91702);
// EXTERNAL MODULE: ./src/nix/sign.ts
var sign = __webpack_require__(19178);
;// CONCATENATED MODULE: ./src/archive/archive.ts
const archiveKinds = (/* unused pure expression or super */ null && (['delta', 'full', 'none']));
/** The artifact and the folder in which a host's archive travels: characters that are special anywhere become `_`. */
function archiveName(host) {
    return `closure-${host.replace(/[^A-Za-z0-9_.-]/g, '_')}`;
}
/** The only file of an artifact that stands for one of an earlier run: an `Artifact` as JSON. */
const referenceFile = 'reference.json';

;// CONCATENATED MODULE: ./src/archive/inside.ts
/**
 * Tells for each path of a host's closure whether it must lie in the archive, or which cache has it.
 *
 * A delta leaves out what carries a signature by a key that the target's own configuration trusts, as long as the target
 * has a substituter to fetch it from. What was built here lies inside whatever its signatures: a builder may sign with a
 * key the target trusts, and yet no cache has the path. No query is made.
 *
 * @param nix what the host's evaluated configuration says; null: nothing is known, all lies inside.
 * @returns sorted by path.
 */
function chooseInside(closure, kind, nix) {
    const trusted = new Set();
    if (kind === 'delta' && nix !== null && nix.substituters.length > 0) {
        for (const key of nix.trustedPublicKeys)
            trusted.add(keyName(key));
    }
    return closure
        .map(({ path, narHash, narSize, signatures, ultimate }) => {
        const names = ultimate ? [] : signatures.map(keyName).filter(name => trusted.has(name));
        const cache = names.sort()[0] ?? null;
        return { path, narHash, narSize, inside: cache === null, cache };
    })
        .sort((a, b) => (a.path < b.path ? -1 : 1));
}
/** `cache.nixos.org-1` of `cache.nixos.org-1:base64`. */
function keyName(key) {
    return key.slice(0, key.indexOf(':'));
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/archive/manifest.ts


/**
 * The text of `manifest.json`: keys in a fixed order, one path a line, a line break at the end, so that the same
 * manifest has the same bytes and the installer reads it with sed and awk.
 */
function writeManifest(manifest) {
    const head = ['version', ...Object.keys(shape)].filter(key => key !== 'paths');
    const fields = head.map(key => ` ${JSON.stringify(key)}: ${JSON.stringify(manifest[key])},`);
    const lines = manifest.paths.map(path => `  ${JSON.stringify(ordered(path))}`);
    return `{\n${fields.join('\n')}\n "paths": [\n${lines.join(',\n')}\n ]\n}\n`;
}
/** sha256 over what the archive holds; see Archive.digest. */
function manifestDigest(manifest) {
    const { kind, host, system, toplevel, publicKey, source, paths } = manifest;
    const held = JSON.stringify([1, kind, host, system, toplevel, publicKey, source, paths.map(ordered)]);
    return `sha256:${(0,external_node_crypto_.createHash)('sha256').update(held).digest('hex')}`;
}
/**
 * Reads `manifest.json` and checks all of it by hand: its shape, its version and its own digest.
 *
 * @param file named in the error.
 * @throws UserError that names the field that is wrong.
 */
function parseManifest(text, file) {
    let value;
    try {
        value = JSON.parse(text);
    }
    catch (cause) {
        throw damaged(file, 'it is not JSON', cause);
    }
    if (!isObject(value))
        throw damaged(file, 'it is not an object');
    if (value.version !== 1) {
        throw new errors/* UserError */.yo(`${file} is of version ${JSON.stringify(value.version)}; this program reads version 1.`, {
            where: { file },
            cure: 'Use the release of Nix Ferry that made the archive, or a newer one.',
        });
    }
    for (const [field, is] of Object.entries(shape)) {
        if (!is(value[field]))
            throw damaged(file, `its field "${field}" is ${said(value[field])}`);
    }
    const manifest = value;
    manifest.paths.forEach((path, index) => {
        for (const [field, is] of Object.entries(pathShape)) {
            const entry = { ...path };
            if (!is(entry[field]))
                throw damaged(file, `"${field}" of path ${index + 1} is ${said(entry[field])}`);
        }
    });
    if (!manifest.paths.some(({ path }) => path === manifest.toplevel)) {
        throw damaged(file, 'its toplevel is not among its paths');
    }
    if (manifestDigest(manifest) !== manifest.digest)
        throw damaged(file, 'its content does not have the digest it names');
    return manifest;
}
/** Fields of the manifest in their order, as schemas/manifest-1.json has them. */
const shape = {
    kind: value => value === 'delta' || value === 'full',
    host: isText,
    hostName: isTextOrNull,
    system: value => isText(value) && /^[a-z0-9_]+-[a-z0-9]+$/.test(value),
    toplevel: isStorePath,
    digest: value => isText(value) && /^sha256:[0-9a-f]{64}$/.test(value),
    publicKey: value => value === null || (isText(value) && /^[^:]+:[A-Za-z0-9+/]+=*$/.test(value)),
    commit: value => value === null || (isText(value) && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(value)),
    repository: isTextOrNull,
    producer: isText,
    nixVersion: isText,
    nixpkgs: value => value === null || isObject(value),
    source: value => value === null ||
        (isObject(value) && isStorePath(value.configuration) && (value.nixpkgs === null || isStorePath(value.nixpkgs))),
    sums: value => isText(value) && /^sha256:[0-9a-f]{64}$/.test(value),
    paths: value => Array.isArray(value) && value.length > 0 && value.every(isObject),
};
/** Fields of each path. */
const pathShape = {
    path: isStorePath,
    narHash: value => isText(value) && /^sha256-[A-Za-z0-9+/]{43}=$/.test(value),
    narSize: value => Number.isSafeInteger(value) && value > 0,
    inside: value => typeof value === 'boolean',
    cache: isTextOrNull,
};
function ordered({ path, narHash, narSize, inside, cache }) {
    return { path, narHash, narSize, inside, cache };
}
function isObject(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isText(value) {
    return typeof value === 'string' && value !== '';
}
function isTextOrNull(value) {
    return value === null || isText(value);
}
/** Names of store objects: Nix's src/libstore/path.cc. */
function isStorePath(value) {
    return isText(value) && /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+\-._?=]{1,211}$/.test(value);
}
function said(value) {
    return value === undefined ? 'missing' : `wrong: ${JSON.stringify(value).slice(0, 100)}`;
}
function damaged(file, why, cause) {
    return new errors/* UserError */.yo(`The archive's ${file} is damaged: ${why}.`, {
        where: { file },
        cure: 'Download the artifact again, or let the job that built it run again.',
        cause,
    });
}
/** What a manifest tells of its archive, which lies in `directory` and has `bytes`. */
function archiveOf(manifest, directory, bytes) {
    const { host, system, toplevel, kind, digest, publicKey, paths } = manifest;
    const inside = paths.filter(path => path.inside);
    return {
        ...{ host, system, toplevel, kind, directory, bytes, digest, publicKey },
        paths: inside.length,
        closurePaths: paths.length,
        closureBytes: paths.reduce((sum, { narSize }) => sum + narSize, 0),
        insideBytes: inside.reduce((sum, { narSize }) => sum + narSize, 0),
        artifact: null,
    };
}

;// CONCATENATED MODULE: ./src/archive/plain.ts


/**
 * A path of `directory` that can stand in a store's address, `file://…`: itself, or a link to it below `context.scratch`.
 * Nix 2.8 opens no address with a space in it, encoded or not; browsers unpack to `closure-web (1)`.
 */
async function plainPath(directory, context) {
    if (/^[A-Za-z0-9_./-]+$/.test(directory))
        return directory;
    const link = (0,external_node_path_.join)(await (0,promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'link-')), 'archives');
    await (0,promises_.symlink)(directory, link);
    return link;
}

;// CONCATENATED MODULE: ./src/archive/source.ts




/**
 * Brings the configuration into the store, so that it can go along with the systems made from it.
 *
 * Of a repository only what Git tracks, as it lies in the folder; of another folder everything. What is not tracked may be
 * a secret, and in the store it would be readable for all.
 *
 * @param folder absolute.
 * @returns its store path, of the name `configuration`.
 */
async function addConfiguration(folder, nix, context) {
    const scratch = await (0,promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'source-'));
    const copy = (0,external_node_path_.join)(scratch, 'configuration');
    try {
        const tracked = await trackedFiles(folder, context);
        if (tracked === null)
            await (0,promises_.cp)(folder, copy, { recursive: true, verbatimSymlinks: true });
        else {
            await (0,promises_.mkdir)(copy);
            await (0,concurrency/* mapConcurrently */.X)(tracked, 16, async (name) => {
                // Git knows files that were deleted here, and submodules, which are folders.
                const status = await (0,promises_.lstat)((0,external_node_path_.join)(folder, name)).catch(() => null);
                if (status === null || status.isDirectory())
                    return;
                await (0,promises_.mkdir)((0,external_node_path_.dirname)((0,external_node_path_.join)(copy, name)), { recursive: true });
                await (0,promises_.cp)((0,external_node_path_.join)(folder, name), (0,external_node_path_.join)(copy, name), { verbatimSymlinks: true });
            });
        }
        return (await nix.run('nix-store', ['--add', copy])).stdout.trim();
    }
    finally {
        await (0,promises_.rm)(scratch, { recursive: true, force: true });
    }
}
/** Relative to `folder`; null outside of a repository. */
async function trackedFiles(folder, context) {
    try {
        const { stdout } = await context.exec('git', ['-C', folder, 'ls-files', '-z'], { signal: context.signal });
        return stdout.split('\0').filter(name => name !== '');
    }
    catch (error) {
        if (error instanceof errors/* CommandError */.Qd)
            return null;
        throw error;
    }
}
/** The store path of a pinned nixpkgs, as flakes and fetchTarball name it; null when it is not in the store. */
async function nixpkgsOf(pin, nix) {
    if (pin?.narHash == null)
        return null;
    const args = ['--print-fixed-path', '--recursive', 'sha256', pin.narHash, 'source'];
    const path = (await nix.run('nix-store', args)).stdout.trim();
    return (await nix.valid([path])).has(path) ? path : null;
}

// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
;// CONCATENATED MODULE: ./src/archive/manifest-entry.ts




/**
 * Makes the manifest a path of the cache, so that Nix guards it as it guards every path: its entry stands under a name
 * made from its bytes, and carries the signature, which a target checks with `nix store verify` and the keys that it
 * trusts anyway. Nix takes a content-addressed path without any signature, so the entry does not say that it is one.
 */
async function enterManifest(directory, signingKey, nix, context) {
    const store = `file://${directory}?compression=none`;
    const { stdout } = await nix.run('nix', ['store', 'add-file', '--store', store, (0,external_node_path_.join)(directory, 'manifest.json')]);
    const path = stdout.trim();
    const file = (0,external_node_path_.join)(directory, (0,pack/* narInfoName */.Dt)(path));
    await (0,promises_.writeFile)(file, await entryOf(path, directory, await (0,promises_.readFile)(file, 'utf8')));
    if (signingKey !== null)
        await (0,sign/* signPaths */.s)(directory, [path], signingKey, nix, context);
    // Folders that Nix makes in every cache, more of them in newer versions, and that hold nothing here.
    for (const folder of ['log', 'realisations', 'build-trace', 'build-trace-v2', 'debuginfo']) {
        await (0,promises_.rm)((0,external_node_path_.join)(directory, folder), { recursive: true, force: true });
    }
}
/**
 * Whether the archive has the entry of the manifest at `path` as it was written. No sum can stand for it, since it is
 * made from the bytes that name all sums; and what it says beside a NAR's hash, Nix does not check without a signature.
 */
async function hasEntry(path, directory) {
    try {
        const entry = await (0,promises_.readFile)((0,external_node_path_.join)(directory, (0,pack/* narInfoName */.Dt)(path)), 'utf8');
        return entry.replace(/^Sig: .*\n/gm, '') === (await entryOf(path, directory, entry));
    }
    catch {
        return false;
    }
}
/** What the entry says, but for its signatures; the NAR's hash is taken from `said`, where Nix checks it. */
async function entryOf(path, directory, said) {
    const hash = /^NarHash: sha256:([0-9a-z]{52})$/m.exec(said)?.[1];
    const nar = `nar/${hash}.nar`;
    const { size } = await (0,promises_.stat)((0,external_node_path_.join)(directory, nar));
    return [
        `StorePath: ${path}`,
        `URL: ${nar}`,
        'Compression: none',
        `FileHash: sha256:${hash}`,
        `FileSize: ${size}`,
        `NarHash: sha256:${hash}`,
        `NarSize: ${size}`,
        'References: \n',
    ].join('\n');
}

;// CONCATENATED MODULE: ./src/archive/write.ts









/** Makes one host's folder from the pool, complete or not at all. */
async function write(manifest, pool, config, nix, context) {
    const directory = (0,external_node_path_.join)(config.directory, archiveName(manifest.host));
    const partial = `${directory}.part`;
    await (0,promises_.rm)(partial, { recursive: true, force: true });
    await (0,promises_.mkdir)((0,external_node_path_.join)(partial, 'nar'), { recursive: true });
    await (0,promises_.link)((0,external_node_path_.join)(pool, 'nix-cache-info'), (0,external_node_path_.join)(partial, 'nix-cache-info'));
    const inside = manifest.paths.filter(path => path.inside);
    // Without waiting for each, as in pack.ts.
    for (const { path } of inside) {
        const entry = (0,pack/* narInfoName */.Dt)(path);
        const nar = /^URL: (\S+)$/m.exec((0,external_node_fs_.readFileSync)((0,external_node_path_.join)(pool, entry), 'utf8'))?.[1];
        if (nar === undefined)
            throw new Error(`Nix wrote no URL into ${entry} for ${path}`);
        (0,external_node_fs_.linkSync)((0,external_node_path_.join)(pool, entry), (0,external_node_path_.join)(partial, entry));
        // Paths of the same content share a NAR.
        if (!(0,external_node_fs_.existsSync)((0,external_node_path_.join)(partial, nar)))
            (0,external_node_fs_.linkSync)((0,external_node_path_.join)(pool, nar), (0,external_node_path_.join)(partial, nar));
    }
    await (0,promises_.writeFile)((0,external_node_path_.join)(partial, 'README'), readme(manifest));
    for (const [script, name] of scripts) {
        await (0,promises_.copyFile)((0,assets/* asset */.L)(script), (0,external_node_path_.join)(partial, name));
        await (0,promises_.chmod)((0,external_node_path_.join)(partial, name), 0o755);
    }
    const sums = await sumsOf(partial);
    await (0,promises_.writeFile)((0,external_node_path_.join)(partial, 'SHA256SUMS'), sums);
    const summed = { ...manifest, sums: `sha256:${(0,external_node_crypto_.createHash)('sha256').update(sums).digest('hex')}` };
    await (0,promises_.writeFile)((0,external_node_path_.join)(partial, 'manifest.json'), writeManifest(summed));
    await enterManifest(partial, config.signingKey, nix, context);
    await (0,promises_.rm)(directory, { recursive: true, force: true });
    await (0,promises_.rename)(partial, directory);
    return archiveOf(manifest, directory, await sizeOf(directory));
}
/** Scripts of ours that go along, and their names there. */
const scripts = [
    ['target/install.sh', 'install'],
    ['target/activate.sh', 'activate.sh'],
];
/** What `sha256sum` would print of all files there; NARs have their sums in their entries. */
async function sumsOf(directory) {
    const names = (await filesOf(directory))
        .map(file => (0,external_node_path_.relative)(directory, file))
        .filter(name => !name.startsWith('nar/'));
    const lines = names.map(name => {
        const sum = (0,external_node_crypto_.createHash)('sha256').update((0,external_node_fs_.readFileSync)((0,external_node_path_.join)(directory, name)));
        return `${sum.digest('hex')}  ${name}\n`;
    });
    return lines.join('');
}
/** Every file below `directory`, absolute, sorted. */
async function filesOf(directory) {
    const entries = await (0,promises_.readdir)(directory, { recursive: true, withFileTypes: true });
    return entries
        .filter(entry => entry.isFile())
        .map(entry => (0,external_node_path_.join)(entry.parentPath, entry.name))
        .sort();
}
/** Bytes of all files below `directory`. */
async function sizeOf(directory) {
    return (await filesOf(directory)).reduce((sum, file) => sum + (0,external_node_fs_.statSync)(file).size, 0);
}
function readme({ kind, host, system, publicKey, source, paths }) {
    const inside = paths.filter(path => path.inside).length;
    const check = publicKey === null ? ' --no-check-sigs' : '';
    return [
        `The system of ${host} (${system}), as a binary cache of Nix made by Nix Ferry.`,
        kind === 'full'
            ? `It holds the whole closure, ${paths.length} paths, and installs without a network.`
            : `It holds ${inside} of ${paths.length} paths; the machine fetches the others from the caches it trusts.`,
        'On the machine, as root, in this folder:',
        `  sh install --dry-run${check}   checks everything and changes nothing`,
        `  sh install switch${check}      imports, activates and makes it the system that boots`,
        '  (also: boot, test, dry-activate)',
        publicKey === null
            ? 'It is not signed: install it only if you trust where you have it from.'
            : `It is signed: the machine must trust ${publicKey} (nix.settings.trusted-public-keys).`,
        'manifest.json names every path, its hash, and the commit it comes from.',
        ...(source === null ? [] : ['Its configuration goes along, to /etc/nixos/current-configuration.']),
        '',
    ].join('\n');
}

// EXTERNAL MODULE: ./src/nix/index.ts
var src_nix = __webpack_require__(93779);
;// CONCATENATED MODULE: ./src/archive/verify.ts








/** Store paths in one call of Nix. */
const pathsPerCall = 2_000;
/**
 * Checks all of an archive before any of it is used: the manifest's shape and digest, that each path said to be inside is
 * there with the NAR hash the manifest names and has that hash when it is unpacked, and, where keys are given, that
 * the manifest and each path inside carry a signature by one of them.
 *
 * @param trustedKeys in Nix's form `name:base64`; with none, only hashes are checked, which finds damage but not an
 *   archive that somebody else made.
 * @throws UserError that names the first path found wrong.
 */
async function verifyArchive(directory, trustedKeys, nix, context) {
    const { archive, manifest } = await openArchive(directory);
    const inside = manifest.paths.filter(path => path.inside);
    const store = `file://${directory}`;
    const trust = trustedKeys.length === 0
        ? ['--no-trust']
        : ['--sigs-needed', '1', '--option', 'trusted-public-keys', trustedKeys.join(' ')];
    if (trustedKeys.length > 0 && manifest.publicKey === null)
        throw tampered(manifest.host, 'it is not signed');
    const own = await manifestPath(directory, manifest.host, nix);
    await verifySums(directory, manifest);
    const verify = (paths) => attempt(manifest.host, () => nix.run('nix', ['store', 'verify', '--store', store, ...trust, ...paths], { signal: context.signal }));
    await verify([own]);
    for (let first = 0; first < inside.length; first += pathsPerCall) {
        const some = inside.slice(first, first + pathsPerCall);
        const paths = some.map(({ path }) => path);
        const infos = await attempt(manifest.host, async () => {
            const { stdout } = await nix.run('nix', ['path-info', '--json', '--store', store, ...paths]);
            return new Map((0,src_nix/* parsePathInfo */.F)(stdout).map(info => [info.path, info]));
        });
        for (const { path, narHash, narSize } of some) {
            const info = infos.get(path);
            if (info === undefined)
                throw tampered(manifest.host, `${path} is missing`);
            if (info.narHash !== narHash || info.narSize !== narSize) {
                throw tampered(manifest.host, `${path} is not what the manifest names`);
            }
        }
        await verify(paths);
    }
    return { ...archive, manifest };
}
/** Reads what an archive says of itself, and checks nothing but the manifest's own shape and digest. */
async function openArchive(directory) {
    const file = (0,external_node_path_.join)(directory, 'manifest.json');
    let text;
    try {
        text = await (0,promises_.readFile)(file, 'utf8');
    }
    catch (cause) {
        throw new errors/* UserError */.yo(`${directory} is not an archive: it has no manifest.json.`, {
            where: { file: directory },
            cure: 'Give the folder that the artifact was unpacked into.',
            cause,
        });
    }
    const manifest = parseManifest(text, 'manifest.json');
    const archive = archiveOf(manifest, directory, await sizeOf(directory));
    return { archive, manifest };
}
/** The store path that the manifest's bytes give it; see manifest-entry.ts. */
async function manifestPath(directory, host, nix) {
    const hash = await nix.run('nix-hash', ['--type', 'sha256', '--flat', '--base32', (0,external_node_path_.join)(directory, 'manifest.json')]);
    const fixed = await nix.run('nix-store', ['--print-fixed-path', 'sha256', hash.stdout.trim(), 'manifest.json']);
    const path = fixed.stdout.trim();
    if (!(await hasEntry(path, directory)))
        throw tampered(host, 'manifest.json, or its entry, was changed');
    return path;
}
/** The small files, by SHA256SUMS, which the manifest guards. */
async function verifySums(directory, manifest) {
    const read = (name) => (0,promises_.readFile)((0,external_node_path_.join)(directory, name)).catch(cause => {
        throw tampered(manifest.host, `${name} is missing`, cause);
    });
    const sums = await read('SHA256SUMS');
    if (`sha256:${sha256(sums)}` !== manifest.sums)
        throw tampered(manifest.host, 'SHA256SUMS was changed');
    for (const line of sums.toString().trimEnd().split('\n')) {
        const [sum, name] = line.split('  ');
        if (sum === undefined || name === undefined || name.includes('/'))
            throw tampered(manifest.host, 'SHA256SUMS is wrong');
        if (sha256(await read(name)) !== sum)
            throw tampered(manifest.host, `${name} was changed`);
    }
}
function sha256(bytes) {
    return (0,external_node_crypto_.createHash)('sha256').update(bytes).digest('hex');
}
async function attempt(host, work) {
    try {
        return await work();
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        const line = error.stderr.split('\n').find(one => /untrusted|corrupt|modified|not valid|mismatch|error/.test(one));
        throw tampered(host, (line ?? error.message).trim().replace(/^error: /, ''), error);
    }
}
function tampered(host, why, cause) {
    return new errors/* UserError */.yo(`The archive of ${host} is refused: ${why}.`, {
        where: { host },
        cure: 'Nothing was copied. Let the job that built it run again, and check which key signs it.',
        cause,
    });
}

;// CONCATENATED MODULE: ./src/archive/fetch.ts






/**
 * Reads an archive that lies on this machine.
 *
 * @param path its folder, or the zip of an artifact, which is unpacked below `context.scratch`.
 */
async function readArchive(path, context) {
    let directory = await plainPath((0,external_node_path_.resolve)(path), context);
    if (path.endsWith('.zip')) {
        directory = await (0,promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'archive-'));
        await context.exec('unzip', ['-q', (0,external_node_path_.resolve)(path), '-d', directory], { signal: context.signal });
    }
    const { archive, manifest } = await openArchive(directory);
    return { ...archive, manifest };
}
/** Reads the archive at `path` (see `readArchive`) or, where it is a folder of archives, as `ferry archive` makes it, all of them. */
async function readArchives(path, context) {
    const entries = path.endsWith('.zip') ? [] : await (0,promises_.readdir)(path).catch(() => []);
    const folders = entries.filter(entry => entry.startsWith(archiveName(''))).sort();
    if (entries.includes('manifest.json') || folders.length === 0)
        return [await readArchive(path, context)];
    return Promise.all(folders.map(folder => readArchive((0,external_node_path_.join)(path, folder), context)));
}
/**
 * Downloads the archives of a run and reads them.
 *
 * @param hosts whose archives are wanted; null: all of them.
 * @param run whose artifacts; null: this run's.
 * @param directory each archive becomes the folder `closure-<host>` in it.
 * @throws UserError when one is not there, or does not arrive as it was uploaded.
 */
async function fetchArchives(hosts, run, directory, artifacts) {
    const prefix = archiveName('');
    const listed = (await artifacts.list(run)).filter(({ name }) => name.startsWith(prefix));
    const wanted = hosts?.map(archiveName) ?? [...new Set(listed.map(({ name }) => name))].sort();
    const found = wanted.map(name => {
        const artifact = listed.find(one => one.name === name);
        if (artifact !== undefined)
            return artifact;
        const there = listed.length === 0 ? 'none' : listed.map(one => one.name.slice(prefix.length)).join(', ');
        throw new errors/* UserError */.yo(`Run ${run ?? 'in progress'} holds no archive of ${name.slice(prefix.length)}.`, {
            cure: `It has those of: ${there}. Let the job that builds it run before this one.`,
        });
    });
    const read = [];
    for (const artifact of found) {
        const target = (0,external_node_path_.join)(directory, artifact.name);
        await download(artifact, target, artifacts);
        const { archive, manifest } = await openArchive(target);
        if (archiveName(manifest.host) !== artifact.name) {
            throw new errors/* UserError */.yo(`The artifact ${artifact.name} holds the archive of ${manifest.host}.`, {
                where: { host: manifest.host },
                cure: 'Nothing was copied. Let the job that built it run again.',
            });
        }
        read.push({ ...archive, artifact, manifest });
    }
    return read;
}
/** Downloads an artifact, or the one of an earlier run that it refers to. */
async function download(artifact, directory, artifacts) {
    const fetchInto = async (one) => {
        await (0,promises_.rm)(directory, { recursive: true, force: true });
        await (0,promises_.mkdir)(directory, { recursive: true });
        await artifacts.download(one, directory);
    };
    await fetchInto(artifact);
    const reference = await (0,promises_.readFile)((0,external_node_path_.join)(directory, referenceFile), 'utf8').catch(() => null);
    if (reference === null)
        return;
    const held = JSON.parse(reference);
    await fetchInto(held).catch(cause => {
        if (cause instanceof errors/* UserError */.yo)
            throw cause;
        throw new errors/* UserError */.yo(`${artifact.name} is held by run ${held.run}, from which it cannot be had: ${(0,errors/* explain */.WE)(cause)}.`, {
            cure: 'Let the job that builds it run again: it uploads what that run no longer holds.',
            cause,
        });
    });
}

;// CONCATENATED MODULE: ./src/archive/import.ts


/** Store paths in one call of Nix. */
const import_pathsPerCall = 2_000;
/**
 * Brings the whole closure of a verified archive into the local store: what a delta leaves out by Nix from its
 * substituters, then what lies inside. Afterwards the toplevel can be copied on as if it had been built here.
 *
 * @throws UserError when a path that is not in the archive cannot be fetched, or is not the one the manifest names.
 */
async function importArchive({ directory, manifest }, nix, context) {
    const { signal } = context;
    const outside = manifest.paths.filter(path => !path.inside);
    const present = await nix.valid(outside.map(({ path }) => path));
    const absent = outside.map(({ path }) => path).filter(path => !present.has(path));
    try {
        for (const some of inCalls(absent))
            await nix.run('nix-store', ['--realise', ...some], { signal });
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        throw new errors/* UserError */.yo(`The archive of ${manifest.host} leaves out what a cache has, and that cannot be fetched: ${error.message}`, {
            where: { host: manifest.host },
            cure: `It is at ${[...new Set(outside.map(({ cache }) => cache))].join(', ')}; or build with \`archive: full\`.`,
            cause: error,
        });
    }
    for (const some of inCalls(outside)) {
        const { stdout } = await nix.run('nix', ['path-info', '--json', ...some.map(({ path }) => path)]);
        const infos = new Map((0,src_nix/* parsePathInfo */.F)(stdout).map(info => [info.path, info]));
        const other = some.find(({ path, narHash }) => infos.get(path)?.narHash !== narHash);
        if (other === undefined)
            continue;
        throw new errors/* UserError */.yo(`${other.path} in the store is not the one that the archive of ${manifest.host} names.`, {
            where: { host: manifest.host },
            cure: 'Nothing was copied. Build with `archive: full`, or let the job that built it run again.',
        });
    }
    const inside = manifest.paths.filter(path => path.inside).map(({ path }) => path);
    if (inside.length === 0)
        return;
    // A path's references must be there before it, also those in the next call: so in one.
    const args = ['copy', '--no-check-sigs', '--no-recursive', '--from', `file://${directory}`, ...inside];
    await nix.run('nix', args, { signal });
}
function inCalls(paths) {
    const calls = [];
    for (let first = 0; first < paths.length; first += import_pathsPerCall)
        calls.push(paths.slice(first, first + import_pathsPerCall));
    return calls;
}

;// CONCATENATED MODULE: ./src/archive/index.ts
















/**
 * Packs each built host's closure into a folder that is a binary cache of Nix (`file://`, zstd) with `manifest.json`,
 * `install` and `README` beside it, signs it when there is a key, and uploads it when `artifacts` is given.
 *
 * A path that several hosts share is compressed once. A folder appears under its name only when it is complete; one of
 * that name is replaced.
 *
 * @returns one entry for each host that was built, in their order; empty when `config.kind` is `none`.
 * @throws UserError when the signing key is not one, or the disk too small.
 */
async function archive(built, config, nix, context, artifacts) {
    const { kind } = config;
    const hosts = built.filter(one => one.ok);
    if (kind === 'none' || hosts.length === 0)
        return [];
    if (config.signingKey !== null)
        context.log.secret(config.signingKey.trim());
    const publicKey = config.signingKey === null ? null : await (0,sign/* publicKeyOf */.k)(config.signingKey, nix);
    if (publicKey !== null)
        context.log.info(`Archives are signed; targets trust them with the public key ${publicKey}`);
    const configuration = config.includeSource && config.source !== null ? await addConfiguration(config.source, nix, context) : null;
    const closures = await Promise.all(hosts.map(host => withSource(host, configuration, nix, context)));
    const manifests = await Promise.all(closures.map(closure => manifestOf(closure, kind, publicKey, config.provenance, nix)));
    await (0,promises_.mkdir)(config.directory, { recursive: true });
    const directory = await plainPath(config.directory, context);
    const pool = (0,external_node_path_.join)(directory, '.pool');
    await (0,promises_.rm)(pool, { recursive: true, force: true });
    try {
        await packAll(closures, manifests, pool, nix, context);
        if (config.signingKey !== null) {
            await (0,sign/* signPaths */.s)(pool, [...pathsInside(manifests)], config.signingKey, nix, context);
        }
        return await (0,concurrency/* mapConcurrently */.X)(manifests, 4, async (manifest) => {
            const written = await write(manifest, pool, { ...config, directory }, nix, context);
            const one = { ...written, directory: (0,external_node_path_.join)(config.directory, archiveName(written.host)) };
            if (artifacts === null) {
                say(context, one, 'done');
                return one;
            }
            say(context, one, 'running', 'uploading');
            const artifact = await upload(one, config, artifacts, context);
            say(context, one, 'done');
            return { ...one, artifact };
        });
    }
    finally {
        (0,external_node_fs_.rmSync)(pool, { recursive: true, force: true });
    }
}
async function withSource({ host, toplevel, closure }, configuration, nix, context) {
    if (configuration === null)
        return { host, toplevel, closure, source: null };
    const nixpkgs = await nixpkgsOf(host.nixpkgs, nix);
    if (nixpkgs === null) {
        context.log.notice(`${host.name}: its nixpkgs does not go along: it is not pinned by a hash, or not in the store`);
    }
    const known = new Set(closure.map(({ path }) => path));
    const more = await nix.closure([configuration, ...(nixpkgs === null ? [] : [nixpkgs])]);
    const added = more.filter(({ path }) => !known.has(path));
    return { host, toplevel, closure: [...closure, ...added], source: { configuration, nixpkgs } };
}
async function manifestOf({ host, toplevel, closure, source }, kind, publicKey, { commit, repository, producer }, nix) {
    const paths = chooseInside(closure, kind, host.nix);
    const held = { kind, host: host.name, system: host.system, toplevel, publicKey, source, paths };
    return {
        version: 1,
        ...held,
        hostName: await hostNameOf(toplevel),
        digest: manifestDigest(held),
        commit,
        repository,
        producer,
        nixVersion: nix.installation.version,
        nixpkgs: host.nixpkgs,
        // Known when all files are there; see write.ts.
        sums: '',
    };
}
/** NixOS writes `networking.hostName` to `etc/hostname` (nixos/modules/tasks/network-interfaces.nix). */
async function hostNameOf(toplevel) {
    try {
        return (await (0,promises_.readFile)((0,external_node_path_.join)(toplevel, 'etc/hostname'), 'utf8')).trim() || null;
    }
    catch {
        return null;
    }
}
/** Packs what lies inside of any archive, once, into `pool`. */
async function packAll(hosts, manifests, pool, nix, context) {
    const closure = new Map();
    for (const host of hosts)
        for (const info of host.closure)
            closure.set(info.path, info);
    const inside = pathsInside(manifests);
    const pending = manifests.map(manifest => new Set(manifest.paths.filter(path => path.inside).map(({ path }) => path)));
    const counts = pending.map(paths => paths.size);
    const packed = (path) => pending.forEach((paths, index) => {
        if (!paths.delete(path))
            return;
        const all = counts[index] ?? 0;
        const text = `packing path ${all - paths.size} of ${all}`;
        context.progress({ host: manifests[index].host, stage: 'archive', state: 'running', text });
    });
    const infos = [...inside].map(path => closure.get(path));
    await (0,pack/* pack */.qq)(infos, closure, pool, nix, context, packed);
}
function pathsInside(manifests) {
    return new Set(manifests.flatMap(({ paths }) => paths.filter(path => path.inside).map(({ path }) => path)));
}
async function upload(one, config, artifacts, context) {
    const key = `${archiveName(one.host)}-${one.digest.replace(':', '-')}`;
    const earlier = await artifacts.recall(key);
    if (earlier !== null) {
        const holder = earlier.run === null ? 'this run' : `run ${earlier.run} of this repository`;
        context.log.info(`${one.host}: ${holder} already holds this archive (${earlier.name})`);
        if (earlier.run !== null)
            await refer(earlier, archiveName(one.host), artifacts, context);
        return earlier;
    }
    const extra = [];
    if (config.provenance.run !== null) {
        // Beside the archive, not in it: the same closure keeps the same bytes.
        const file = (0,external_node_path_.join)(one.directory, 'run.json');
        await (0,promises_.writeFile)(file, `${JSON.stringify({ run: config.provenance.run })}\n`);
        extra.push(file);
    }
    try {
        const artifact = await artifacts.upload(archiveName(one.host), one.directory, await filesOf(one.directory));
        await artifacts.remember(key, artifact);
        return artifact;
    }
    finally {
        for (const file of extra)
            await (0,promises_.rm)(file, { force: true });
    }
}
/** What a later job of this run finds instead of the archive: a small artifact of its name that says where it is. */
async function refer(earlier, name, artifacts, context) {
    const directory = await (0,promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'reference-'));
    const file = (0,external_node_path_.join)(directory, referenceFile);
    await (0,promises_.writeFile)(file, `${JSON.stringify(earlier)}\n`);
    await artifacts.upload(name, directory, [file]);
}
function say(context, one, state, text) {
    const whole = `${one.paths} of ${one.closurePaths} paths, ${(one.bytes / 1e6).toFixed(1)} MB`;
    context.progress({ host: one.host, stage: 'archive', state, text: text ?? whole });
}

// EXTERNAL MODULE: external "node:util"
var external_node_util_ = __webpack_require__(57975);
;// CONCATENATED MODULE: ./src/nix/log.ts

const activity = { copyPath: 100, build: 105 };
const buildLogLine = 101;
/** The event in one line; null for a line that is none of those above. A line without the prefix is a message. */
function parseLogLine(line) {
    if (!line.startsWith('@nix '))
        return line === '' ? null : { kind: 'message', level: 0, text: (0,external_node_util_.stripVTControlCharacters)(line) };
    let event;
    try {
        event = JSON.parse(line.slice('@nix '.length));
    }
    catch {
        return { kind: 'message', level: 0, text: (0,external_node_util_.stripVTControlCharacters)(line) };
    }
    const id = event.id ?? 0;
    const [first, second] = event.fields ?? [];
    if (event.action === 'start' && event.type === activity.build) {
        return { kind: 'build-start', id, drvPath: String(first), machine: String(second ?? '') };
    }
    if (event.action === 'start' && event.type === activity.copyPath) {
        return { kind: 'copy-start', id, path: String(first) };
    }
    if (event.action === 'result' && event.type === buildLogLine) {
        return { kind: 'log-line', id, line: (0,external_node_util_.stripVTControlCharacters)(String(first)) };
    }
    if (event.action === 'stop')
        return { kind: 'stop', id };
    if (event.action === 'msg') {
        return {
            kind: 'message',
            level: event.level ?? 0,
            text: (0,external_node_util_.stripVTControlCharacters)(event.raw_msg ?? event.msg ?? ''),
        };
    }
    return null;
}

// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
;// CONCATENATED MODULE: ./src/build/watch.ts

const keptLog = 16 * 1024;
/** Follows Nix's log while it builds and knows, for each host, what was built, what runs and what failed. */
class BuildWatch {
    #context;
    #missing;
    /** Derivation → the hosts that need it. */
    #needs = new Map();
    #running = new Map();
    #logs = new Map();
    #started = new Set();
    #failed = new Set();
    #messages = [];
    constructor(missing, context) {
        this.#missing = missing;
        this.#context = context;
    }
    /** Says which derivations the host's toplevel is made from. */
    learn(host, drvPaths) {
        for (const drvPath of drvPaths) {
            const hosts = this.#needs.get(drvPath);
            if (hosts === undefined)
                this.#needs.set(drvPath, [host]);
            else
                hosts.push(host);
        }
    }
    /** Takes one event; `alone` is the only host that was being built, where that is known. */
    see(event, alone) {
        switch (event.kind) {
            case 'build-start':
                this.#running.set(event.id, event.drvPath);
                this.#started.add(event.drvPath);
                this.#logs.delete(event.drvPath);
                for (const host of this.#needs.get(event.drvPath) ?? []) {
                    this.say(host, 'running', `building ${derivationName(event.drvPath)}`);
                }
                break;
            case 'log-line': {
                const drvPath = this.#running.get(event.id);
                if (drvPath === undefined)
                    break;
                this.#logs.set(drvPath, `${this.#logs.get(drvPath) ?? ''}${event.line}\n`.slice(-keptLog));
                this.#context.log.debug(`${derivationName(drvPath)}> ${event.line}`);
                break;
            }
            case 'stop':
                this.#running.delete(event.id);
                break;
            case 'message':
                this.#message(event.text, event.level, alone);
                break;
            default:
        }
    }
    say(host, state, text) {
        this.#context.progress({ host: host.name, stage: 'build', state, text });
    }
    /** The derivation, among those the host needs, that failed first; null when none did. */
    failedDerivation(host) {
        for (const drvPath of this.#failed)
            if (this.#needs.get(drvPath)?.includes(host))
                return drvPath;
        return null;
    }
    failure(host) {
        const drvPath = this.failedDerivation(host);
        if (drvPath !== null) {
            const log = this.#logs.get(drvPath) ?? this.#told(host);
            return { message: explained(log) ?? `${derivationName(drvPath)} failed to build`, drvPath, log };
        }
        const log = this.#told(host);
        const first = log.split('\n').find(line => line.trim() !== '');
        return { message: explained(log) ?? first ?? 'Nix did not build it and did not say why', drvPath: null, log };
    }
    builtFor(host) {
        return [...this.#started].filter(drvPath => this.#needs.get(drvPath)?.includes(host)).length;
    }
    summary(host) {
        const built = this.builtFor(host);
        return built === 0 ? 'fetched' : `built ${built} ${built === 1 ? 'derivation' : 'derivations'}`;
    }
    #message(text, level, alone) {
        // Nix up to 2.30: "builder for '….drv' failed"; from 2.31: "Cannot build '….drv'."
        const failed = /(?:builder for|Cannot build) '([^']+\.drv)'/.exec(text)?.[1];
        if (failed !== undefined)
            this.#failed.add(failed);
        if (level === 0)
            this.#messages.push({ text, host: alone });
        if (level <= 1)
            this.#context.log.debug(text);
    }
    /** What Nix said as errors: the host's own if it was built alone, else what names one of its derivations, else all. */
    #told(host) {
        const own = this.#messages.filter(message => message.host === host);
        const named = this.#messages.filter(message => [...message.text.matchAll(/\/nix\/store\/[^'\s]+\.drv/g)].some(([drvPath]) => this.#needs.get(drvPath)?.includes(host)));
        const told = own.length > 0 ? own : named.length > 0 || this.#missing.length > 1 ? named : this.#messages;
        return (told.length > 0 ? told : this.#messages)
            .map(message => message.text)
            .join('\n')
            .slice(-keptLog);
    }
}
/** What it means and what to do; null where we do not know. */
function explained(log) {
    const known = (0,explain/* explainNixError */.L)(log);
    return known === null ? null : `${known.message}. ${known.cure}`;
}
/** `hello-1.0` of `/nix/store/<hash>-hello-1.0.drv`. */
function derivationName(drvPath) {
    return drvPath.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, '');
}

;// CONCATENATED MODULE: ./src/build/index.ts




/**
 * Realises the toplevel of every host of the fleet, in one call of Nix, and tells how each ended.
 *
 * A host that cannot be built does not keep the others from being built. The toplevels are rooted against garbage
 * collection under `context.scratch` for as long as that exists.
 *
 * @returns one entry a host, in the fleet's order.
 */
async function build(fleet, nix, context) {
    const { hosts } = fleet;
    if (hosts.length === 0)
        return [];
    const present = await nix.valid(outPaths(hosts));
    const missing = hosts.filter(host => !present.has(host.toplevel.outPath));
    const watch = new BuildWatch(missing, context);
    for (const host of hosts)
        watch.say(host, 'running', present.has(host.toplevel.outPath) ? 'in the store' : 'building');
    // The graph is read while Nix already builds.
    const graph = Promise.all(missing.map(async (host) => watch.learn(host, await requisites(nix, host))));
    await Promise.all([realise(hosts, 'toplevel', watch, nix, context), graph]);
    let valid = await nix.valid(outPaths(hosts));
    // Nix stops at the first derivation that it cannot even begin (a foreign system, say), whatever --keep-going asks.
    if (hosts.length > 1) {
        for (const [index, host] of hosts.entries()) {
            const explained = valid.has(host.toplevel.outPath) || watch.failedDerivation(host) !== null;
            if (!explained && !context.signal.aborted)
                await realise([host], `host-${index}`, watch, nix, context, host);
        }
        valid = await nix.valid(outPaths(hosts));
    }
    const closures = await closuresOf([...valid], nix);
    return hosts.map(host => {
        const toplevel = host.toplevel.outPath;
        if (!valid.has(toplevel)) {
            const failure = watch.failure(host);
            watch.say(host, 'failed', failure.message);
            return { host, ok: false, failure };
        }
        const closure = closures(toplevel);
        watch.say(host, 'done', present.has(toplevel) ? 'was in the store' : watch.summary(host));
        return {
            host,
            ok: true,
            toplevel,
            closure,
            closureBytes: closure.reduce((sum, info) => sum + info.narSize, 0),
            builtDerivations: watch.builtFor(host),
        };
    });
}
function outPaths(hosts) {
    return [...new Set(hosts.map(host => host.toplevel.outPath))];
}
async function requisites(nix, host) {
    const { stdout } = await nix.run('nix-store', ['--query', '--requisites', host.toplevel.drvPath]);
    return stdout.split('\n').filter(path => path.endsWith('.drv'));
}
/** Failures are left in the watch, not thrown; `alone` is the host whose messages these all are. */
async function realise(hosts, root, watch, nix, context, alone) {
    const drvPaths = [...new Set(hosts.map(host => host.toplevel.drvPath))];
    const args = ['--realise', '--keep-going', '--log-format', 'internal-json'];
    args.push('--add-root', (0,external_node_path_.join)(context.scratch, 'roots', root), ...drvPaths);
    try {
        await nix.run('nix-store', args, {
            signal: context.signal,
            onStderr: line => {
                const event = parseLogLine(line);
                if (event !== null)
                    watch.see(event, alone);
            },
        });
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.code === null || error.code === 127)
            throw error;
    }
}
/** One query for all closures; answers the closure of each path by following references. */
async function closuresOf(paths, nix) {
    const infos = new Map(paths.length === 0 ? [] : (await nix.closure(paths)).map(info => [info.path, info]));
    return path => {
        const reached = new Set([path]);
        for (const next of reached)
            for (const reference of infos.get(next)?.references ?? [])
                reached.add(reference);
        return [...reached].sort().flatMap(each => infos.get(each) ?? []);
    };
}

// EXTERNAL MODULE: ./src/deploy/index.ts + 11 modules
var deploy = __webpack_require__(65890);
// EXTERNAL MODULE: ./src/deploy/units.ts
var units = __webpack_require__(46692);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:url"
var external_node_url_ = __webpack_require__(73136);
;// CONCATENATED MODULE: ./src/plan/adapter.ts








/**
 * Asks an adapter, in one evaluator.
 *
 * @param onAnswer called with each host's answer as soon as it is known, and with a host's name when it is begun.
 */
async function ask(adapter, question, request, nix, context, onEvent = () => undefined) {
    const mark = `ferry-${(0,external_node_crypto_.randomBytes)(12).toString('hex')}`;
    const folder = nixFolder();
    const glue = await (0,promises_.readFile)((0,external_node_path_.join)(folder, 'glue.nix'), 'utf8');
    const keyUnits = await (0,promises_.readFile)((0,external_node_path_.join)(folder, 'key-units.nix'), 'utf8');
    const file = (0,external_node_path_.join)(folder, `${adapter.file}.nix`);
    const arguments_ = [
        '--argstr',
        'request',
        JSON.stringify({ ...adapter.request, ...request, mark }),
        ...['--arg', 'glue', glue, '--arg', 'keyUnits', keyUnits],
        ...['--log-format', 'internal-json', '--show-trace', '-vv'],
        ...['--option', 'allow-import-from-derivation', 'true', '--option', 'accept-flake-config', 'false'],
        // The variable NIX_PATH is empty already; nix.conf has a setting too.
        ...['--option', 'nix-path', ''],
        ...(adapter.pure ? [] : (adapter.searchPath ?? []).flatMap(entry => ['-I', entry])),
    ];
    const { program, args } = adapter.pure
        ? { program: 'nix', args: ['eval', '--json', '--expr', await (0,promises_.readFile)(file, 'utf8'), question, ...arguments_] }
        : {
            program: 'nix-instantiate',
            args: ['--eval', '--strict', '--json', '--read-write-mode', file, '-A', question, ...arguments_],
        };
    const answers = { answers: [], result: undefined, failure: null, begun: null, files: new Set() };
    const failures = [];
    const onStderr = (line) => {
        const message = parseMessage(line);
        if (message.kind === 'error') {
            const places = message.failure.places.map(place => ({ ...place, file: pathOf(place.file, adapter) }));
            // What is no file is text of ours.
            failures.push({ ...message.failure, places: places.filter(({ file }) => file.startsWith('/')) });
        }
        else if (message.kind === 'file')
            answers.files.add(pathOf(message.file, adapter));
        else if (message.kind === 'text' && message.text.startsWith(`trace: ${mark} `)) {
            const event = JSON.parse(message.text.slice(`trace: ${mark} `.length));
            if ('begun' in event)
                answers.begun = event.begun;
            else
                answers.answers.push(event.answer);
            onEvent(event);
        }
        else if (message.kind === 'text' && message.level <= 1)
            context.log.debug(message.text);
    };
    const env = {
        ...nix.environment(),
        ...(adapter.pure ? {} : await withoutHome(context.scratch)),
        ...(adapter.heap === undefined ? {} : heapOf(adapter.heap)),
    };
    try {
        const { stdout } = await nix.run(program, args, { onStderr, signal: context.signal, env });
        answers.result = JSON.parse(stdout);
        answers.begun = null;
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || context.signal.aborted)
            throw error;
        const failure = failures.at(-1) ?? withoutMessage(error);
        answers.failure = { ...failure, roots: rootsOf(adapter, answers.files), files: answers.files };
    }
    return answers;
}
/** A flake is evaluated in a copy, whose first file is its flake.nix. */
function rootsOf({ request, roots }, files) {
    if (!('reference' in request))
        return roots;
    for (const file of files) {
        const [copy] = /^\/nix\/store\/[^/]+(?=\/(?:.*\/)?flake\.nix$)/.exec(file) ?? [];
        if (copy !== undefined)
            return [...roots, copy];
    }
    return roots;
}
/** A file as a path. Newer Nix names a flake's files by its reference, as `«git+file:///fleet?rev=…»/flake.nix`. */
function pathOf(file, { request, roots }) {
    // 2.26 and newer write line and column a second time, after the file.
    const path = file.replace(/:\d+:\d+$/, '');
    const [, reference, rest] = /^«([^»?]*)[^»]*»(\/.*)$/.exec(path) ?? [];
    const own = String(request.reference ?? '').replace(/\?.*$/, '');
    return reference === own && rest !== undefined ? `${roots[0]}${rest}` : path;
}
/**
 * What else an impure evaluation could see of the machine: nixpkgs reads configuration and overlays from the home directory,
 * and two variables. Nix's caches and Git's configuration stay where they are.
 */
async function withoutHome(scratch) {
    const home = (0,external_node_path_.join)(scratch, 'home');
    await (0,promises_.mkdir)(home, { recursive: true });
    return {
        HOME: home,
        XDG_CONFIG_HOME: undefined,
        XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? (0,external_node_path_.join)((0,external_node_os_.homedir)(), '.cache'),
        GIT_CONFIG_GLOBAL: process.env.GIT_CONFIG_GLOBAL ?? (0,external_node_path_.join)((0,external_node_os_.homedir)(), '.gitconfig'),
        NIXOS_CONFIG: undefined,
        NIXOS_EXTRA_MODULE_PATH: undefined,
    };
}
/**
 * Variables of Nix's collector (Boehm's). A heap that begins larger than Nix's own 384 MiB is collected less often: on 40 hosts
 * of NixOS 17.09 it saves a tenth of the time. Beyond a gibibyte, touching new memory costs more than collecting.
 */
function heapOf(bytes) {
    const kibibytes = Math.floor(bytes / 1024);
    return {
        GC_INITIAL_HEAP_SIZE: `${Math.min(1024 * 1024, Math.floor(kibibytes / 2))}K`,
        GC_MAXIMUM_HEAP_SIZE: `${kibibytes}K`,
    };
}
/** Nix ended without saying why: killed, or out of memory. */
function withoutMessage(error) {
    const ended = error.code === null ? `was ended by ${error.signal ?? 'a signal'}` : `exited with ${error.code}`;
    const memory = /out of memory/i.test(error.stderr) || error.signal === 'SIGKILL' || error.signal === 'SIGABRT';
    const printed = (0,external_node_util_.stripVTControlCharacters)(error.stderr).trim();
    return {
        message: memory ? `the evaluator ran out of memory (it ${ended})` : `the evaluator ${ended}`,
        printed,
        places: [],
    };
}
/** One line of `--log-format internal-json`; errors carry `raw_msg` (JSONLogger::logEI in Nix's logging.cc). */
function parseMessage(line) {
    if (!line.startsWith('@nix '))
        return line === '' ? { kind: 'none' } : { kind: 'text', level: 0, text: line };
    let raw;
    try {
        raw = JSON.parse(line.slice('@nix '.length));
    }
    catch {
        return { kind: 'text', level: 0, text: line };
    }
    const text = raw.msg ?? raw.text;
    if (text === undefined || (raw.action !== 'msg' && raw.action !== 'start'))
        return { kind: 'none' };
    // 2.8: a message; 2.30 and newer: the start of an activity.
    const evaluated = /^evaluating file '(.*)'$/s.exec(text);
    if (evaluated?.[1] !== undefined)
        return { kind: 'file', file: evaluated[1] };
    if (raw.action !== 'msg')
        return { kind: 'none' };
    if (raw.raw_msg === undefined || (raw.level ?? 0) > 0)
        return { kind: 'text', level: raw.level ?? 0, text };
    const places = [raw, ...(raw.trace ?? [])].flatMap(({ file, line, column }) => typeof file === 'string' && typeof line === 'number' ? [{ file, line, column: column ?? 1 }] : []);
    const failure = {
        message: (0,external_node_util_.stripVTControlCharacters)(raw.raw_msg).trim(),
        printed: (0,external_node_util_.stripVTControlCharacters)(text).trim(),
        places,
    };
    return { kind: 'error', failure };
}
/** The folder nix/ of this program, beside src/ or dist/. */
function nixFolder() {
    let folder = (0,external_node_path_.dirname)((0,external_node_url_.fileURLToPath)(import.meta.url));
    while (!(0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, 'nix', 'glue.nix'))) {
        const parent = (0,external_node_path_.dirname)(folder);
        if (parent === folder)
            throw new Error(`nix/glue.nix is not beside ${(0,external_node_url_.fileURLToPath)(import.meta.url)}`);
        folder = parent;
    }
    return (0,external_node_path_.join)(folder, 'nix');
}

;// CONCATENATED MODULE: ./src/plan/behind.ts

/** How deep a toplevel may lie in the package around it: a link farm in a link farm is three. */
const depth = 4;
const toplevel = /^\/nix\/store\/[a-z0-9]{32}-(nixos-system-.+)\.drv$/;
/**
 * Finds the toplevel behind a package that wraps one, as deploy-rs' profiles and packages with a switch script do, by what
 * its derivation refers to. An answer that is no package stays as it is.
 *
 * @throws UserError when the package holds no NixOS system, or several.
 */
async function lookBehind(answer, nix) {
    if (answer.wrapper === null)
        return answer;
    const found = await toplevelsBehind(answer.wrapper, nix);
    if (found.includes(answer.drvPath))
        return answer;
    const [drvPath, other] = found;
    if (drvPath === undefined) {
        throw new errors/* UserError */.yo(`${JSON.stringify(answer.name)} is a package, and no NixOS system is in it.`, {
            where: { host: answer.name },
            cure: 'Name a host: config.system.build.toplevel, a NixOS evaluation, or a package that links to one.',
        });
    }
    if (other !== undefined) {
        throw new errors/* UserError */.yo(`${JSON.stringify(answer.name)} is a package with several NixOS systems: ${found.join(', ')}.`, {
            where: { host: answer.name },
            cure: 'Name one of them by its attribute.',
        });
    }
    const { stdout } = await nix.run('nix-store', ['--query', '--outputs', drvPath]);
    return { ...answer, drvPath, output: stdout.trim(), system: await systemOf(drvPath, nix) };
}
async function toplevelsBehind(wrapper, nix) {
    let level = [wrapper];
    const seen = new Set(level);
    for (let i = 0; i < depth && level.length > 0; i++) {
        const { stdout } = await nix.run('nix-store', ['--query', '--references', ...level]);
        const references = [...new Set(stdout.split('\n').filter(path => path.endsWith('.drv') && !seen.has(path)))];
        const found = toplevelsIn(references);
        if (found.length > 0)
            return found.sort();
        for (const path of references)
            seen.add(path);
        level = references;
    }
    return [];
}
/** deploy-rs calls its scripts after the toplevel: `nixos-system-web-25.05-activate-rs` is none. */
function toplevelsIn(drvPaths) {
    const named = drvPaths.flatMap(path => {
        const [, name] = toplevel.exec(path) ?? [];
        return name === undefined ? [] : [{ path, name }];
    });
    return named.filter(({ name }) => !named.some(other => name.startsWith(`${other.name}-`))).map(({ path }) => path);
}
/** The system a derivation is built on, by `nix show-derivation` or, as it is called since 2.14, `nix derivation show`. */
async function systemOf(drvPath, nix) {
    const { stdout } = await nix.run('nix', ['show-derivation', drvPath]);
    // Until 2.31 keyed by path, later below `derivations`.
    const shown = JSON.parse(stdout);
    const [derivation] = Object.values(shown.derivations ?? shown);
    return derivation?.system ?? 'unknown';
}

// EXTERNAL MODULE: ./src/plan/fleet.ts
var fleet = __webpack_require__(1127);
;// CONCATENATED MODULE: ./src/plan/knowledge.ts

/** Records without a prototype: a host may be named `constructor`. */
function nothingKnown() {
    return { answers: Object.create(null), deployments: Object.create(null), pins: Object.create(null) };
}
/** Reads what `textOf` wrote; null for anything else. */
function readKnowledge(text) {
    let kept;
    try {
        kept = JSON.parse(text);
    }
    catch {
        return null;
    }
    if (!isKnowledge(kept))
        return null;
    const records = nothingKnown();
    for (const [name, record] of Object.entries(records))
        Object.assign(record, kept[name]);
    return { ...kept, ...records };
}
/** What is kept of it: a host whose secrets stand in the configuration as text is left out. */
function textOf(knowledge) {
    const open = (deployment) => !JSON.stringify(deployment ?? null).includes('"source":{"text":');
    return JSON.stringify({
        ...knowledge,
        answers: Object.fromEntries(Object.entries(knowledge.answers).filter(([, answer]) => open(answer.deployment))),
        deployments: Object.fromEntries(Object.entries(knowledge.deployments).filter(([, said]) => open(said))),
    });
}
function isKnowledge(kept) {
    if (!isRecord(kept))
        return false;
    const { format, detected, main, names, notes, answers, deployments, pins } = kept;
    return (fleet/* formats */.F.includes(format) &&
        knowledge_isText(detected, null) &&
        knowledge_isText(main) &&
        areTexts(names) &&
        [notes, answers, deployments, pins].every(isRecord) &&
        Object.entries(answers).every(([name, answer]) => names.includes(name) && isAnswer(name, answer)) &&
        Object.keys(deployments).every(name => names.includes(name)) &&
        Object.values(pins).every(isPin));
}
function isAnswer(host, answer) {
    if (!isRecord(answer))
        return false;
    const { name, system, drvPath, output, nixpkgs, nix, wrapper } = answer;
    return (name === host &&
        [system, drvPath, output].every(value => knowledge_isText(value)) &&
        knowledge_isStorePath.test(`${output}`) &&
        knowledge_isStorePath.test(`${drvPath}`) &&
        `${drvPath}`.endsWith('.drv') &&
        knowledge_isText(nixpkgs, null) &&
        knowledge_isText(wrapper, null) &&
        (nix === null || (isRecord(nix) && areTexts(nix.substituters) && areTexts(nix.trustedPublicKeys))));
}
const knowledge_isStorePath = /^\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$/;
function isPin(pin) {
    return isRecord(pin) && knowledge_isText(pin.revision, null) && knowledge_isText(pin.narHash, null) && knowledge_isText(pin.by);
}
function isRecord(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function knowledge_isText(value, or) {
    return typeof value === 'string' || value === or;
}
function areTexts(value) {
    return Array.isArray(value) && value.every(each => typeof each === 'string');
}

;// CONCATENATED MODULE: ./src/plan/diagnose.ts




const keptTrace = 16 * 1024;
/**
 * A place of Nix's as one in the repository; null when it lies outside.
 *
 * @param roots folders that hold what the repository's root holds: the work tree, and the store paths Nix copied it to.
 */
function inRepository(place, roots) {
    for (const root of roots) {
        const file = (0,external_node_path_.relative)((0,external_node_path_.resolve)(root), (0,external_node_path_.resolve)(place.file));
        if (file !== '' && !file.startsWith('..'))
            return { ...place, file };
    }
    return null;
}
/** The innermost place of a failure that lies in the repository; null when there is none. */
function placeOf(failure) {
    for (const place of [...failure.places, ...placesIn(failure.printed)]) {
        const inside = inRepository(place, failure.roots);
        if (inside !== null)
            return inside;
    }
    return whereThrown(failure);
}
/** Nix 2.8 doesn't say where a `throw` stands: the one place in the evaluated files that holds its words. */
function whereThrown({ message, files, roots }) {
    if (message.includes('\n') || message.length < 4)
        return null;
    const found = [];
    for (const file of files) {
        const inside = inRepository({ file, line: 1, column: 1 }, roots);
        if (inside === null || !(0,external_node_fs_.existsSync)(file))
            continue;
        for (const [index, line] of (0,external_node_fs_.readFileSync)(file, 'utf8').split('\n').entries()) {
            const at = line.indexOf(message);
            if (at >= 0)
                found.push({ file: inside.file, line: index + 1, column: at + 1 });
        }
    }
    const [first, second] = found;
    return first !== undefined && second === undefined ? first : null;
}
/** Places that the text of an error names: `at /file:1:2`, and the modules' "In `/file'" without a line. */
function placesIn(printed) {
    const places = [];
    for (const [, file, line, column] of printed.matchAll(/(\/[^\s:'"`»]+):(\d+)(?::(\d+))?/g)) {
        if (file !== undefined)
            places.push({ file, line: Number(line), column: Number(column ?? 1) });
    }
    for (const [, file] of printed.matchAll(/[`'](\/[^\s'`]+\.nix)'/g)) {
        if (file !== undefined)
            places.push({ file, line: 1, column: 1 });
    }
    return places;
}
/** A host's failure, for the plan. */
function evaluationFailure(host, failure) {
    const place = placeOf(failure);
    return {
        host,
        message: meaning(failure),
        trace: failure.printed.slice(0, keptTrace),
        file: place?.file ?? null,
        line: place?.line ?? null,
        column: place?.column ?? null,
    };
}
/** A failure that belongs to no single host: the source as a whole cannot be read. */
function sourceFailure(failure, fallback = {}) {
    const place = placeOf(failure);
    return new errors/* UserError */.yo(meaning(failure), { where: place ?? fallback, cause: failure.printed });
}
/** Nix's message, and where we know it what it means and what to do. */
function meaning({ message, printed }) {
    const known = (0,explain/* explainNixError */.L)(printed);
    const said = sentence(message);
    return known === null ? said : `${said} It means that ${known.message}. ${known.cure}`;
}
/** Nix's message as a sentence: without the module system's frame and with a full stop. */
function sentence(message) {
    const text = message.replace(/^error: /, '').trim();
    const cut = text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
    const first = cut.charAt(0).toUpperCase() + cut.slice(1);
    return /[.!?…:'"`]$/.test(first) ? first : `${first}.`;
}

;// CONCATENATED MODULE: ./src/plan/flake.ts


/** The reference of the flake in `source`. */
function flakeReference(source, repository) {
    if (repository === null)
        return { url: `path:${encode(source)}`, locked: false };
    const folder = (0,external_node_path_.relative)(repository.root, (0,external_node_path_.resolve)(source));
    const locked = !repository.dirty && repository.commit !== null;
    const query = [
        ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
        // Without a ref Nix 2.8 asks a repository whose path must be encoded for its branch master.
        ...(locked ? [`rev=${repository.commit}`, 'ref=HEAD'] : []),
        // Nix refuses a clone without history unless it is told; the flake has no revCount then.
        ...(locked && repository.shallow ? ['shallow=1'] : []),
    ];
    return { url: `git+file://${encode(repository.root)}${query.length === 0 ? '' : `?${query.join('&')}`}`, locked };
}
/** Percent-encodes all but what every part of a URL may hold. */
function encode(path) {
    return path.replace(/[^\w/.~-]/gu, char => encodeURIComponent(char).replace(/[!'()*]/g, hex));
}
function hex(char) {
    return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
/**
 * Has Nix check the lock of a flake that is then evaluated as its folder is. Such an evaluation would lock a missing input by
 * itself, from the network; a pure one of the same files refuses to.
 */
async function checkLock(source, repository, nix, context, onFailure) {
    const roots = [repository?.root ?? source];
    const asked = { url: repository === null ? null : `file://${encode(repository.root)}`, folder: source };
    const tree = await ask({ file: 'tree', request: asked, pure: false, roots }, 'names', {}, nix, context);
    if (tree.failure !== null)
        throw onFailure(tree.failure, 'flake.nix');
    const { root } = tree.result;
    const [info] = await nix.closure([root]);
    const folder = (0,external_node_path_.relative)(roots[0] ?? source, (0,external_node_path_.resolve)(source));
    const query = [
        `narHash=${encodeURIComponent(info?.narHash ?? '')}`,
        ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
    ];
    const request = { reference: `path:${root}?${query.join('&')}` };
    const locked = await ask({ file: 'outputs', request, pure: true, roots: [...roots, root] }, 'names', {}, nix, context);
    if (locked.failure !== null && unlockedInput(locked.failure.message) !== null)
        throw onFailure(locked.failure, 'flake.nix');
}
/** What an unlocked input is called in Nix's errors; null for another error. */
function unlockedInput(message) {
    const match = /cannot update (?:unlocked )?flake input '([^']+)' in pure mode/.exec(message) ??
        /requires lock file changes()/.exec(message);
    return match === null ? null : (match[1] ?? '');
}

;// CONCATENATED MODULE: ./src/plan/scan.ts
/**
 * The text with comments and what strings hold blanked out, every character in its place. Code inside `${}` stays.
 *
 * Just enough of Nix's lexer for this: comments, "strings", ''strings'' with their escapes, and interpolation.
 */
function codeOf(text) {
    const out = Array.from({ length: text.length }, (_, i) => text.charAt(i));
    const blank = (from, to) => {
        for (let i = from; i < to; i++)
            if (out[i] !== '\n')
                out[i] = ' ';
    };
    /** Ends after the brace that closes what was open at the start, or with the text. */
    const code = (start) => {
        let depth = 0;
        let i = start;
        while (i < text.length) {
            const two = text.slice(i, i + 2);
            if (text[i] === '#' || two === '/*') {
                const end = text[i] === '#' ? text.indexOf('\n', i) : text.indexOf('*/', i + 2) + 2;
                const to = end < i + 1 ? text.length : end;
                blank(i, to);
                i = to;
            }
            else if (text[i] === '"')
                i = string(i + 1, '"');
            else if (two === "''")
                i = string(i + 2, "''");
            else if (text[i] === '{') {
                depth += 1;
                i += 1;
            }
            else if (text[i] === '}') {
                i += 1;
                if (depth === 0)
                    return i;
                depth -= 1;
            }
            else
                i += 1;
        }
        return i;
    };
    const string = (start, quote) => {
        let i = start;
        while (i < text.length) {
            const kept = quote === '"' ? /\\[\s\S]|\$\$/y : /'''|''\$|''\\[\s\S]|\$\$/y;
            kept.lastIndex = i;
            const escaped = kept.exec(text);
            if (escaped !== null) {
                blank(i, kept.lastIndex);
                i = kept.lastIndex;
            }
            else if (text.startsWith('${', i)) {
                blank(i, i + 2);
                const end = code(i + 2);
                blank(end - 1, end);
                i = end;
            }
            else if (text.startsWith(quote, i))
                return i + quote.length;
            else {
                blank(i, i + 1);
                i += 1;
            }
        }
        return i;
    };
    let at = 0;
    while (at < text.length)
        at = code(at);
    return out.join('');
}
const fetchers = {
    fetchTarball: /\b(?:sha256|hash|narHash)\b/,
    fetchurl: /\b(?:sha256|hash|narHash)\b/,
    fetchGit: /\b(?:rev|narHash)\b/,
    fetchMercurial: /\b(?:rev|narHash)\b/,
    fetchTree: /\b(?:rev|narHash)\b/,
    getFlake: /[?&](?:rev|narHash)=|\b[0-9a-f]{40}\b/,
};
/** Fetches that plainly name no hash or revision. What is computed elsewhere isn't judged here. */
function unpinnedFetches(text) {
    const code = codeOf(text);
    const found = [];
    const call = /(?<![\w'-])(builtins\s*\.\s*)?(fetchTarball|fetchurl|fetchGit|fetchMercurial|fetchTree|getFlake)(?![\w'-])\s*(\(?\s*)(["{]|[a-z]+:|'')/g;
    for (const match of code.matchAll(call)) {
        const [whole, builtin, name, , begin] = match;
        if (name === undefined || begin === undefined)
            continue;
        // nixpkgs' own fetchurl cannot do without a hash.
        if (name === 'fetchurl' && builtin === undefined)
            continue;
        const start = match.index + whole.length - begin.length;
        const pinned = begin === '{' ? setIsPinned(code, text, start, name) : wordIsPinned(code, text, start, name);
        if (!pinned)
            found.push({ at: match.index, what: name });
    }
    return found;
}
function setIsPinned(code, text, start, name) {
    let depth = 0;
    let end = start;
    for (; end < code.length; end++) {
        if (code[end] === '{')
            depth += 1;
        if (code[end] === '}')
            depth -= 1;
        if (depth === 0)
            break;
    }
    const inside = code.slice(start, end);
    // `{ … } // more` and a pattern before `:` are judged where they are made.
    if (/^\}\s*(?:\/\/|:|@)/.test(code.slice(end)))
        return true;
    if (/\burl\s*=\s*(?:\.|\/|toString\b)/.test(inside))
        return true;
    if (fetchers[name].test(inside))
        return true;
    // A tarball's address may name a revision, but nothing checks what comes.
    return name !== 'fetchTarball' && name !== 'fetchurl' && fetchers.getFlake.test(text.slice(start, end));
}
function wordIsPinned(code, text, start, name) {
    const rest = code[start] === '"' ? /"[^"]*"/y : /\S+/y;
    rest.lastIndex = start;
    const word = rest.exec(code)?.[0] ?? '';
    const raw = text.slice(start, start + word.length);
    return name !== 'fetchTarball' && name !== 'fetchurl' && fetchers.getFlake.test(raw);
}
/** `<nixpkgs>` and its like, which the machine's NIX_PATH decides. `<nix/…>` is Nix's own. */
function searchPaths(text) {
    return Array.from(codeOf(text).matchAll(/<(?!nix\/)[A-Za-z0-9._+-]+(?:\/[A-Za-z0-9._+-]+)*>/g), match => ({
        at: match.index,
        what: match[0],
    }));
}
/** The line of an offset, from 1. */
function lineOf(text, at) {
    return text.slice(0, at).split('\n').length;
}
/** Whether a Nix file asks what no commit tells: the environment, or the time. */
function readsMachine(text) {
    return /\b(?:getEnv|currentTime)\b/.test(codeOf(text));
}
/** Whether a Nix file that lies `depth` folders below another may name something outside of that one. */
function reachesOut(text, depth) {
    if (/\bdirOf\b/.test(text))
        return true;
    return (text.match(/[^\s"'();{}[\]]*\.\.(?=\/|[\s"'();{}[\]]|$)[^\s"'();{}[\]]*/g) ?? []).some(path => path.split('/').filter(segment => segment === '..').length > depth);
}

;// CONCATENATED MODULE: ./src/plan/pins.ts






const tarballCure = 'Write the address of a commit and its hash: `fetchTarball { url = "https://github.com/NixOS/nixpkgs/archive/<commit>.tar.gz"; sha256 = "…"; }` (`nix-prefetch-url --unpack <address>` prints it), or pin it with npins.';
const pathCure = 'Pin nixpkgs in the repository (npins, niv, a flake, or `fetchTarball` with `sha256`) and import that instead, or name a pin in the input `nixpkgs`.';
const cures = {
    fetchTarball: tarballCure,
    fetchurl: 'Add `sha256`.',
    fetchGit: 'Add `rev`, the commit in 40 hex digits.',
    fetchMercurial: 'Add `rev`.',
    fetchTree: 'Add `rev` and `narHash`.',
    getFlake: 'Name the commit and the hash: `?rev=…&narHash=…`, or make it an input of a locked flake.',
};
/** Files of the repository that were evaluated, relative to its root. */
function ownFiles({ base, roots, files }) {
    const own = new Set();
    for (const file of files) {
        const inside = inRepository({ file, line: 1, column: 1 }, roots);
        if (inside !== null && (0,external_node_fs_.existsSync)((0,external_node_path_.join)(base, inside.file)))
            own.add(inside.file);
    }
    return [...own].sort();
}
/**
 * What isn't fixed: what failures tell of it, and what stands in the repository's own evaluated files. Nix does not always
 * say where; what has no place is then in a file, or else in the one that all starts from.
 *
 * @param main relative to the repository's root.
 */
function problemsIn(evidence, failures, main, withSearchPaths) {
    const inFiles = unpinnedIn(evidence, withSearchPaths);
    const told = failures
        .flatMap(failure => problemBehind(failure) ?? [])
        .filter(({ what, file }) => !inFiles.some(other => other.what === what && (file ?? other.file) === other.file))
        .map(problem => ({ ...problem, file: problem.file ?? main }));
    return [...told, ...inFiles];
}
/** Fetches in the repository's own evaluated files that name no hash. */
function unpinnedIn(evidence, withSearchPaths) {
    return ownFiles(evidence).flatMap(file => {
        const text = (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(evidence.base, file), 'utf8');
        const paths = withSearchPaths ? searchPaths(text) : [];
        return [
            ...unpinnedFetches(text).map(({ at, what }) => ({
                what: `${what} without ${what === 'fetchTarball' || what === 'fetchurl' ? 'a hash' : 'a revision'}`,
                file,
                line: lineOf(text, at),
                cure: cures[what] ?? tarballCure,
            })),
            ...paths.map(({ at, what }) => ({ what, file, line: lineOf(text, at), cure: pathCure })),
        ];
    });
}
/** The problem behind an evaluation that failed since something was not pinned; null for another failure. */
function problemBehind(failure) {
    const place = placeOf(failure);
    const at = { file: place?.file ?? null, line: place?.line ?? null };
    const path = /file '([^']+)' was not found in the Nix search path/.exec(failure.message) ??
        /cannot look up '<([^']+)>' in pure evaluation mode/.exec(failure.message);
    if (path !== null)
        return { what: `<${path[1]}>`, ...at, cure: pathCure };
    if (/<nixpkgs> of the machine would be taken/.test(failure.message)) {
        return { what: failure.message.replace(/^error: /, ''), ...at, cure: pathCure };
    }
    const fetch = /in pure evaluation mode, '(fetch\w+)' (?:requires|will not fetch)/.exec(failure.message);
    if (fetch?.[1] !== undefined)
        return { what: `${fetch[1]} without a hash`, ...at, cure: cures[fetch[1]] ?? tarballCure };
    if (/'getFlake' on unlocked flake reference|cannot call 'fetchTree'.*unlocked/.test(failure.message)) {
        return { what: 'a flake reference that is not locked', ...at, cure: cures.getFlake ?? '' };
    }
    const input = unlockedInput(failure.message);
    if (input === null)
        return null;
    return {
        what: input === '' ? 'a flake input that flake.lock does not lock' : `the flake input ${input}, which is not locked`,
        file: null,
        line: null,
        cure: 'Run `nix flake lock` and commit flake.lock.',
    };
}
/** One error for all that is not fixed; the first has its place. */
function pinError(problems) {
    const [first, ...more] = problems;
    const also = more.slice(0, 5).map(({ what, file, line }) => `${what} (${file ?? '?'}:${line ?? '?'})`);
    return new errors/* UserError */.yo(`Not pinned: ${first.what}.${also.length === 0 ? '' : ` Also: ${[...new Set(also)].join(', ')}.`}`, {
        where: first.file === null
            ? { input: 'source' }
            : { file: first.file, ...(first.line === null ? {} : { line: first.line }) },
        cure: `${first.cure} (\`nixpkgs-pin: warn\` lets it pass.)`,
    });
}
/**
 * How the nixpkgs at a path is fixed: by the repository's own commit, or by a hash that the repository holds.
 *
 * The hash is looked for, not the way it is written, so that npins, niv, flakes, `fetchTarball` and whatever else fetches by
 * hash are all found.
 */
async function pinOf(path, evidence, nix) {
    const inside = inRepository({ file: (0,external_node_path_.join)(path, 'x'), line: 1, column: 1 }, evidence.roots);
    if (inside !== null) {
        const { repository } = evidence;
        return {
            revision: repository === null || repository.dirty ? null : repository.commit,
            narHash: null,
            by: (0,external_node_path_.dirname)(inside.file) === '.' ? 'the repository' : `${(0,external_node_path_.dirname)(inside.file)} in the repository`,
        };
    }
    const stored = /^\/nix\/store\/[^/]+/.exec(path)?.[0];
    if (stored === undefined)
        return null;
    const narHash = await narHashOf(stored, nix);
    if (narHash === null)
        return null;
    const base32 = (await nix.run('nix-hash', ['--type', 'sha256', '--to-base32', narHash])).stdout.trim();
    const bytes = Buffer.from(narHash.replace('sha256-', ''), 'base64');
    const { given } = evidence;
    if (given?.includes('narHash=') && decodeURIComponent(given).includes(narHash)) {
        return { revision: /\b[0-9a-f]{40}\b/.exec(given)?.[0] ?? null, narHash, by: 'the input nixpkgs' };
    }
    const spelled = [narHash.replace('sha256-', ''), base32, bytes.toString('hex')];
    let byRevision = null;
    for (const file of placesOfPins(evidence)) {
        const text = (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(evidence.base, file), 'utf8');
        const at = spelled.map(hash => text.indexOf(hash)).find(index => index >= 0);
        if (at !== undefined)
            return { revision: revisionNear(text, at), narHash, by: by(file, text, at) };
        const git = /\b(?:fetchGit|fetchTree|getFlake)\b[\s\S]{0,400}?\b([0-9a-f]{40})\b/.exec(text);
        if (byRevision === null && file.endsWith('.nix') && git?.[1] !== undefined) {
            byRevision = { revision: git[1], narHash, by: by(file, text, git.index) };
        }
    }
    return byRevision;
}
function by(file, text, at) {
    return file.endsWith('.nix') ? `${file}:${lineOf(text, at)}` : file;
}
async function narHashOf(path, nix) {
    const [info] = await nix.closure([path]).catch(() => []);
    return info?.narHash ?? null;
}
/** Evaluated files, and the lock files beside them. */
function placesOfPins(evidence) {
    const own = ownFiles(evidence);
    const above = foldersUpTo(evidence.base, (0,external_node_path_.resolve)(evidence.source)).map(folder => (0,external_node_path_.relative)(evidence.base, folder));
    const folders = new Set([...above, ...own.map(file => (0,external_node_path_.dirname)(file))]);
    const locks = [...folders].flatMap(folder => {
        const path = (0,external_node_path_.join)(evidence.base, folder);
        if (!(0,external_node_fs_.existsSync)(path))
            return [];
        return (0,external_node_fs_.readdirSync)(path)
            .filter(name => /\.(?:lock|json|toml)$/.test((0,external_node_path_.basename)(name)))
            .map(name => (0,external_node_path_.join)(folder, name));
    });
    return [...new Set([...locks, ...own])];
}
/** The revision that stands nearest to a hash: in the same lines of a lock file, or in the address beside it. */
function revisionNear(text, at) {
    let best = null;
    for (const match of text.matchAll(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g)) {
        const distance = Math.abs(match.index - at);
        if (distance < 1_000 && (best === null || distance < best.distance))
            best = { revision: match[0], distance };
    }
    return best?.revision ?? null;
}
/**
 * Reads the input `nixpkgs`: a path in the source (npins' or niv's file, flake.lock, a file that answers with a path, a
 * folder), or a locked flake reference.
 */
function givenNixpkgs(text, source) {
    const path = (0,external_node_path_.resolve)(source, text);
    if ((0,external_node_fs_.existsSync)(path)) {
        if (/\.lock$/.test(path))
            return { kind: 'lock', path };
        if ((0,external_node_fs_.existsSync)((0,external_node_path_.join)(path, 'nixos')))
            return path;
        if ((0,external_node_fs_.existsSync)((0,external_node_path_.join)(path, 'default.nix')))
            return { kind: 'sources', path: (0,external_node_path_.join)(path, 'default.nix') };
        return { kind: /sources\.nix$/.test(path) ? 'sources' : 'file', path };
    }
    if (/^[a-z+]+:/.test(text)) {
        if (/[?&]narHash=sha256-/.test(text))
            return { kind: 'reference', path: text };
        throw new errors/* UserError */.yo(`The input nixpkgs, ${JSON.stringify(text)}, names no hash.`, {
            where: { input: 'nixpkgs' },
            cure: 'Write the commit and the hash: `github:NixOS/nixpkgs/<commit>?narHash=sha256-…` (`nix flake prefetch --json` prints it).',
        });
    }
    throw new errors/* UserError */.yo(`The input nixpkgs names ${JSON.stringify(text)}, which is not there.`, {
        where: { input: 'nixpkgs' },
        cure: 'Name a file or folder of the source (npins, nix/sources.nix, flake.lock, nixpkgs.nix), or a locked reference as `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
    });
}
/** Pins that lie beside a configuration, as their tools name them, or in the nearest folder above it that has any. */
function pinsAround(source, root) {
    for (const folder of foldersUpTo(root, source)) {
        const names = ['npins', 'nix/sources.nix', 'flake.lock', 'nixpkgs.nix', 'nixpkgs'];
        const found = names.filter(name => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, name === 'npins' ? 'npins/default.nix' : name)));
        if (found.length > 0)
            return found.map(name => (0,external_node_path_.relative)(source, (0,external_node_path_.join)(folder, name)));
    }
    return [];
}
/** From `folder` to `root`, which holds it, both included. */
function foldersUpTo(root, folder) {
    return folder === root || folder === (0,external_node_path_.dirname)(folder) ? [folder] : [folder, ...foldersUpTo(root, (0,external_node_path_.dirname)(folder))];
}
/** Says what nixpkgs the hosts are built from, and how it is fixed. */
function tellPins(hosts, context) {
    const built = new Map();
    for (const { name, nixpkgs } of hosts) {
        if (nixpkgs === null)
            continue;
        const fixed = [nixpkgs.revision, nixpkgs.narHash].filter(each => each !== null).join(', ') || 'as it lies there';
        const what = `nixpkgs ${fixed}, by ${nixpkgs.by}`;
        built.set(what, [...(built.get(what) ?? []), name]);
    }
    for (const [what, names] of built)
        context.log.info(`${what}: ${names.join(', ')}`);
}
/** Warns of each problem where it stands. */
function warnOf(problems, context) {
    for (const { what, file, line, cure } of problems) {
        context.log.warning(`Not pinned: ${what}. ${cure}`, {
            ...(file === null ? {} : { file }),
            ...(line === null ? {} : { line }),
        });
    }
}

;// CONCATENATED MODULE: ./src/plan/shared.ts





/** The shape of an entry: raised when an older one would not do any more. */
const shared_shape = 1;
/**
 * Plans in the Actions cache, with the derivations that they name, since a fresh machine has none. A plan says whom to speak to
 * and what to run there, so it counts only with the mark of the secret; derivations are checked by Nix, whose paths tell their
 * content. Trouble is a warning, and the hosts are evaluated.
 */
function sharedShelf({ port, secret, beside }, nix, context) {
    const mark = (...words) => (0,external_node_crypto_.createHmac)('sha256', secret.trim()).update(JSON.stringify(words)).digest('hex');
    // With another secret there are other entries: one cannot be written anew.
    const prefixOf = (name) => `nix-ferry-plan-${shared_shape}-${mark('key').slice(0, 8)}-${name.slice(0, 32)}-`;
    const store = `file://${(0,external_node_path_.join)(port.directory, 'derivations')}`;
    const copy = (...words) => nix.run('nix', ['copy', '--derivation', ...words], { signal: context.signal });
    return {
        async read(names) {
            try {
                await (0,promises_.rm)(port.directory, { recursive: true, force: true });
                const prefixes = names.map(prefixOf);
                const found = await port.restore(prefixes[0] ?? '', prefixes);
                if (found === null)
                    return null;
                const knowledge = genuine(await (0,promises_.readFile)((0,external_node_path_.join)(port.directory, 'plan.json'), 'utf8'), names, mark);
                const drvPaths = derivationsOf(knowledge);
                if (drvPaths.length > 0)
                    await copy('--from', store, ...drvPaths);
                context.log.info(`Restored the plan of ${drvPaths.length} hosts from the cache, ${found}.`);
                return knowledge;
            }
            catch (error) {
                if (context.signal.aborted)
                    throw error;
                context.log.warning(`The kept plan is not used: ${(0,errors/* explain */.WE)(error)}`);
                return null;
            }
        },
        async write(name, knowledge) {
            if (port.trusted)
                beside(save(name, knowledge));
            else
                context.log.info('The plan is not kept: what this run evaluates must not reach others.');
        },
    };
    async function save(name, knowledge) {
        try {
            const text = textOf(knowledge);
            const hosts = readKnowledge(text);
            if (hosts === null)
                throw new Error('it cannot be read back');
            await (0,promises_.rm)(port.directory, { recursive: true, force: true });
            await (0,promises_.mkdir)(port.directory, { recursive: true });
            const drvPaths = derivationsOf(hosts);
            if (drvPaths.length === 0)
                return;
            await copy('--to', `${store}?compression=none`, ...drvPaths);
            const entry = { name, text, mac: mark('plan', name, text) };
            await (0,promises_.writeFile)((0,external_node_path_.join)(port.directory, 'plan.json'), JSON.stringify(entry));
            const known = (0,external_node_crypto_.createHash)('sha256')
                .update(JSON.stringify(Object.keys(hosts.answers).sort()))
                .digest('hex');
            const key = `${prefixOf(name)}${known.slice(0, 16)}`;
            if (await port.save(key))
                context.log.info(`Kept the plan of ${drvPaths.length} hosts in the cache, ${key}.`);
            else
                context.log.warning(`The plan is not kept. If it has an entry already: \`gh cache delete ${key}\`.`);
        }
        catch (error) {
            if (!context.signal.aborted)
                context.log.warning(`The plan is not kept: ${(0,errors/* explain */.WE)(error)}`);
        }
    }
}
function derivationsOf({ answers }) {
    return [...new Set(Object.values(answers).map(({ drvPath }) => drvPath))];
}
/** @throws UserError for an entry that is no plan, or of another name, or not made with the secret. */
function genuine(json, names, mark) {
    let entry;
    try {
        entry = { ...JSON.parse(json) };
    }
    catch {
        throw new errors/* UserError */.yo('its entry is damaged.');
    }
    const [name, text, mac] = [entry.name, entry.text, entry.mac].map(String);
    const [given, expected] = [mac, mark('plan', name, text)].map(word => (0,external_node_crypto_.createHash)('sha256').update(word).digest());
    if (given === undefined || expected === undefined || !(0,external_node_crypto_.timingSafeEqual)(given, expected) || !names.includes(name)) {
        throw new errors/* UserError */.yo('its entry was not made with `signing-key`, or for another source.');
    }
    const knowledge = readKnowledge(text);
    if (knowledge === null)
        throw new errors/* UserError */.yo('its entry is of another shape.');
    return knowledge;
}

;// CONCATENATED MODULE: ./src/plan/cache.ts










/** What a flake may know of its commit besides its files. */
const knowsCommit = '\\b(rev|shortRev|dirtyRev|revCount|lastModified|lastModifiedDate|sourceInfo)\\b';
/**
 * The cache for a source; null when its state has no name: outside Git, with changes, or without a place to keep it.
 *
 * The name is of all that an answer comes from: the files of the source (Git's tree; the whole repository's where files
 * outside the source may have been read), our adapters, the version of Nix, the kind of machine, and how the source is asked.
 */
async function planCache(config, repository, nix, context) {
    const place = config.planCache;
    if (place === null || repository === null || repository.dirty || repository.commit === null)
        return null;
    const { root, commit } = repository;
    const git = gitIn(root, context.exec);
    const folder = (0,external_node_path_.relative)(root, (0,external_node_path_.resolve)(config.source));
    const [trees, named, links, hidden] = await Promise.all([
        git('rev-parse', `${commit}:${folder === '' ? '' : folder}`, `${commit}:`),
        git('grep', '-qE', knowsCommit, commit, '--', '*.nix'),
        git('ls-files', '-s', '--', config.source),
        namesHidden(commit, git),
    ]);
    if (trees === null || links === null || hidden)
        return null;
    const [sourceTree, rootTree] = trees.trim().split('\n');
    const hasLinks = /^120000 /m.test(links);
    const asked = JSON.stringify([
        'plan 2',
        nix.installation.version,
        await adaptersDigest(),
        (0,external_node_os_.arch)(),
        folder,
        config.format,
        config.attribute,
        config.files ?? [],
        config.arguments ?? {},
        config.nixpkgs,
        config.nixpkgsPin,
        config.system,
        // In a flake that asks for its commit, every commit is another one.
        named === null ? null : commit,
    ]);
    const nameOf = (scope, tree) => (0,external_node_crypto_.createHash)('sha256').update(`${scope} ${tree} ${asked}`).digest('hex');
    const names = { source: nameOf('source', sourceTree), repository: nameOf('repository', rootTree) };
    const shelf = typeof place === 'string' ? directoryShelf(place) : sharedShelf(place, nix, context);
    return {
        read: () => shelf.read([names.source, names.repository]),
        async write(knowledge, evidence) {
            if (config.nixpkgsPin === 'warn' || readsOther(evidence))
                return;
            const own = ownFiles(evidence);
            // What Git does not know of has no part in the name.
            const tracked = new Set(((await git('ls-files', '-z')) ?? '').split('\0'));
            if (own.some(path => !tracked.has(path)))
                return;
            const texts = await Promise.all(own.map(path => (0,promises_.readFile)((0,external_node_path_.join)(root, path), 'utf8')));
            if (texts.some(readsMachine))
                return;
            const within = folder === '' ||
                (!hasLinks &&
                    own.every((path, index) => {
                        const inside = (0,external_node_path_.relative)(folder, (0,external_node_path_.dirname)(path)).split('/').filter(Boolean);
                        return inside[0] !== '..' && !reachesOut(texts[index] ?? '', inside.length);
                    }));
            await shelf.write(within ? names.source : names.repository, knowledge);
        },
    };
}
/** What Git prints; null when it fails, as `git grep` does when it finds nothing. */
function gitIn(root, exec) {
    return async (...args) => {
        try {
            return (await exec('git', ['-C', root, ...args])).stdout;
        }
        catch (error) {
            if (error instanceof errors/* CommandError */.Qd)
                return null;
            throw error;
        }
    };
}
/** Whether the repository's Nix files name a path that lies there and that Git does not know of. */
async function namesHidden(commit, git) {
    const others = ((await git('ls-files', '--others', '--directory', '-z')) ?? '').split('\0').filter(Boolean);
    // As the end of a path, which is how Nix writes one.
    const words = others.flatMap(path => ['-e', `/${(0,external_node_path_.basename)(path)}`]);
    return words.length > 0 && (await git('grep', '-qF', ...words, commit, '--', '*.nix')) !== null;
}
/** Whether files were evaluated that lie neither in the repository nor in the store, nor are ours. */
function readsOther({ files, roots }) {
    const known = ['/nix/store', nixFolder(), ...roots];
    return [...files].some(file => file.startsWith('/') && !known.some(folder => file.startsWith(`${folder}/`)));
}
function directoryShelf(directory) {
    const fileOf = (name) => (0,external_node_path_.join)(directory, `${name}.json`);
    return {
        async read(names) {
            for (const name of names) {
                const text = await (0,promises_.readFile)(fileOf(name), 'utf8').catch(() => null);
                if (text !== null)
                    return readKnowledge(text);
            }
            return null;
        },
        async write(name, knowledge) {
            const file = fileOf(name);
            await (0,promises_.mkdir)(directory, { recursive: true });
            await (0,promises_.writeFile)(`${file}.${process.pid}`, textOf(knowledge), { mode: 0o600 });
            await (0,promises_.rename)(`${file}.${process.pid}`, file);
        },
    };
}
async function adaptersDigest() {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    for (const name of (await (0,promises_.readdir)(nixFolder())).sort()) {
        if (name.endsWith('.nix'))
            hash.update(`${name}\0${await (0,promises_.readFile)((0,external_node_path_.join)(nixFolder(), name), 'utf8')}\0`);
    }
    return hash.digest('hex');
}

;// CONCATENATED MODULE: ./src/plan/evaluate.ts



/** What one evaluator needs to be of use; a host of nixpkgs takes 50 MB (17.09) to 400 MB (25.05) of it. */
const leastMemory = 768 * 1024 * 1024;
/** Hosts below which a further evaluator costs more than it saves: each reads nixpkgs' libraries and packages anew. */
const leastHosts = 2;
/** Into how many evaluators `hosts` hosts are split. */
function processes(hosts, processors, jobs, memory) {
    const most = Math.min(jobs ?? processors, Math.floor(memory / leastMemory), Math.ceil(hosts / leastHosts));
    return Math.max(1, most);
}
/** Deals `items` out to `count` hands of nearly equal size, each in order. */
function deal(items, count) {
    return Array.from({ length: Math.min(count, items.length) }, (_, hand) => items.filter((_item, index) => index % count === hand));
}
/**
 * Evaluates hosts in as many evaluators as processors, memory and their number make sensible. A host that fails takes none
 * of the others with it: what was answered before it is kept, and the rest goes to a new evaluator.
 *
 * @throws NixFailure's error only through `onSource`: when Nix fails before it has begun any host.
 */
async function evaluate(adapter, question, hosts, budget, nix, context, onSource) {
    const memory = budget.memory ?? (0,external_node_os_.freemem)();
    const count = processes(hosts.length, nix.processors, budget.jobs, memory);
    const files = new Set();
    const found = new Map();
    const exhausted = [];
    const run = async (names, heap, last) => {
        let rest = names;
        while (rest.length > 0) {
            const told = await ask({ ...adapter, heap }, question, { hosts: rest }, nix, context, event => {
                if ('begun' in event) {
                    context.progress({ host: event.begun, stage: 'plan', state: 'running', text: 'evaluating' });
                }
                else {
                    context.progress({ host: event.answer.name, stage: 'plan', state: 'done', text: 'evaluated' });
                }
            });
            for (const file of told.files)
                files.add(file);
            for (const answer of told.answers)
                found.set(answer.name, { host: answer.name, answer });
            if (told.failure === null)
                return;
            const culprit = told.begun;
            if (culprit === null)
                throw onSource(told.failure);
            const before = rest;
            rest = rest.slice(rest.indexOf(culprit) + 1);
            if (isMemory(told.failure) && (before[0] !== culprit || !last)) {
                // Not this host's fault: hosts before it filled the heap. It gets an evaluator of its own, later.
                exhausted.push(culprit);
                continue;
            }
            context.progress({
                host: culprit,
                stage: 'plan',
                state: 'failed',
                text: told.failure.message.split('\n')[0] ?? '',
            });
            found.set(culprit, { host: culprit, failure: told.failure });
        }
    };
    const hands = deal(hosts, count);
    await (0,concurrency/* mapConcurrently */.X)(hands, hands.length, hand => run(hand, memory / count, false));
    for (const host of exhausted) {
        await run([host], memory, true);
    }
    return { hosts: hosts.flatMap(host => found.get(host) ?? []), files };
}
function isMemory(failure) {
    return failure.message.includes('ran out of memory');
}

;// CONCATENATED MODULE: ./src/plan/git.ts


/** Null when `folder` lies in no Git work tree, or there is no Git. */
async function repositoryOf(folder, exec) {
    const git = async (...args) => {
        try {
            return (await exec('git', ['-C', folder, ...args])).stdout.trim();
        }
        catch (error) {
            if (error instanceof errors/* CommandError */.Qd)
                return null;
            throw error;
        }
    };
    const [root, commit, status, shallow] = await Promise.all([
        git('rev-parse', '--show-toplevel'),
        git('rev-parse', '--verify', 'HEAD'),
        git('status', '--porcelain', '--untracked-files=no'),
        git('rev-parse', '--is-shallow-repository'),
    ]);
    if (root === null)
        return null;
    return { root: (0,external_node_path_.resolve)(root), commit, dirty: status !== '', shallow: shallow === 'true' };
}

// EXTERNAL MODULE: ./src/nearest.ts
var nearest = __webpack_require__(37909);
// EXTERNAL MODULE: ./src/plan/targets.ts
var plan_targets = __webpack_require__(40001);
;// CONCATENATED MODULE: ./src/plan/host.ts





/** The input `targets`, read; each host in it must be one of `names`. */
function readTargets(targets, names) {
    return Object.fromEntries(Object.entries(targets).map(([host, value]) => {
        if (!names.includes(host))
            throw unknownHost(host, names, 'targets');
        return [host, (0,plan_targets/* parseDeployment */.zi)(value, `targets.${host}`)];
    }));
}
/** One error for a host that does not exist: it names the nearest and the known ones. */
function unknownHost(host, names, input) {
    const meant = (0,nearest/* nearest */.p)(host, names);
    return new errors/* UserError */.yo(`There is no host ${JSON.stringify(host)}.`, {
        where: { input },
        cure: `${meant === null ? '' : `Did you mean ${JSON.stringify(meant)}? `}Known hosts: ${names.join(', ')}.`,
    });
}
/** What the source says of a host's target, under what the input says. */
function deploymentOf(said, host, given) {
    const own = said === null || said === undefined ? {} : (0,plan_targets/* parseDeployment */.zi)(said, `the target of ${JSON.stringify(host)}`, 'source');
    const both = (0,plan_targets/* layer */.qd)(own, given[host] ?? {});
    return { ...both, tags: both.tags ?? [] };
}
/**
 * What the source said, with the files of secrets relative to the source's folder where they lie in the repository, so that
 * it holds in another checkout too.
 *
 * @param roots folders that hold what the repository's root holds; the first is the work tree.
 */
function portable(said, source, roots) {
    const { secrets } = (said ?? {});
    if (!Array.isArray(secrets))
        return said ?? null;
    const moved = secrets.map(secret => {
        if (!('file' in secret.source))
            return secret;
        const inside = inRepository({ file: secret.source.file, line: 1, column: 1 }, roots);
        if (!(0,external_node_path_.isAbsolute)(secret.source.file) || inside === null)
            return secret;
        return { ...secret, source: { file: (0,external_node_path_.relative)(source, (0,external_node_path_.join)(roots[0] ?? source, inside.file)) } };
    });
    return { ...said, secrets: moved };
}
/** A host of the plan. Files of secrets that are not absolute lie in `source`, the source's folder. */
function hostOf(answer, given, nixpkgs, source, context) {
    const deployment = deploymentOf(answer.deployment, answer.name, given);
    const secrets = (deployment.secrets ?? []).map(secret => 'file' in secret.source ? { ...secret, source: { file: (0,external_node_path_.resolve)(source, secret.source.file) } } : secret);
    for (const { source } of secrets)
        if ('text' in source)
            context.log.secret(source.text);
    return {
        name: answer.name,
        system: answer.system,
        toplevel: { drvPath: answer.drvPath, outPath: answer.output },
        target: (0,plan_targets/* targetOf */.$r)(deployment),
        tags: deployment.tags,
        buildOnly: deployment.address === false,
        healthChecks: { cmd: [], http: [], ...deployment.healthChecks },
        preDeployChecks: { cmd: [], http: [], ...deployment.preDeployChecks },
        secrets,
        nixpkgs,
        nix: answer.nix,
    };
}

;// CONCATENATED MODULE: ./src/plan/nixpkgs.ts





/**
 * The adapter with what stands for <nixpkgs>: the pin in the input `nixpkgs`, for configuration.nix and NixOps, which say
 * none themselves, the one beside or above them; with `nixpkgs-pin: warn` the machine's.
 *
 * @returns the adapter, and the Nix files that were evaluated to know the pin.
 * @throws UserError for a pin that isn't one, several of them, or none where one is needed.
 */
async function withNixpkgs(source, config, nix, context, onFailure) {
    const files = new Set();
    const { adapter, format } = source;
    if ('reference' in adapter.request)
        return { adapter, files };
    const root = String(adapter.request.root);
    const text = config.nixpkgs ?? (format === 'configuration' || format === 'nixops' ? onlyPin(config, root, format) : null);
    if (text !== null) {
        const given = givenNixpkgs(text, config.source);
        const path = typeof given === 'string' ? given : await folderOf(given, adapter, files, nix, context, onFailure, config);
        const request = { ...adapter.request, nixpkgs: path };
        return { adapter: { ...adapter, request, searchPath: [`nixpkgs=${path}`] }, files };
    }
    if (config.nixpkgsPin === 'warn') {
        return { adapter: { ...adapter, searchPath: searchPath(config.nixPath ?? null) }, files };
    }
    if (format !== 'configuration')
        return { adapter, files };
    throw pinError([
        {
            what: `${source.main} says no nixpkgs, and none is pinned beside or above it`,
            file: source.main,
            line: 1,
            cure: 'Run `npins init` beside it, or name a pin in the input `nixpkgs`, as `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
        },
    ]);
}
function onlyPin(config, root, format) {
    const [first, second] = pinsAround(config.source, root);
    if (second === undefined)
        return first ?? null;
    // A network mostly says itself which of them it takes.
    if (format === 'nixops')
        return null;
    throw new errors/* UserError */.yo(`Both ${first} and ${second} pin a nixpkgs.`, {
        where: { input: 'nixpkgs' },
        cure: `Write \`nixpkgs: ${first}\` or \`nixpkgs: ${second}\`.`,
    });
}
async function folderOf(given, adapter, files, nix, context, onFailure, config) {
    const told = await ask({ ...adapter, file: 'pin', request: given }, 'names', {}, nix, context);
    for (const file of told.files)
        files.add(file);
    const { result, failure } = told;
    if (failure !== null)
        throw onFailure(failure, (0,external_node_path_.relative)(config.source, given.path));
    return result.root;
}
/** The entries of a NIX_PATH; colons in addresses part nothing. Without one, where Nix looks for channels by itself. */
function searchPath(nixPath) {
    if (nixPath !== null)
        return nixPath.split(/:(?!\/\/)/).filter(entry => entry !== '');
    return [
        `${(0,external_node_os_.homedir)()}/.nix-defexpr/channels`,
        'nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixpkgs',
        '/nix/var/nix/profiles/per-user/root/channels',
    ];
}

;// CONCATENATED MODULE: ./src/plan/select.ts


/** True when the selection cannot be made without knowing the hosts' tags. */
function needsTags(selectors) {
    return selectors.some(selector => pattern(selector).startsWith('@'));
}
/**
 * The hosts that the selectors name, in the order of `names`.
 *
 * A selector is a name, a glob (`*` any characters, `?` one), `@tag` (a glob too) or any of these after `!`, which leaves
 * out. Without one that takes in, all hosts are taken in. A name stands for itself first, so that a host whose name holds
 * `*`, `@` or `!` can be named.
 *
 * @param tags a host's tags; asked only when needsTags() says so.
 * @throws UserError when a selector meets no host: it names the selector, the known ones and the nearest.
 */
function select_select(names, selectors, tags) {
    const meets = (selector) => {
        if (names.includes(selector))
            return new Set([selector]);
        const met = selector.startsWith('@')
            ? names.filter(name => tags(name).some(tag => glob(selector.slice(1)).test(tag)))
            : names.filter(name => glob(selector).test(name));
        if (met.length === 0)
            throw unknown(selector, names, tags);
        return new Set(met);
    };
    const leavesOut = (selector) => selector.startsWith('!') && !names.includes(selector);
    const taken = selectors.filter(selector => !leavesOut(selector)).map(meets);
    const left = selectors.filter(leavesOut).map(selector => meets(selector.slice(1)));
    return names.filter(name => (taken.length === 0 || taken.some(met => met.has(name))) && !left.some(met => met.has(name)));
}
/** Sorted by the first of these tags that each host has, hosts with none of them last: what morph's `ordering.tags` asks. */
function inOrder(hosts, order) {
    const rank = ({ tags }) => {
        const index = order.findIndex(tag => tags.includes(tag));
        return index < 0 ? order.length : index;
    };
    return [...hosts].sort((a, b) => rank(a) - rank(b));
}
function pattern(selector) {
    return selector.startsWith('!') ? selector.slice(1) : selector;
}
function glob(text) {
    const parts = Array.from(text, char => {
        if (char === '*')
            return '.*';
        return char === '?' ? '.' : char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
    });
    return new RegExp(`^${parts.join('')}$`, 'su');
}
function unknown(selector, names, tags) {
    const isTag = selector.startsWith('@');
    const known = isTag ? [...new Set(names.flatMap(name => tags(name)))].sort().map(tag => `@${tag}`) : [...names];
    const meant = (0,nearest/* nearest */.p)(selector, known);
    const kind = isTag ? 'tag' : 'host';
    return new errors/* UserError */.yo(`There is no ${kind} ${JSON.stringify(selector)}.`, {
        where: { input: 'hosts' },
        cure: [
            ...(meant === null ? [] : [`Did you mean ${JSON.stringify(meant)}?`]),
            known.length === 0 ? `The source has no ${kind}s.` : `Known ${kind}s: ${known.map(show).join(', ')}.`,
        ].join(' '),
    });
}
function show(name) {
    return /^@?[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}

;// CONCATENATED MODULE: ./src/plan/configurations.ts



/** configuration.nix in the folder itself, or one in each folder below it, `hosts/` or `machines/`. */
function configurationsIn(folder) {
    if ((0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, 'configuration.nix')))
        return { single: 'configuration.nix' };
    for (const below of ['.', 'hosts', 'machines']) {
        if (!(0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, below)))
            continue;
        const hosts = (0,external_node_fs_.readdirSync)((0,external_node_path_.join)(folder, below), { withFileTypes: true })
            .filter(entry => entry.isDirectory() && (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, below, entry.name, 'configuration.nix')))
            .map(entry => [entry.name, (0,external_node_path_.join)(below, entry.name, 'configuration.nix')]);
        if (hosts.length > 0)
            return { hosts: Object.fromEntries(hosts.sort()) };
    }
    return { hosts: {} };
}
/**
 * The files that were named, at least one; of several each is a host, called after its folder or, where it is not called
 * configuration.nix, after itself.
 *
 * @throws UserError when two of them would be the same host.
 */
function configurationsNamed(files) {
    const [first = '', ...others] = files;
    if (others.length === 0)
        return { single: first };
    const hosts = new Map();
    for (const file of files) {
        const name = (0,external_node_path_.basename)(file) === 'configuration.nix' ? (0,external_node_path_.basename)((0,external_node_path_.dirname)(file)) : (0,external_node_path_.basename)(file, '.nix');
        const before = hosts.get(name);
        if (before !== undefined) {
            throw new errors/* UserError */.yo(`Both ${before} and ${file} would be the host ${JSON.stringify(name)}.`, {
                where: { input: 'source' },
                cure: 'Name files in folders of different names, or files of different names.',
            });
        }
        hosts.set(name, file);
    }
    return { hosts: Object.fromEntries(hosts) };
}
/** Their files. */
function configurations_filesOf(configurations) {
    return 'single' in configurations ? [configurations.single] : Object.values(configurations.hosts);
}

;// CONCATENATED MODULE: ./src/plan/found.ts


/** What is no flake, asked by a file of nix/. */
function plain(file, { folder, repository, config }, request) {
    return {
        file,
        request: {
            ...request,
            root: repository?.root ?? folder,
            system: config.system,
            warn: config.nixpkgsPin === 'warn',
        },
        pure: false,
        roots: [repository?.root ?? folder],
    };
}
/** A flake, asked by a file of nix/. */
async function flakeAdapter(file, found, more = {}) {
    const { folder, repository, config, nix, context } = found;
    const reference = flakeReference(folder, repository);
    const strict = config.nixpkgsPin === 'error';
    if (!reference.locked) {
        context.log.notice(repository === null
            ? 'The source is not in a Git repository: its flake is evaluated as the folder is.'
            : 'The work tree has uncommitted changes: the flake is evaluated with them, and not purely.');
        if (strict)
            await checkLock(folder, repository, nix, context, found.onFailure);
    }
    return {
        file,
        request: { ...more, reference: reference.url, system: config.system },
        pure: reference.locked && strict,
        roots: [repository?.root ?? folder],
    };
}
/** @throws what `found.onFailure` makes of a failure. */
async function namesOf(adapter, found, main) {
    const { result, failure } = await ask(adapter, 'names', { hosts: [] }, found.nix, found.context);
    if (failure !== null)
        throw found.onFailure(failure, main);
    return result;
}

;// CONCATENATED MODULE: ./src/plan/detect.ts





/**
 * Finds the format of a source that does not say it.
 *
 * @throws UserError when there is nothing, or when two are there and none of them is a part of the other.
 */
async function detect(found) {
    const candidates = found.files.length > 0 ? await named(found) : await strong(found);
    if (found.files.length === 0 && candidates.length === 0)
        candidates.push(...weak(found));
    const [first, second] = candidates;
    if (first === undefined && found.files.length > 0) {
        throw new errors/* UserError */.yo(`What ${found.files.join(' and ')} holds is not told by its name.`, {
            where: { input: 'format' },
            cure: 'Write `format: configuration` for a NixOS configuration, or the format it is.',
        });
    }
    if (first === undefined) {
        throw new errors/* UserError */.yo(`No NixOS configuration was found in ${found.folder}.`, {
            where: { input: 'source' },
            cure: 'It looks for flake.nix, hive.nix, network.nix, nixops.nix, nixos.nix, default.nix and configuration.nix; let `source` name their folder.',
        });
    }
    if (second !== undefined) {
        throw new errors/* UserError */.yo(`It could be ${first.format} (${first.why}) or ${second.format} (${second.why}).`, {
            where: { input: 'format' },
            cure: `Write \`format: ${first.format}\` or \`format: ${second.format}\`.`,
        });
    }
    return first;
}
/** Files that say by themselves that the fleet starts from them. */
async function strong(found) {
    const has = (file) => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(found.folder, file));
    const candidates = [];
    if (has('flake.nix'))
        candidates.push(...(await flakeCandidates(found)));
    if (has('hive.nix') && !candidates.some(({ format }) => format === 'colmena')) {
        candidates.push({ format: 'colmena', main: 'hive.nix', why: 'hive.nix' });
    }
    if (has('network.nix'))
        candidates.push(...(await networkCandidates('network.nix', found)));
    if (has('nixops.nix'))
        candidates.push({ format: 'nixops', main: 'nixops.nix', why: 'nixops.nix' });
    return candidates;
}
/** The files that were named: by their usual names or, of others, by what they hold. */
async function named(found) {
    const { files } = found;
    const [main = '', ...others] = files;
    if (files.every(file => (0,external_node_path_.basename)(file) === 'configuration.nix')) {
        return [{ format: 'configuration', main, why: `${files.join(', ')} is named` }];
    }
    if (others.length > 0) {
        const networks = await Promise.all(files.map(async (file) => (await shapeOf(file, found)).isNetwork));
        const why = 'several files are named, which NixOps makes one network of';
        return networks.includes(true) ? [{ format: 'nixops', main, why }] : [];
    }
    switch ((0,external_node_path_.basename)(main)) {
        case 'flake.nix':
            return flakeCandidates(found);
        case 'hive.nix':
            return [{ format: 'colmena', main, why: main }];
        case 'nixops.nix':
            return [{ format: 'nixops', main, why: main }];
        case 'nixos.nix':
        case 'default.nix':
            return [{ format: 'expression', main, why: `${main} is named` }];
        default: {
            const { isHive, isNetwork } = await shapeOf(main, found);
            if (isHive)
                return [{ format: 'colmena', main, why: `${main} has meta` }];
            return isNetwork ? networkCandidates(main, found) : [];
        }
    }
}
const flakeOutputs = [
    { output: 'deploy', format: 'deploy-rs' },
    { output: 'colmenaHive', format: 'colmena' },
    { output: 'colmena', format: 'colmena' },
    { output: 'nixopsConfigurations', format: 'nixops' },
];
/** A tool's output stands above nixosConfigurations, which such a flake mostly has too, as the tool's own raw material. */
async function flakeCandidates(found) {
    const adapter = await flakeAdapter('outputs', found);
    const outputs = await namesOf(adapter, found, 'flake.nix');
    const candidates = [];
    for (const { output, format } of flakeOutputs) {
        if (outputs.names.includes(output) && !candidates.some(candidate => candidate.format === format)) {
            candidates.push({ format, main: 'flake.nix', why: `flake.nix has the output ${output}` });
        }
    }
    if (candidates.length > 0)
        return candidates;
    if (outputs.names.includes('nixosConfigurations')) {
        return [{ format: 'flake', main: 'flake.nix', why: 'flake.nix has the output nixosConfigurations' }];
    }
    throw new errors/* UserError */.yo('flake.nix has no output that names hosts.', {
        where: { file: 'flake.nix' },
        cure: `Write nixosConfigurations (or deploy, colmenaHive); it has ${outputs.names.join(', ') || 'none'}.`,
    });
}
const morphWords = ['pkgs', 'evalConfig', 'lib', 'runCommand', 'specialArgs', 'ordering', 'nixConfig', 'buildShell'];
const nixopsWords = ['nixpkgs', 'storage', 'lock', 'enableRollback'];
/** What a file looks like before its format is known. */
async function shapeOf(main, found) {
    const adapter = plain('network', found, { file: (0,external_node_path_.join)(found.folder, main) });
    const { names, notes } = await namesOf(adapter, found, main);
    const { isFunction, top } = notes;
    // A function may be anything, unless its file says by its name what it is.
    const isNetwork = isFunction ? /^(?:network|nixops)/.test((0,external_node_path_.basename)(main)) : top.includes('network');
    return { network: names, top, isFunction, isNetwork, isHive: top.includes('meta') };
}
/** morph and NixOps both write network.nix; its `network` tells them apart where it says enough. */
async function networkCandidates(main, found) {
    const { network, top, isFunction } = await shapeOf(main, found);
    const words = {
        morph: network.filter(name => morphWords.includes(name)).map(name => `network.${name}`),
        nixops: [
            ...network.filter(name => nixopsWords.includes(name)).map(name => `network.${name}`),
            ...top.filter(name => name === 'resources' || name === 'require'),
            ...(isFunction ? ['a function of arguments'] : []),
        ],
    };
    const undecided = words.morph.length === 0 && words.nixops.length === 0;
    return ['morph', 'nixops']
        .filter(format => undecided || words[format].length > 0)
        .map(format => ({ format, main, why: `${main} ${undecided ? 'is there' : `has ${words[format].join(', ')}`}` }));
}
/** Files that other formats have too; the first that is there counts. */
function weak({ folder }) {
    const has = (file) => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, file));
    const expressions = ['nixos.nix', 'default.nix'].filter(has);
    if (expressions.length > 0) {
        return expressions.map(main => ({ format: 'expression', main, why: `${main} is there` }));
    }
    const configurations = configurations_filesOf(configurationsIn(folder));
    const [first] = configurations;
    if (first === undefined)
        return [];
    return [{ format: 'configuration', main: first, why: `${configurations.join(', ')} is there` }];
}

;// CONCATENATED MODULE: ./src/plan/source.ts






/**
 * Finds what the source is, where `format` does not say it, and how it is asked.
 *
 * @throws UserError for a source that cannot be told, and for files or arguments that its format does not take.
 */
async function sourceOf(config, repository, nix, context, onFailure) {
    const found = {
        folder: config.source,
        files: config.files ?? [],
        repository,
        config,
        nix,
        context,
        onFailure,
    };
    const { format, main, why } = config.format === 'auto'
        ? await detect(found)
        : { format: config.format, main: mainOf(config.format, found), why: null };
    checkTaken(format, config);
    return { format, detected: why, adapter: await adapterOf(format, main, found), main };
}
/** @throws UserError for several files, or arguments, that the format does not take. */
function checkTaken(format, { files = [], arguments: given = {} }) {
    if (files.length > 1 && format !== 'nixops' && format !== 'configuration') {
        throw new errors/* UserError */.yo(`${format} starts from one file, and \`source\` names ${files.join(', ')}.`, {
            where: { input: 'source' },
            cure: 'Name the one that it starts from.',
        });
    }
    const [name] = Object.keys(given);
    if (name !== undefined && format !== 'nixops' && format !== 'expression') {
        throw new errors/* UserError */.yo(`${format} takes no arguments, and ${JSON.stringify(name)} is given.`, {
            where: { input: 'arguments' },
            cure: 'Only a NixOps network and an expression may be functions of arguments.',
        });
    }
}
/** The file that a format said by the user starts from. */
function mainOf(format, { folder, files }) {
    const usual = {
        flake: ['flake.nix'],
        'deploy-rs': ['flake.nix'],
        colmena: ['hive.nix', 'flake.nix'],
        morph: ['network.nix'],
        nixops: ['nixops.nix', 'network.nix', 'flake.nix'],
        expression: ['nixos.nix', 'default.nix'],
        configuration: configurations_filesOf(configurationsIn(folder)).slice(0, 1),
    };
    const [main] = files.length > 0 ? files : usual[format].filter(name => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, name)));
    if (main !== undefined)
        return main;
    const looked = format === 'configuration' ? ['configuration.nix', 'hosts/*/configuration.nix'] : usual[format];
    throw new errors/* UserError */.yo(`There is no ${looked.join(' and no ')} in ${folder}.`, {
        where: { input: 'source' },
        cure: `Let \`source\` name the folder of the ${format} configuration, or its file.`,
    });
}
async function adapterOf(format, main, found) {
    const { folder, files, config } = found;
    const file = (0,external_node_path_.join)(folder, main);
    const isFlake = (0,external_node_path_.basename)(main) === 'flake.nix';
    const given = config.arguments ?? {};
    switch (format) {
        case 'flake':
        case 'deploy-rs':
            if (isFlake)
                return flakeAdapter(format, found);
            throw new errors/* UserError */.yo(`${format} starts from flake.nix, not from ${main}.`, { where: { input: 'source' } });
        case 'colmena':
            return isFlake ? flakeAdapter(format, found) : plain(format, found, { file });
        case 'nixops': {
            const paths = (files.length > 0 ? files : [main]).map(name => (0,external_node_path_.join)(folder, name));
            return isFlake
                ? flakeAdapter(format, found, { arguments: given })
                : plain(format, found, { files: paths, arguments: given });
        }
        case 'morph':
            return plain(format, found, { file });
        case 'expression': {
            const attribute = attributePath(config.attribute);
            return plain(format, found, { file, attribute, fallback: fallbackName(folder), arguments: given });
        }
        case 'configuration': {
            const asked = files.length > 0 ? configurationsNamed(files) : configurationsIn(folder);
            return plain(format, found, 'single' in asked
                ? { single: (0,external_node_path_.join)(folder, asked.single), fallback: fallbackName(folder) }
                : {
                    single: null,
                    fileOf: Object.fromEntries(Object.entries(asked.hosts).map(([h, f]) => [h, (0,external_node_path_.join)(folder, f)])),
                });
        }
    }
}
function fallbackName(folder) {
    return (0,external_node_path_.basename)((0,external_node_path_.resolve)(folder)) || 'nixos';
}
/**
 * `a."b.c".d` as its names.
 *
 * @throws UserError when a quote is left open or a name is empty.
 */
function attributePath(text) {
    if (text === null || text.trim() === '')
        return [];
    const names = [];
    const part = /"((?:[^"\\]|\\.)*)"|([^."\s]+)/y;
    let at = 0;
    for (;;) {
        part.lastIndex = at;
        const match = part.exec(text);
        if (match === null)
            break;
        names.push(match[2] ?? (match[1] ?? '').replace(/\\(.)/gs, '$1'));
        at = part.lastIndex;
        if (at === text.length)
            return names;
        if (text[at] !== '.')
            break;
        at += 1;
    }
    throw new errors/* UserError */.yo(`${JSON.stringify(text)} is no attribute path.`, {
        where: { input: 'attribute' },
        cure: 'Write names with dots between them, in quotes where a name holds a dot: `hosts."a.b".system`.',
    });
}

;// CONCATENATED MODULE: ./src/plan/locate.ts



const cure = 'Let `source` name the folder of the repository that holds the configuration, or its files with commas or lines between them.';
/**
 * Reads the input `source`: a folder, or one or several Nix files. Needs no Nix, so it can be asked first of all.
 *
 * @throws UserError for what is not there, for a folder beside other things, and for a file that is named twice.
 */
function locate(text) {
    // A path may hold a comma.
    const named = (0,external_node_fs_.existsSync)(text.trim()) ? [text.trim()] : text.split(/[,\n]/).map(word => word.trim());
    const paths = named.filter(word => word !== '').map(word => (0,external_node_path_.resolve)(word));
    const [first = (0,external_node_path_.resolve)('.'), ...others] = paths;
    for (const path of paths) {
        if (!(0,external_node_fs_.existsSync)(path))
            throw wrong(`There is no ${path.endsWith('.nix') ? 'file' : 'folder'} ${path}.`);
    }
    const folder = paths.find(path => (0,external_node_fs_.statSync)(path).isDirectory());
    if (folder !== undefined && others.length > 0) {
        throw wrong(`The folder ${folder} is named beside ${paths.find(path => path !== folder) ?? 'itself'}.`);
    }
    const twice = paths.find((path, index) => paths.indexOf(path) < index);
    if (twice !== undefined)
        throw wrong(`The file ${twice} is named twice.`);
    if (paths.length === 0 || folder !== undefined)
        return { source: first, files: [] };
    const source = paths.map(path => (0,external_node_path_.dirname)(path)).reduce(common);
    return { source, files: paths.map(path => (0,external_node_path_.relative)(source, path)) };
}
/** The deepest folder that holds both. */
function common(a, b) {
    return (0,external_node_path_.relative)(a, b).split(external_node_path_.sep)[0] === '..' ? common((0,external_node_path_.dirname)(a), b) : a;
}
function wrong(message) {
    return new errors/* UserError */.yo(message, { where: { input: 'source' }, cure });
}

;// CONCATENATED MODULE: ./src/plan/index.ts

















/**
 * Plans a fleet: finds the source's format, evaluates the selected hosts and says where each runs.
 *
 * Every host's derivation is instantiated: its .drv file exists in the store afterwards.
 *
 * @throws UserError for a source that cannot be read as a whole, a selector or target that meets no host, and a nixpkgs
 *   that isn't pinned, unless `nixpkgsPin` is `warn`.
 */
async function plan(config, nix, context) {
    const repository = await repositoryOf(config.source, context.exec);
    const cache = await planCache(config, repository, nix, context);
    const kept = (await cache?.read()) ?? null;
    let opening = null;
    const opened = () => {
        opening ??= plan_open(config, repository, nix, context);
        return opening;
    };
    const known = kept ?? (await opened()).knowledge;
    const given = readTargets(config.targets, known.names);
    const failures = [];
    const tags = new Map();
    if (needsTags(config.hosts)) {
        const missing = known.names.filter(name => !(name in known.deployments));
        if (missing.length > 0) {
            const source = await opened();
            for (const one of await askFor('deployments', missing, source, config, nix, context)) {
                if ('answer' in one)
                    known.deployments[one.host] = portable(one.answer.deployment, config.source, source.evidence.roots);
                // Nobody can say whether it was meant.
                else
                    failures.push(evaluationFailure(one.host, one.failure));
            }
        }
        for (const name of Object.keys(known.deployments)) {
            try {
                tags.set(name, deploymentOf(known.deployments[name], name, given).tags);
            }
            catch (error) {
                failures.push(failureOf(name, error, known.main));
            }
        }
    }
    const selected = select_select(known.names, config.hosts, host => tags.get(host) ?? []);
    const valid = await nix.valid(selected.flatMap(host => known.answers[host]?.drvPath ?? []));
    const missing = selected.filter(host => !valid.has(known.answers[host]?.drvPath ?? '') && !failures.some(failure => failure.host === host));
    if (missing.length > 0) {
        const source = await opened();
        const hosts = await askFor('hosts', missing, source, config, nix, context);
        const answers = hosts.flatMap(one => ('answer' in one ? [one.answer] : []));
        const failed = hosts.flatMap(one => ('failure' in one ? [one] : []));
        const pins = await checkPins(known.main, answers, failed.map(({ failure }) => failure), source.evidence, config, nix, context);
        Object.assign(known.pins, pins);
        for (const { host, failure } of failed)
            failures.push(evaluationFailure(host, failure));
        for (const answer of answers) {
            try {
                const deployment = portable(answer.deployment, config.source, source.evidence.roots);
                known.answers[answer.name] = { ...(await lookBehind(answer, nix)), deployment };
                known.deployments[answer.name] = deployment;
            }
            catch (error) {
                failures.push(failureOf(answer.name, error, known.main));
            }
        }
        await cache?.write(known, source.evidence);
    }
    const hosts = [];
    for (const name of selected) {
        const answer = known.answers[name];
        if (answer === undefined || failures.some(({ host }) => host === name))
            continue;
        try {
            hosts.push(hostOf(answer, given, known.pins[answer.nixpkgs ?? ''] ?? null, config.source, context));
        }
        catch (error) {
            failures.push(failureOf(name, error, known.main));
        }
    }
    warnOfOtherProfiles(known, selected, context);
    if (known.detected !== null)
        context.log.info(`The source is ${known.format}: ${known.detected}.`);
    tellPins(hosts, context);
    return {
        format: known.format,
        detected: known.detected,
        source: config.source,
        commit: repository?.commit ?? null,
        dirty: repository?.dirty ?? false,
        hosts: inOrder(hosts, orderOf(known)),
        failures,
    };
}
/**
 * The final value of an option of one host, as JSON can tell it: functions as a word, derivations as their path.
 *
 * @throws UserError for a host or an option that does not exist, and for a failure of the evaluation.
 */
async function plan_option(config, host, optionPath, nix, context) {
    const repository = await repositoryOf(config.source, context.exec);
    const { adapter, knowledge } = await plan_open(config, repository, nix, context);
    if (!knowledge.names.includes(host))
        throw unknownHost(host, knowledge.names, 'host');
    const path = attributePath(optionPath);
    const { result, failure } = await ask(adapter, 'option', { hosts: [host], option: path }, nix, context);
    if (failure !== null)
        throw readable(failure, knowledge.main, config, repository);
    const answer = result;
    if (answer.found)
        return answer.value;
    if (answer.known === null) {
        throw new errors/* UserError */.yo(`${JSON.stringify(host)} is given as a derivation, which knows no options.`, {
            where: { host },
            cure: 'Name the whole evaluation instead of its toplevel.',
        });
    }
    throw unknownOption(optionPath, answer.missing ?? '', answer.known, host);
}
async function plan_open(config, repository, nix, context) {
    const base = repository?.root ?? config.source;
    const inBase = (main) => (0,external_node_path_.relative)(base, (0,external_node_path_.join)(config.source, main));
    const onFailure = (failure, main) => readable(failure, inBase(main), config, repository);
    const source = await sourceOf(config, repository, nix, context, onFailure);
    const { adapter, files } = await withNixpkgs(source, config, nix, context, onFailure);
    const told = await ask(adapter, 'names', { hosts: [] }, nix, context);
    const { result, failure } = told;
    if (failure !== null)
        throw onFailure(failure, source.main);
    const { names, root, notes } = result;
    const { format, detected, main } = source;
    const roots = [...new Set([...adapter.roots, root])];
    return {
        adapter: { ...adapter, roots },
        knowledge: { format, detected, main: inBase(main), names, notes, ...nothingKnown() },
        evidence: {
            base,
            source: config.source,
            repository,
            roots,
            files: new Set([...files, ...told.files]),
            given: config.nixpkgs,
        },
    };
}
async function askFor(question, hosts, { adapter, knowledge, evidence }, config, nix, context) {
    const budget = { jobs: config.jobs ?? null, memory: config.memory ?? null };
    const onSource = (failure) => readable(failure, knowledge.main, config, evidence.repository);
    const evaluation = await evaluate(adapter, question, hosts, budget, nix, context, onSource);
    for (const file of evaluation.files)
        evidence.files.add(file);
    return evaluation.hosts;
}
/** How each nixpkgs is fixed; what isn't is an error, or a warning where `nixpkgs-pin` says so. */
async function checkPins(main, answers, failures, evidence, config, nix, context) {
    const warn = config.nixpkgsPin === 'warn';
    const problems = problemsIn(evidence, failures, main, warn);
    const pins = {};
    for (const path of new Set(answers.flatMap(({ nixpkgs }) => nixpkgs ?? []))) {
        const pin = await pinOf(path, evidence, nix);
        if (pin !== null)
            pins[path] = pin;
        else if (problems.length === 0) {
            problems.push({
                what: `the nixpkgs at ${path}, whose hash stands nowhere in the repository`,
                file: ownFiles(evidence)[0] ?? null,
                line: 1,
                cure: 'Fetch it by its hash: a flake, npins, niv, or `fetchTarball` with `sha256`.',
            });
        }
    }
    if (problems.length > 0 && !warn)
        throw pinError(problems);
    warnOf(problems, context);
    return pins;
}
/** A failure of the source as a whole. What isn't pinned is told instead of it: it mostly is its cause. */
function readable(failure, main, config, repository) {
    if (config.nixpkgsPin === 'error') {
        const base = repository?.root ?? config.source;
        const { roots, files } = failure;
        const evidence = { base, source: config.source, repository, roots, files, given: config.nixpkgs };
        const problems = problemsIn(evidence, [failure], main, false);
        if (problems.length > 0)
            return pinError(problems);
    }
    return sourceFailure(failure, { file: main });
}
/** What a host's own description has wrong, as its failure. @throws what is no UserError. */
function failureOf(host, error, main) {
    if (!(error instanceof errors/* UserError */.yo))
        throw error;
    return { host, message: (0,errors/* explain */.WE)(error), trace: '', file: main, line: null, column: null };
}
function unknownOption(path, missing, known, host) {
    const listed = known.length > 12 ? `${known.slice(0, 12).join(', ')}, …` : known.join(', ');
    return new errors/* UserError */.yo(`${JSON.stringify(host)} has no option ${path}: there is no ${JSON.stringify(missing)}.`, {
        where: { host },
        cure: known.length === 0 ? 'What stands before it is a value.' : `There are ${listed}.`,
    });
}
/** The tags by which a morph network wants its hosts in order. */
function orderOf({ format, notes: { order } }) {
    return format === 'morph' && Array.isArray(order) ? order.filter(tag => typeof tag === 'string') : [];
}
/** deploy-rs deploys further profiles; they are no NixOS systems, and are left alone by name. */
function warnOfOtherProfiles({ format, notes }, selected, context) {
    if (format !== 'deploy-rs')
        return;
    for (const host of selected) {
        const others = notes[host];
        if (!Array.isArray(others) || others.length === 0)
            continue;
        context.log.warning(`${JSON.stringify(host)} has further profiles, ${others.join(', ')}, which are no NixOS systems: they are not deployed.`, { host });
    }
}

// EXTERNAL MODULE: ./src/setup/index.ts + 20 modules
var setup = __webpack_require__(5212);
// EXTERNAL MODULE: ./src/version.ts
var version = __webpack_require__(311);
;// CONCATENATED MODULE: ./src/pipeline.ts










/** How far each step goes. */
const stagesOf = {
    setup: ['setup'],
    plan: ['setup', 'plan'],
    build: ['setup', 'plan', 'build'],
    archive: ['setup', 'plan', 'build', 'archive'],
    deploy: ['setup', 'plan', 'build', 'deploy'],
    run: ['setup', 'plan', 'build', 'archive', 'deploy'],
};
/**
 * Walks through the stages of a step, in their order, and tells all that was found and done.
 *
 * Never throws: what ends the run before its time stands in the answer's `error`, beside what is true until then.
 */
async function run(step, config, ports, context) {
    const run = { mode: config.mode, fleet: null, built: [], archives: [], outcomes: [], timings: {}, error: null };
    const stages = stagesFor(step, config);
    const { rooms, saved } = walk(step, config, ports, context, run);
    try {
        // What can be known to be wrong is said before Nix is even looked for.
        if (stages.includes('plan'))
            locate(config.source);
        (0,deploy/* checkAccess */.x8)(deployConfigOf(config, ports), null);
        for (const stage of stages) {
            const begun = performance.now();
            try {
                await rooms[stage]();
            }
            finally {
                run.timings[stage] = (performance.now() - begun) / 1000;
            }
        }
    }
    catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        run.error = {
            message: context.signal.aborted ? 'The run was cancelled.' : message,
            cure: error instanceof errors/* UserError */.yo ? (error.cure ?? null) : null,
            where: error instanceof errors/* UserError */.yo ? (error.where ?? null) : null,
        };
        context.log.error((0,errors/* explain */.WE)(error), error instanceof errors/* UserError */.yo ? error.where : undefined);
        // A defect of ours, or a program that failed in a way we do not know: the stack tells where.
        if (!(error instanceof errors/* UserError */.yo) && error instanceof Error)
            context.log.debug(error.stack ?? '');
    }
    await saved();
    return run;
}
/** The stages of a step that its inputs ask for; archives that are there already take the place of a source. */
function stagesFor(step, config) {
    const stages = config.from === null
        ? stagesOf[step].filter(stage => stage !== 'archive' || config.archive !== 'none')
        : ['setup', 'archive', 'deploy'];
    return stages.filter(stage => stage !== 'deploy' || config.mode !== 'none');
}
/**
 * The final value of an option of one host, as JSON can tell it.
 *
 * @throws UserError for a host or an option that does not exist.
 */
async function optionOf(host, path, config, ports, context) {
    locate(config.source);
    const { nix } = await (0,setup/* setup */.mj)(setupConfigOf(config, ports), context, ports.setup);
    return plan_option({ ...planConfigOf(config, ports), planCache: null }, host, path, new src_nix/* Nix */.a(context.exec, nix), context);
}
/**
 * The stages over what they hand on: each reads what the one before it left in `run`. What is kept for later runs is saved
 * beside the stages that follow; `saved` waits for it.
 */
function walk(step, config, ports, context, run) {
    let setUp;
    const nix = () => {
        if (setUp === undefined)
            throw new Error('the set-up comes first');
        return new src_nix/* Nix */.a(context.exec, setUp.nix);
    };
    let deployments = [];
    const saving = [];
    const rooms = {
        async setup() {
            setUp = await (0,setup/* setup */.mj)(setupConfigOf(config, ports), context, ports.setup);
            // As a step of its own it is followed by no plan that would tell what is needed.
            if (step === 'setup' && config.emulate === 'always')
                setUp = await (0,setup/* emulateOther */.E$)(setUp, context, ports.setup);
        },
        async plan() {
            const planCache = planCacheOf(config, ports, work => saving.push(work));
            run.fleet = await plan({ ...planConfigOf(config, ports), planCache }, nix(), context);
            (0,deploy/* checkAccess */.x8)(deployConfigOf(config, ports), run.fleet.hosts);
        },
        async build() {
            if (run.fleet === null || setUp === undefined)
                return;
            const hosts = run.fleet.hosts.map(({ name, system, toplevel }) => ({ name, system, drvPath: toplevel.drvPath }));
            const toBuild = { hosts, lock: JSON.stringify(run.fleet.hosts.map(host => host.nixpkgs)) };
            setUp = await (0,setup/* prepareSystems */.qr)(setUp, toBuild, context, ports.setup);
            run.built = await build(run.fleet, nix(), context);
            const toplevels = run.built.flatMap(built => (built.ok ? [built.toplevel] : []));
            saving.push((0,setup/* saveStoreCache */.rN)(setUp, toBuild, toplevels, context, ports.setup));
            const { commit } = run.fleet;
            deployments = run.built.flatMap(built => pipeline_deploymentOf(built, commit));
        },
        async archive() {
            if (config.from !== null) {
                deployments = await deploymentsFrom(config.from, config, ports, nix(), context, run);
                (0,deploy/* checkAccess */.x8)(deployConfigOf(config, ports), deployments);
                return;
            }
            const { repository, run: address } = ports;
            run.archives = await archive(run.built, {
                kind: config.archive,
                directory: ports.archives,
                signingKey: config['signing-key'],
                includeSource: config['include-source'],
                source: run.fleet?.source ?? null,
                provenance: { commit: run.fleet?.commit ?? null, repository, run: address, producer: version/* producer */.x },
            }, nix(), context, ports.artifacts);
        },
        async deploy() {
            run.outcomes = await (0,deploy/* deploy */.gg)(deployments, deployConfigOf(config, ports), nix(), context);
            for (const built of run.built) {
                if (!built.ok)
                    run.outcomes.push(notBuilt(built.host.name, run));
            }
        },
    };
    return { rooms, saved: async () => void (await Promise.all(saving)) };
}
/** What the set-up needs of the inputs. */
function setupConfigOf(config, ports) {
    return {
        nixVersion: config['nix-version'],
        nixSource: config['nix-source'],
        daemon: ports.daemon,
        nixConf: config['nix-conf'],
        emulate: config.emulate,
        qemu: config.qemu,
        builders: config.builders,
        cache: config.cache,
        githubToken: config['github-token'],
        signingKey: config['signing-key'],
        environment: ports.environment,
    };
}
function planConfigOf(config, ports) {
    return {
        ...locate(config.source),
        format: config.format,
        attribute: config.attribute,
        arguments: config.arguments,
        hosts: config.hosts,
        targets: config.targets,
        nixpkgs: config.nixpkgs,
        nixpkgsPin: config['nixpkgs-pin'],
        system: config.system,
        nixPath: ports.environment.NIX_PATH ?? null,
    };
}
/** In the Actions cache only what holders of the signing key made counts, as for the store cache. */
function planCacheOf(config, { planCache }, beside) {
    if (planCache === null || typeof planCache === 'string')
        return planCache;
    const secret = config['signing-key'];
    // A kept plan brings no nixpkgs, which `include-source` wants in the store.
    if (secret === null || config.cache === 'never' || config['include-source'])
        return null;
    return { port: planCache, secret, beside };
}
function deployConfigOf(config, ports) {
    return {
        mode: config.mode,
        deployKey: config['deploy-key'],
        knownHosts: config['known-hosts'],
        parallel: config.parallel,
        canary: config.canary,
        maxFailures: config['max-failures'],
        confirmTimeout: config['confirm-timeout'],
        healthTimeout: config['health-timeout'],
        who: ports.who,
        run: ports.run,
    };
}
function pipeline_deploymentOf(built, commit) {
    if (!built.ok)
        return [];
    const { name, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets } = built.host;
    const { toplevel, closureBytes } = built;
    const closure = { from: 'store' };
    return [
        {
            host: name,
            system,
            toplevel,
            commit,
            target,
            buildOnly,
            tags,
            closure,
            closureBytes,
            healthChecks,
            preDeployChecks,
            secrets,
        },
    ];
}
/** Takes archives instead of a source: no evaluator, no repository; where each host runs is said by `targets`. */
async function deploymentsFrom(from, config, ports, nix, context, run) {
    const none = { cmd: [], http: [] };
    // Names are asked for by name; what only selects is held against all that there are.
    const named = config.hosts.length > 0 && config.hosts.every(host => !/[*?@!]/.test(host)) ? config.hosts : null;
    const read = 'directory' in from
        ? await readArchives(from.directory, context)
        : await fetchArchives(named, from.run, ports.archives, artifactsOf(ports));
    const chosen = new Set(select_select(read.map(({ host }) => host), config.hosts, () => []));
    const archives = read.filter(({ host }) => chosen.has(host));
    await (0,concurrency/* mapConcurrently */.X)(archives, 4, ({ directory }) => verifyArchive(directory, config['trusted-public-keys'], nix, context));
    run.archives = archives;
    for (const one of archives)
        if (one.kind === 'delta')
            await importArchive(one, nix, context);
    return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => ({
        ...{ host, system, toplevel, commit: manifest.commit, closureBytes, buildOnly: false, tags: [] },
        target: host in config.targets ? (0,plan_targets/* targetOf */.$r)((0,plan_targets/* parseDeployment */.zi)(config.targets[host], `targets.${host}`)) : null,
        closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
        ...{ healthChecks: none, preDeployChecks: none, secrets: [] },
    }));
}
function artifactsOf(ports) {
    if (ports.artifacts !== null)
        return ports.artifacts;
    throw new errors/* UserError */.yo('Artifacts can be had only in a run of GitHub Actions.', {
        where: { input: 'from' },
        cure: 'Download and unzip the artifact, and name its folder.',
    });
}
function notBuilt(host, { mode }) {
    const message = 'It was not built; the target is as it was.';
    return { host, outcome: 'skipped', mode, before: null, after: null, message, units: (0,units/* noUnits */.J)(), seconds: 0 };
}


/***/ }),

/***/ 311:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   r: () => (/* binding */ version),
/* harmony export */   x: () => (/* binding */ producer)
/* harmony export */ });
/** The version of package.json; a test holds the two together. */
const version = '0.1.0';
/** What archives and reports say made them. */
const producer = `nix-ferry ${version}`;


/***/ })

};
