export const id = 320;
export const ids = [320];
export const modules = {

/***/ 47320:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  optionOf: () => (/* binding */ optionOf),
  run: () => (/* binding */ run)
});

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
// EXTERNAL MODULE: ./src/nix/pack.ts
var pack = __webpack_require__(91702);
// EXTERNAL MODULE: ./src/nix/sign.ts
var sign = __webpack_require__(19178);
// EXTERNAL MODULE: ./src/archive/archive.ts
var archive_archive = __webpack_require__(68492);
;// CONCATENATED MODULE: ./src/archive/inside.ts
/**
 * Decides for each path of a host's closure whether it goes into the archive, or else which cache has it.
 *
 * A delta leaves out a path that is signed by a key that the target's own configuration trusts, if the target has a
 * substituter. What was built here goes into the archive whatever its signatures are: a builder may sign with a key that
 * the target trusts although no cache has the path. No cache is queried.
 *
 * @param nix Nix's settings in the host's evaluated configuration; null: unknown, so everything goes into the archive.
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
/** `cache.nixos.org-1` for `cache.nixos.org-1:base64`. */
function keyName(key) {
    return key.slice(0, key.indexOf(':'));
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/plan/index.ts + 27 modules
var plan = __webpack_require__(40199);
;// CONCATENATED MODULE: ./src/archive/manifest.ts



/**
 * The text of `manifest.json`: keys in a fixed order, one path per line, a newline at the end, so that the same manifest
 * has the same bytes and the installer can read it with sed and awk.
 */
function writeManifest(manifest) {
    const head = ['version', ...Object.keys(shape)].filter(key => key !== 'paths' && manifest[key] !== undefined);
    const fields = head.map(key => ` ${JSON.stringify(key)}: ${JSON.stringify(manifest[key])},`);
    const lines = manifest.paths.map(path => `  ${JSON.stringify(ordered(path))}`);
    return `{\n${fields.join('\n')}\n "paths": [\n${lines.join(',\n')}\n ]\n}\n`;
}
/** sha256 of the archive's content; see Archive.digest. */
function manifestDigest(manifest) {
    const { kind, host, system, toplevel, publicKey, source, paths } = manifest;
    const content = JSON.stringify([1, kind, host, system, toplevel, publicKey, source, paths.map(ordered)]);
    return `sha256:${(0,external_node_crypto_.createHash)('sha256').update(content).digest('hex')}`;
}
/**
 * Reads `manifest.json` and checks its version, every field and its digest.
 *
 * @param file the name to use in errors.
 * @throws UserError that names the wrong field.
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
        throw new errors/* UserError */.yo(`${file} has version ${JSON.stringify(value.version)}; this program reads version 1.`, {
            where: { file },
            cure: 'Use the release of Nix Ferry that made the archive, or a newer one.',
        });
    }
    for (const [field, is] of Object.entries(shape)) {
        if (value[field] === undefined && optional.includes(field))
            continue;
        if (!is(value[field]))
            throw damaged(file, `its field "${field}" is ${problem(value[field])}`);
    }
    const manifest = value;
    manifest.paths.forEach((path, index) => {
        for (const [field, is] of Object.entries(pathShape)) {
            const entry = { ...path };
            if (!is(entry[field]))
                throw damaged(file, `"${field}" of path ${index + 1} is ${problem(entry[field])}`);
        }
    });
    (0,plan/* checkHostName */.cY)(manifest.host, file);
    if (!manifest.paths.some(({ path }) => path === manifest.toplevel)) {
        throw damaged(file, 'its toplevel is not among its paths');
    }
    if (manifestDigest(manifest) !== manifest.digest)
        throw damaged(file, 'its content does not match its digest');
    return manifest;
}
/** The fields of the manifest, in the order of schemas/manifest-1.json. */
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
    branch: isTextOrNull,
    committed: value => value === null || (Number.isSafeInteger(value) && value >= 0),
    producer: isText,
    nixVersion: isText,
    nixpkgs: value => value === null || isObject(value),
    source: value => value === null ||
        (isObject(value) && isStorePath(value.configuration) && (value.nixpkgs === null || isStorePath(value.nixpkgs))),
    sums: value => isText(value) && /^sha256:[0-9a-f]{64}$/.test(value),
    paths: value => Array.isArray(value) && value.length > 0 && value.every(isObject),
};
/** The fields that older releases left out. */
const optional = ['branch', 'committed'];
/** The fields of each path. */
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
function problem(value) {
    return value === undefined ? 'missing' : `wrong: ${JSON.stringify(value).slice(0, 100)}`;
}
function damaged(file, why, cause) {
    return new errors/* UserError */.yo(`The archive's ${file} is damaged: ${why}.`, {
        where: { file },
        cure: 'Download the artifact again, or rerun the job that built it.',
        cause,
    });
}
/** Describes the archive in `directory` by its manifest. `bytes` is the size of its files. */
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

;// CONCATENATED MODULE: ./src/archive/source.ts




/**
 * Adds the configuration to the store, so that archives can include it.
 *
 * Of a repository, only the files that Git tracks are added, with the content that they have in the folder; of any other
 * folder, everything. An untracked file may be a secret, and everyone can read the store.
 *
 * @param folder absolute.
 * @returns its store path, named `configuration`.
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
                // Git also lists files that were deleted here, and submodules, which are folders.
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
/** Paths relative to `folder`; null outside of a repository. @throws if Git cannot list them: others may be secrets */
async function trackedFiles(folder, context) {
    if ((await (0,plan/* repositoryOf */._M)(folder, context)) === null)
        return null;
    const { stdout } = await context.query('git', ['-C', folder, 'ls-files', '-z']);
    return stdout.split('\0').filter(name => name !== '');
}
/** The store path of a pinned nixpkgs, as flakes and fetchTarball name it; null if it is not in the store. */
async function nixpkgsOf(pin, nix) {
    if (pin?.narHash == null)
        return null;
    const args = ['--print-fixed-path', '--recursive', 'sha256', pin.narHash, 'source'];
    const path = (await nix.run('nix-store', args)).stdout.trim();
    return (await nix.valid([path])).has(path) ? path : null;
}

;// CONCATENATED MODULE: ./src/archive/contents.ts





/** @param configuration the store path of the configuration that goes into the archive; null: none does */
async function contentsOf({ host, toplevel, closure }, configuration, nix, context) {
    if (configuration === null)
        return { host, toplevel, closure, source: null };
    const nixpkgs = await nixpkgsOf(host.nixpkgs, nix);
    if (nixpkgs === null) {
        context.log.notice(`${host.name}: the archive does not include nixpkgs, which is not pinned by a hash or not in the store`);
    }
    const known = new Set(closure.map(({ path }) => path));
    const more = await nix.closure([configuration, ...(nixpkgs === null ? [] : [nixpkgs])]);
    const added = more.filter(({ path }) => !known.has(path));
    return { host, toplevel, closure: [...closure, ...added], source: { configuration, nixpkgs } };
}
async function manifestOf({ host, toplevel, closure, source }, kind, publicKey, { commit, repository, branch, committed, producer }, nix) {
    const paths = chooseInside(closure, kind, host.nix);
    const content = { kind, host: host.name, system: host.system, toplevel, publicKey, source, paths };
    return {
        version: 1,
        ...content,
        hostName: await hostNameOf(toplevel),
        digest: manifestDigest(content),
        commit,
        repository,
        branch,
        committed,
        producer,
        nixVersion: nix.installation.version,
        nixpkgs: host.nixpkgs,
        // Set when all files are written; see write.ts.
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
/** Shared by the archives of several hosts: every path that is inside one of them. */
function pathsInside(manifests) {
    return new Set(manifests.flatMap(({ paths }) => paths.filter(path => path.inside).map(({ path }) => path)));
}
/** The paths inside the archives, described. */
function insideOf(contents, manifests) {
    const closure = new Map(contents.flatMap(one => one.closure).map(info => [info.path, info]));
    return { paths: [...pathsInside(manifests)].map(path => closure.get(path)), closure };
}

;// CONCATENATED MODULE: ./src/archive/plain.ts


/**
 * A path of `directory` that can be part of a store's address, `file://…`: itself, or a link to it below
 * `context.scratch`. Nix 2.8 cannot open an address with a space, encoded or not, and browsers unpack to
 * `closure-web (1)`.
 */
async function plainPath(directory, context) {
    if (/^[A-Za-z0-9_./-]+$/.test(directory))
        return directory;
    const link = (0,external_node_path_.join)(await (0,promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'link-')), 'archives');
    await (0,promises_.symlink)(directory, link);
    return link;
}

// EXTERNAL MODULE: ./src/activation-script.ts
var activation_script = __webpack_require__(28299);
// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
;// CONCATENATED MODULE: ./src/archive/manifest-entry.ts




/**
 * Makes the manifest a path of the cache, so that Nix protects it like every other path: the name of its entry is derived
 * from its bytes, and the entry carries the signature, which a target checks with `nix store verify` and the keys that it
 * already trusts. Nix accepts a content-addressed path without any signature, so the entry does not say that it is one.
 */
async function enterManifest(directory, signingKey, nix, context) {
    const store = `file://${directory}?compression=none`;
    const { stdout } = await nix.run('nix', ['store', 'add-file', '--store', store, (0,external_node_path_.join)(directory, 'manifest.json')]);
    const path = stdout.trim();
    const file = (0,external_node_path_.join)(directory, (0,pack/* narInfoName */.Dt)(path));
    await (0,promises_.writeFile)(file, await entryOf(path, directory, await (0,promises_.readFile)(file, 'utf8')));
    if (signingKey !== null)
        await (0,sign/* signPaths */.s)(directory, [path], signingKey, nix, context);
    // Nix creates these folders in every cache, newer versions more of them; here they are empty.
    for (const folder of ['log', 'realisations', 'build-trace', 'build-trace-v2', 'debuginfo']) {
        await (0,promises_.rm)((0,external_node_path_.join)(directory, folder), { recursive: true, force: true });
    }
}
/**
 * Whether the archive has the entry of the manifest at `path` as it was written. SHA256SUMS cannot cover it, since the
 * entry is derived from the manifest, which contains the hash of SHA256SUMS; and without a signature Nix checks only the
 * NAR's hash.
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
/** The entry without its signatures. The NAR's hash is copied from `entry`, where Nix checks it. */
async function entryOf(path, directory, entry) {
    const hash = /^NarHash: sha256:([0-9a-z]{52})$/m.exec(entry)?.[1];
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










/**
 * Creates one host's folder from the pool, completely or not at all.
 *
 * @param pool a binary cache, on the same file system, with every path that is inside the archive.
 */
async function write(manifest, pool, config, nix, context) {
    const directory = (0,external_node_path_.join)(config.directory, (0,archive_archive/* archiveName */.uv)(manifest.host));
    const partial = `${directory}.part`;
    await (0,promises_.rm)(partial, { recursive: true, force: true });
    try {
        await fill(partial, manifest, pool);
        await enterManifest(partial, config.signingKey, nix, context);
        await (0,promises_.rm)(directory, { recursive: true, force: true });
        await (0,promises_.rename)(partial, directory);
    }
    finally {
        await (0,promises_.rm)(partial, { recursive: true, force: true });
    }
    return archiveOf(manifest, directory, await sizeOf(directory));
}
/** Everything but the manifest's entry in the cache, which needs Nix. */
async function fill(partial, manifest, pool) {
    await (0,promises_.mkdir)((0,external_node_path_.join)(partial, 'nar'), { recursive: true });
    await (0,promises_.link)((0,external_node_path_.join)(pool, 'nix-cache-info'), (0,external_node_path_.join)(partial, 'nix-cache-info'));
    linkPaths(manifest, pool, partial);
    await (0,promises_.writeFile)((0,external_node_path_.join)(partial, 'README'), readme(manifest));
    for (const [name, script] of Object.entries(scripts())) {
        await (0,promises_.writeFile)((0,external_node_path_.join)(partial, name), script);
        await (0,promises_.chmod)((0,external_node_path_.join)(partial, name), 0o755);
    }
    const sums = await sumsOf(partial);
    await (0,promises_.writeFile)((0,external_node_path_.join)(partial, 'SHA256SUMS'), sums);
    const summed = { ...manifest, sums: `sha256:${(0,external_node_crypto_.createHash)('sha256').update(sums).digest('hex')}` };
    await (0,promises_.writeFile)((0,external_node_path_.join)(partial, 'manifest.json'), writeManifest(summed));
}
/** Synchronous, as in nix/pack.ts. */
function linkPaths({ paths }, pool, directory) {
    for (const { path, inside } of paths) {
        if (!inside)
            continue;
        const entry = (0,pack/* narInfoName */.Dt)(path);
        const nar = /^URL: (\S+)$/m.exec((0,external_node_fs_.readFileSync)((0,external_node_path_.join)(pool, entry), 'utf8'))?.[1];
        if (nar === undefined)
            throw new Error(`Nix wrote no URL into ${entry} for ${path}`);
        (0,external_node_fs_.linkSync)((0,external_node_path_.join)(pool, entry), (0,external_node_path_.join)(directory, entry));
        // Paths with the same content share a NAR.
        if (!(0,external_node_fs_.existsSync)((0,external_node_path_.join)(directory, nar)))
            (0,external_node_fs_.linkSync)((0,external_node_path_.join)(pool, nar), (0,external_node_path_.join)(directory, nar));
    }
}
/** Our scripts in an archive: their names there, and their texts. */
function scripts() {
    return { install: (0,external_node_fs_.readFileSync)((0,assets/* asset */.L)('target/install.sh'), 'utf8'), 'activate.sh': (0,activation_script/* activationScript */.s)() };
}
/** What `sha256sum` prints for all files except NARs, whose hashes are in their entries. */
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
        `The system of ${host} (${system}), as a binary cache of Nix, made by Nix Ferry.`,
        kind === 'full'
            ? `It contains the whole closure (${paths.length} paths) and can be installed without a network.`
            : `It contains ${inside} of ${paths.length} paths; the machine fetches the others from the caches that it trusts.`,
        'On the machine, in this folder, as root:',
        `  sh install --dry-run${check}   checks everything and changes nothing`,
        `  sh install switch${check}      imports it, activates it and makes it the boot default`,
        '  (also: boot, test, dry-activate)',
        publicKey === null
            ? 'It is not signed: install it only if you trust its origin.'
            : `It is signed: the machine must trust ${publicKey} (nix.settings.trusted-public-keys).`,
        'manifest.json lists every path with its hash, and the commit that it was built from.',
        ...(source === null ? [] : ['It includes the configuration, which is linked to /etc/nixos/current-configuration.']),
        '',
    ].join('\n');
}

;// CONCATENATED MODULE: ./src/archive/publish.ts




/**
 * Uploads an archive, unless an artifact that still exists has the same content.
 *
 * @param run address of this run, which is uploaded with the archive; null: unknown.
 */
async function publish(archive, run, artifacts, context) {
    const name = (0,archive_archive/* archiveName */.uv)(archive.host);
    const key = `${name}-${archive.digest.replace(':', '-')}`;
    const earlier = await artifacts.recall(key);
    if (earlier !== null) {
        const holder = earlier.run === null ? 'this run' : `run ${earlier.run} of this repository`;
        context.log.info(`${archive.host}: ${holder} already uploaded this archive (${earlier.name})`);
        if (earlier.run !== null)
            await refer({ artifact: earlier, digest: archive.digest }, artifacts, context);
        return earlier;
    }
    // It is next to the archive's files but not part of the archive: the same closure keeps the same bytes.
    const runFile = (0,external_node_path_.join)(archive.directory, 'run.json');
    try {
        if (run !== null)
            await (0,promises_.writeFile)(runFile, `${JSON.stringify({ run })}\n`);
        const artifact = await artifacts.upload(name, archive.directory, await filesOf(archive.directory));
        await artifacts.remember(key, artifact);
        return artifact;
    }
    finally {
        await (0,promises_.rm)(runFile, { force: true });
    }
}
/** Uploads, in place of the archive, a small artifact with its name from which a later job of this run learns where it is. */
async function refer(reference, artifacts, context) {
    const directory = await (0,promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'reference-'));
    const file = (0,external_node_path_.join)(directory, archive_archive/* referenceFile */.gD);
    await (0,promises_.writeFile)(file, `${JSON.stringify(reference)}\n`);
    await artifacts.upload(reference.artifact.name, directory, [file]);
}

// EXTERNAL MODULE: ./src/nix/arguments.ts
var nix_arguments = __webpack_require__(40383);
// EXTERNAL MODULE: ./src/nix/index.ts
var src_nix = __webpack_require__(93779);
;// CONCATENATED MODULE: ./src/archive/verify.ts









/**
 * Checks all of an archive before any of it is used: the fields and the digest of the manifest; that each path inside
 * exists, has the NAR hash of the manifest, and unpacks to that hash; and, if keys are given, that the manifest and each
 * path inside are signed by one of them.
 *
 * @param trustedKeys in Nix's form `name:base64`. Without keys only hashes are checked, which detects damage, but not an
 *   archive that someone else made.
 * @throws UserError that names the first path that is wrong.
 */
async function verifyArchive(directory, trustedKeys, nix, context) {
    const { archive, manifest } = await openArchive(directory);
    const inside = manifest.paths.filter(path => path.inside);
    const store = `file://${directory}`;
    const trust = trustedKeys.length === 0
        ? ['--no-trust']
        : ['--sigs-needed', '1', '--option', 'trusted-public-keys', trustedKeys.join(' ')];
    if (trustedKeys.length > 0 && manifest.publicKey === null)
        throw refused(manifest.host, 'it is not signed');
    const own = await manifestPath(directory, manifest.host, nix);
    await verifySums(directory, manifest);
    const verify = (paths) => attempt(manifest.host, () => nix.run('nix', ['store', 'verify', '--store', store, ...trust, ...paths], { signal: context.signal }));
    await verify([own]);
    for (const some of (0,nix_arguments/* inParts */.o)(inside)) {
        const paths = some.map(({ path }) => path);
        const infos = await attempt(manifest.host, async () => {
            const { stdout } = await nix.run('nix', ['path-info', '--json', '--store', store, ...paths]);
            return new Map((0,src_nix/* parsePathInfo */.F)(stdout).map(info => [info.path, info]));
        });
        for (const { path, narHash, narSize } of some) {
            const info = infos.get(path);
            if (info === undefined)
                throw refused(manifest.host, `${path} is missing`);
            if (info.narHash !== narHash || info.narSize !== narSize) {
                throw refused(manifest.host, `${path} does not have the hash and size in the manifest`);
            }
        }
        await verify(paths);
    }
    return { ...archive, manifest };
}
/** Reads an archive's manifest and checks nothing but its fields and its digest. @throws UserError */
async function openArchive(directory) {
    const file = (0,external_node_path_.join)(directory, 'manifest.json');
    let text;
    try {
        text = await (0,promises_.readFile)(file, 'utf8');
    }
    catch (cause) {
        throw new errors/* UserError */.yo(`${directory} is not an archive: it contains no manifest.json.`, {
            where: { file: directory },
            cure: 'Give the folder that the artifact was unpacked to.',
            cause,
        });
    }
    const manifest = parseManifest(text, 'manifest.json');
    const archive = archiveOf(manifest, directory, await sizeOf(directory));
    return { archive, manifest };
}
/** The store path that is derived from the manifest's bytes; see manifest-entry.ts. */
async function manifestPath(directory, host, nix) {
    const hash = await nix.run('nix-hash', ['--type', 'sha256', '--flat', '--base32', (0,external_node_path_.join)(directory, 'manifest.json')]);
    const fixed = await nix.run('nix-store', ['--print-fixed-path', 'sha256', hash.stdout.trim(), 'manifest.json']);
    const path = fixed.stdout.trim();
    if (!(await hasEntry(path, directory)))
        throw refused(host, 'manifest.json or its entry was changed');
    return path;
}
/** Checks the small files by SHA256SUMS, whose hash is in the manifest. */
async function verifySums(directory, manifest) {
    const read = (name) => (0,promises_.readFile)((0,external_node_path_.join)(directory, name)).catch(cause => {
        throw refused(manifest.host, `${name} is missing`, cause);
    });
    const sums = await read('SHA256SUMS');
    if (`sha256:${sha256(sums)}` !== manifest.sums)
        throw refused(manifest.host, 'SHA256SUMS was changed');
    for (const line of sums.toString().trimEnd().split('\n')) {
        const [sum, name] = line.split('  ');
        if (sum === undefined || name === undefined || name.includes('/'))
            throw refused(manifest.host, 'SHA256SUMS is damaged');
        if (sha256(await read(name)) !== sum)
            throw refused(manifest.host, `${name} was changed`);
    }
}
function sha256(bytes) {
    return (0,external_node_crypto_.createHash)('sha256').update(bytes).digest('hex');
}
/** @throws UserError if a command of `work` fails */
async function attempt(host, work) {
    try {
        return await work();
    }
    catch (error) {
        if (!(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
        const line = error.stderr.split('\n').find(one => /untrusted|corrupt|modified|not valid|mismatch|error/.test(one));
        throw refused(host, (line ?? error.message).trim().replace(/^error: /, ''), error);
    }
}
function refused(host, why, cause) {
    return new errors/* UserError */.yo(`The archive of ${host} is refused: ${why}.`, {
        where: { host },
        cure: 'Nothing was copied. Rerun the job that built it, and check which key signs it.',
        cause,
    });
}

;// CONCATENATED MODULE: ./src/archive/fetch.ts






/**
 * Reads an archive on this machine.
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
/** Reads the archive at `path` (see `readArchive`) or, if it is a folder of archives such as `ferry archive` makes, all of them. */
async function readArchives(path, context) {
    const entries = path.endsWith('.zip') ? [] : await (0,promises_.readdir)(path).catch(() => []);
    const folders = entries.filter(entry => entry.startsWith((0,archive_archive/* archiveName */.uv)(''))).sort();
    if (entries.includes('manifest.json') || folders.length === 0)
        return [await readArchive(path, context)];
    return Promise.all(folders.map(folder => readArchive((0,external_node_path_.join)(path, folder), context)));
}
/**
 * Downloads the archives of a run and reads them.
 *
 * @param hosts the hosts whose archives are wanted; null: all of them.
 * @param run the run that has the artifacts; null: this run.
 * @param directory each archive becomes the folder `closure-<host>` in it.
 * @throws UserError if one does not exist, or is not downloaded as it was uploaded.
 */
async function fetchArchives(hosts, run, directory, artifacts) {
    if (run !== null)
        await artifacts.checkRun(run);
    const prefix = (0,archive_archive/* archiveName */.uv)('');
    const listed = (await artifacts.list(run)).filter(({ name }) => name.startsWith(prefix));
    const wanted = hosts?.map(archive_archive/* archiveName */.uv) ?? [...new Set(listed.map(({ name }) => name))].sort();
    const found = wanted.map(name => {
        const artifact = listed.find(one => one.name === name);
        if (artifact !== undefined)
            return artifact;
        const existing = listed.length === 0 ? 'none' : listed.map(one => one.name.slice(prefix.length)).join(', ');
        const which = run === null ? 'This run' : `Run ${run}`;
        throw new errors/* UserError */.yo(`${which} has no archive of ${name.slice(prefix.length)}.`, {
            cure: `It has archives of: ${existing}. Run the job that builds it before this one.`,
        });
    });
    const read = [];
    for (const artifact of found) {
        const target = (0,external_node_path_.join)(directory, artifact.name);
        const digest = await download(artifact, target, artifacts);
        const { archive, manifest } = await openArchive(target);
        if (digest !== null && archive.digest !== digest) {
            throw new errors/* UserError */.yo(`The artifact ${artifact.name} of an earlier run is not the archive that this run made.`, {
                where: { host: manifest.host },
                cure: 'Nothing was copied. Rerun the job that built it.',
            });
        }
        if ((0,archive_archive/* archiveName */.uv)(manifest.host) !== artifact.name) {
            throw new errors/* UserError */.yo(`The artifact ${artifact.name} contains the archive of another host, ${manifest.host}.`, {
                where: { host: manifest.host },
                cure: 'Nothing was copied. Rerun the job that built it.',
            });
        }
        // An earlier run made it, from an older commit, whose age says nothing about the commit of this run.
        const known = digest === null ? manifest : { ...manifest, branch: null, committed: null };
        read.push({ ...archive, artifact, manifest: known });
    }
    return read;
}
/**
 * Downloads an artifact, or the one of an earlier run that it refers to.
 *
 * @returns the digest that the archive must have; null if it is not a reference.
 */
async function download(artifact, directory, artifacts) {
    const fetchInto = async (one) => {
        await (0,promises_.rm)(directory, { recursive: true, force: true });
        await (0,promises_.mkdir)(directory, { recursive: true });
        await artifacts.download(one, directory);
    };
    await fetchInto(artifact);
    const reference = await (0,promises_.readFile)((0,external_node_path_.join)(directory, archive_archive/* referenceFile */.gD), 'utf8').catch(() => null);
    if (reference === null)
        return null;
    const { artifact: referred, digest } = JSON.parse(reference);
    await fetchInto(referred).catch(cause => {
        if (cause instanceof errors/* UserError */.yo)
            throw cause;
        throw new errors/* UserError */.yo(`${artifact.name} is an artifact of run ${referred.run} and could not be downloaded from there: ${(0,errors/* explain */.WE)(cause)}.`, {
            cure: 'Rerun the job that builds it; it uploads the archive again.',
            cause,
        });
    });
    return digest;
}

;// CONCATENATED MODULE: ./src/archive/import.ts



/**
 * Imports the whole closure of a verified archive into the local store: Nix fetches what a delta leaves out from its
 * substituters, then imports what is in the archive. Afterwards the toplevel can be copied as if it had been built here.
 *
 * @param trustedKeys one of them must have signed each path inside; empty: no signatures are required.
 * @throws UserError if a path that is not in the archive cannot be fetched, or differs from the one in the manifest.
 */
async function importArchive({ directory, manifest }, trustedKeys, nix, importing, context) {
    const { signal } = context;
    const outside = manifest.paths.filter(path => !path.inside);
    const present = await nix.valid(outside.map(({ path }) => path));
    const absent = outside.map(({ path }) => path).filter(path => !present.has(path));
    try {
        for (const some of (0,nix_arguments/* inParts */.o)(absent))
            await nix.run('nix-store', ['--realise', ...some], { signal });
    }
    catch (error) {
        if (!(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
        throw new errors/* UserError */.yo(`The archive of ${manifest.host} leaves out paths that a cache has, and they could not be fetched: ${error.message}`, {
            where: { host: manifest.host },
            cure: `They are in ${[...new Set(outside.map(({ cache }) => cache))].join(', ')}. Check that cache, or build with \`archive: full\`.`,
            cause: error,
        });
    }
    for (const some of (0,nix_arguments/* inParts */.o)(outside)) {
        const { stdout } = await nix.run('nix', ['path-info', '--json', ...some.map(({ path }) => path)]);
        const infos = new Map((0,src_nix/* parsePathInfo */.F)(stdout).map(info => [info.path, info]));
        const other = some.find(({ path, narHash }) => infos.get(path)?.narHash !== narHash);
        if (other === undefined)
            continue;
        throw new errors/* UserError */.yo(`${other.path} in the store differs from the one that the archive of ${manifest.host} was built with.`, {
            where: { host: manifest.host },
            cure: 'Nothing was copied. Build with `archive: full`, or rerun the job that built it.',
        });
    }
    const inside = manifest.paths.filter(path => path.inside).map(({ path }) => path);
    if (inside.length === 0)
        return;
    // Nix checks the signatures again, so that files which were changed since they were verified are not imported.
    const trust = trustedKeys.length === 0
        ? ['--no-check-sigs']
        : ['--option', 'require-sigs', 'true', '--option', 'trusted-public-keys', trustedKeys.join(' ')];
    // In one call, since each path's references must be imported before it.
    await importing(['copy', ...trust, '--no-recursive', '--from', `file://${directory}`, ...inside]);
}

;// CONCATENATED MODULE: ./src/archive/take.ts







/**
 * Takes existing archives instead of a source: reads or downloads those of the selected hosts, verifies all of them, and
 * imports into the local store those that do not hold their whole closure. Needs no evaluator and no repository.
 *
 * @throws UserError for an archive that is missing, damaged or, unless `allowUnsigned`, not signed by one of
 *   `trustedPublicKeys` or by `signingKey`.
 */
async function takeArchives(from, { hosts, trustedPublicKeys, signingKey, allowUnsigned }, stores, { nix, importing }, context) {
    // Hosts that are named are asked for by name; globs and exclusions are applied to all that exist.
    const named = hosts.length > 0 && hosts.every(host => !/[*?@!]/.test(host)) ? hosts : null;
    const read = 'directory' in from
        ? await readArchives(from.directory, context)
        : await fetchArchives(named, from.run, stores.directory, artifactsOf(stores));
    const chosen = new Set((0,plan/* select */.Lt)(read.map(({ host }) => host), hosts, () => []));
    const archives = read.filter(({ host }) => chosen.has(host));
    // With `allowUnsigned`, an archive is not refused because there is also a key to sign others with.
    const own = signingKey === null || allowUnsigned ? [] : [await (0,sign/* publicKeyOf */.k)(signingKey, nix)];
    const trusted = [...trustedPublicKeys, ...own];
    if (trusted.length === 0 && !allowUnsigned)
        throw new Error('archives would be used without a key');
    await (0,concurrency/* mapConcurrently */.X)(archives, 4, ({ directory }) => verifyArchive(directory, trusted, nix, context));
    for (const one of archives)
        if (one.kind === 'delta')
            await importArchive(one, trusted, nix, importing, context);
    return archives;
}
function artifactsOf({ artifacts }) {
    if (artifacts !== null)
        return artifacts;
    throw new errors/* UserError */.yo('Artifacts can only be downloaded in a run of GitHub Actions.', {
        where: { input: 'from' },
        cure: 'Download and unzip the artifact, and give its folder.',
    });
}

;// CONCATENATED MODULE: ./src/archive/index.ts


















/**
 * Packs each built host's closure into a folder that is a binary cache of Nix (`file://`, zstd) with `manifest.json`,
 * `install` and `README`, signs it if there is a key, and uploads it if `artifacts` is given.
 *
 * A path that several hosts share is compressed once. A folder appears under its name only when it is complete, and
 * replaces an earlier one.
 *
 * @returns one entry for each host that was built, in their order; empty when `config.archive` is `none`.
 * @throws UserError if the signing key is wrong or the disk too small; Error if the run is cancelled.
 */
async function archive(built, config, nix, context, artifacts) {
    const { archive: kind } = config;
    const hosts = built.filter(one => one.ok);
    if (kind === 'none' || hosts.length === 0)
        return [];
    if (config.signingKey !== null)
        context.log.secret(config.signingKey.trim());
    const publicKey = config.signingKey === null ? null : await (0,sign/* publicKeyOf */.k)(config.signingKey, nix);
    if (publicKey !== null)
        context.log.info(`Archives are signed; targets trust them with the public key ${publicKey}`);
    const configuration = config.includeSource && config.source !== null ? await addConfiguration(config.source, nix, context) : null;
    const contents = await Promise.all(hosts.map(host => contentsOf(host, configuration, nix, context)));
    const manifests = await Promise.all(contents.map(one => manifestOf(one, kind, publicKey, config.provenance, nix)));
    await (0,promises_.mkdir)(config.directory, { recursive: true });
    const directory = await plainPath(config.directory, context);
    const pool = (0,external_node_path_.join)(directory, '.pool');
    await (0,promises_.rm)(pool, { recursive: true, force: true });
    try {
        const onPath = countPaths(manifests, context);
        await (0,pack/* pack */.qq)({ ...insideOf(contents, manifests), directory: pool, onPath }, nix, context);
        // Nix may have packed the last path before the cancellation reached it.
        context.signal.throwIfAborted();
        if (config.signingKey !== null) {
            await (0,sign/* signPaths */.s)(pool, [...pathsInside(manifests)], config.signingKey, nix, context);
        }
        return await (0,concurrency/* mapConcurrently */.X)(manifests, 4, async (manifest) => {
            context.signal.throwIfAborted();
            const written = await write(manifest, pool, { ...config, directory }, nix, context);
            const one = { ...written, directory: (0,external_node_path_.join)(config.directory, (0,archive_archive/* archiveName */.uv)(written.host)) };
            if (artifacts === null) {
                say(context, one, 'done');
                return one;
            }
            context.signal.throwIfAborted();
            say(context, one, 'running', 'uploading');
            const artifact = await publish(one, config.provenance.run, artifacts, context);
            say(context, one, 'done');
            return { ...one, artifact };
        });
    }
    finally {
        (0,external_node_fs_.rmSync)(pool, { recursive: true, force: true });
    }
}
/** Reports progress for each host: the returned function is called with each path that Nix starts to pack. */
function countPaths(manifests, context) {
    const hosts = manifests.map(manifest => {
        const pending = pathsInside([manifest]);
        return { host: manifest.host, pending, count: pending.size };
    });
    return path => {
        for (const { host, pending, count } of hosts) {
            if (!pending.delete(path))
                continue;
            const text = `packing path ${count - pending.size} of ${count}`;
            context.progress({ host, stage: 'archive', state: 'running', text });
        }
    };
}
function say(context, one, state, text) {
    const whole = `${one.paths} of ${one.closurePaths} paths, ${(0,amounts/* size */.Ej)(one.bytes)}`;
    context.progress({ host: one.host, stage: 'archive', state, text: text ?? whole });
}

// EXTERNAL MODULE: ./src/nix/log.ts
var log = __webpack_require__(1773);
;// CONCATENATED MODULE: ./src/build/hash-place.ts
/**
 * Where the source specifies a hash that turned out to be wrong, in any of the forms that Nix accepts.
 *
 * @param folder the folder of the source, in a Git repository.
 * @returns null if it is not found, for example because it is computed or belongs to an input.
 */
async function placeOfHash({ specified }, folder, nix, query) {
    const forms = (await formsOf(specified, nix)).flatMap(form => ['-e', form]);
    const args = ['-C', folder, 'grep', '--full-name', '--untracked', '--column', '-znIF', ...forms];
    // Exit code 1: nothing was found. 128: not a Git repository.
    const { stdout } = await query('git', args, { allow: [0, 1, 128] });
    const [file, line, column] = stdout.split('\0');
    return file === undefined || line === undefined || column === undefined || file === ''
        ? null
        : { file, line: Number(line), column: Number(column) };
}
/** An SRI hash in SRI form, base64, base32 and base16. */
async function formsOf(sri, nix) {
    const [, type, base64] = /^(\w+)-(.+)$/.exec(sri) ?? [];
    if (type === undefined || base64 === undefined)
        return [sri];
    const base16 = Buffer.from(base64, 'base64').toString('hex');
    const { stdout: base32 } = await nix.run('nix-hash', ['--type', type, '--to-base32', base16]);
    return [sri, base64, base32.trim(), base16];
}

// EXTERNAL MODULE: ./src/nix/derivation.ts
var derivation = __webpack_require__(56754);
// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
;// CONCATENATED MODULE: ./src/build/counts.ts

/** How far Nix is with the builds and downloads of a run, read from its log. One instance can follow several calls of Nix. */
class BuildCounts {
    /** Activity → builds that this call of Nix expects. */
    #expected = new Map();
    /** Activity → bytes that its downloads will have. */
    #sizes = new Map();
    /** Download → bytes. */
    #downloads = new Map();
    #started = 0;
    see(event) {
        switch (event.kind) {
            case 'build-start':
                this.#started += 1;
                break;
            case 'builds-start':
                this.#expected.set(event.id, 0);
                break;
            case 'download-start':
                this.#downloads.set(event.id, { done: 0, expected: 0 });
                break;
            case 'download-size':
                this.#sizes.set(event.id, event.bytes);
                break;
            case 'progress':
                if (this.#expected.has(event.id))
                    this.#expected.set(event.id, event.expected);
                if (this.#downloads.has(event.id))
                    this.#downloads.set(event.id, event);
                break;
            default:
        }
    }
    /** "3 of 17": the build that was started last, and all; null if there is only one. */
    builds() {
        const expected = Math.max(this.#started, sum(this.#expected.values()));
        return expected > 1 ? `${this.#started} of ${expected}` : null;
    }
    /** "120 MiB of 340 MiB"; null if nothing is downloaded. */
    downloads() {
        const all = [...this.#downloads.values()];
        const done = sum(all.map(each => each.done));
        // Nix announces the sizes of the paths that it substitutes; other downloads only know their own.
        const expected = Math.max(sum(this.#sizes.values()), sum(all.map(each => each.expected)));
        return expected === 0 ? null : `${(0,amounts/* size */.Ej)(done)} of ${(0,amounts/* size */.Ej)(Math.max(done, expected))}`;
    }
}
function sum(numbers) {
    let total = 0;
    for (const number of numbers)
        total += number;
    return total;
}

;// CONCATENATED MODULE: ./src/build/watch.ts



const keptLog = 16 * 1024;
/** Follows Nix's log during a build, and records for each host which builds finished, run or failed. */
class BuildWatch {
    #context;
    #missing;
    /** Derivation → the hosts that need it. */
    #needs = new Map();
    #running = new Map();
    #counts = new BuildCounts();
    /** What was last said about downloads. */
    #downloads = null;
    #logs = new Map();
    #started = new Set();
    #failed = new Set();
    #messages = [];
    constructor(missing, context) {
        this.#missing = missing;
        this.#context = context;
    }
    /** Records the derivations that the host's toplevel is made from. */
    learn(host, drvPaths) {
        for (const drvPath of drvPaths) {
            const hosts = this.#needs.get(drvPath);
            if (hosts === undefined)
                this.#needs.set(drvPath, [host]);
            else
                hosts.push(host);
        }
    }
    /** Processes one event; `alone` is the host it belongs to, if only one host is being built. */
    see(event, alone) {
        this.#counts.see(event);
        switch (event.kind) {
            case 'build-start':
                this.#running.set(event.id, event.drvPath);
                this.#started.add(event.drvPath);
                this.#logs.delete(event.drvPath);
                this.#sayBuilding(event.drvPath);
                break;
            case 'progress':
                this.#sayDownloading();
                break;
            case 'log-line': {
                const drvPath = this.#running.get(event.id);
                if (drvPath === undefined)
                    break;
                this.#logs.set(drvPath, `${this.#logs.get(drvPath) ?? ''}${event.line}\n`.slice(-keptLog));
                this.#context.log.debug(`${(0,derivation/* derivationName */.Jt)(drvPath)}> ${event.line}`);
                break;
            }
            case 'stop':
                this.#running.delete(event.id);
                break;
            case 'error':
                this.#message(event.error.message, 0, alone);
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
    /** The derivation that failed first of those that the host needs; null if none failed. */
    failedDerivation(host) {
        for (const drvPath of this.#failed)
            if (this.#needs.get(drvPath)?.includes(host))
                return drvPath;
        return null;
    }
    /** The hash mismatch because of which the host was not built; null if that is not the cause. */
    hashMismatch(host) {
        return (0,explain/* hashMismatchIn */.k)(this.#errorsOf(host));
    }
    failure(host) {
        const mismatch = this.hashMismatch(host);
        if (mismatch !== null) {
            const { drvPath, specified, got } = mismatch;
            const message = `${(0,derivation/* derivationName */.Jt)(drvPath)} was downloaded with the hash ${got}, and the source specifies ${specified}`;
            return { message, drvPath, log: this.#errorsOf(host) };
        }
        const drvPath = this.failedDerivation(host);
        if (drvPath !== null) {
            const log = this.#logs.get(drvPath) ?? this.#errorsOf(host);
            return {
                message: explained(log) ?? explained(this.#errorsOf(host)) ?? `${(0,derivation/* derivationName */.Jt)(drvPath)} failed to build`,
                drvPath,
                log,
            };
        }
        const log = this.#errorsOf(host);
        const first = log.split('\n').find(line => line.trim() !== '');
        return { message: explained(log) ?? first ?? 'Nix did not build it and reported no error', drvPath: null, log };
    }
    builtFor(host) {
        return [...this.#started].filter(drvPath => this.#needs.get(drvPath)?.includes(host)).length;
    }
    summary(host) {
        const built = this.builtFor(host);
        return built === 0 ? 'fetched' : `built ${built} ${built === 1 ? 'derivation' : 'derivations'}`;
    }
    #sayBuilding(drvPath) {
        const counts = this.#counts.builds();
        const text = `building ${(0,derivation/* derivationName */.Jt)(drvPath)}${counts === null ? '' : ` (${counts})`}`;
        for (const host of this.#needs.get(drvPath) ?? [])
            this.say(host, 'running', text);
    }
    /** Downloads are not attributed to hosts: Nix does not say which derivation needs a path. */
    #sayDownloading() {
        const downloads = this.#counts.downloads();
        if (downloads === null || downloads === this.#downloads || this.#running.size > 0)
            return;
        this.#downloads = downloads;
        for (const host of this.#missing)
            this.say(host, 'running', `downloading ${downloads}`);
    }
    #message(text, level, alone) {
        // Nix up to 2.30: "builder for '….drv' failed"; from 2.31: "Cannot build '….drv'."
        const failed = /(?:builder for|Cannot build) '([^']+\.drv)'/.exec(text)?.[1] ??
            /(\/[^'\s!^]+\.drv)[^\n]* timed out after/.exec(text)?.[1];
        if (failed !== undefined)
            this.#failed.add(failed);
        if (level === 0)
            this.#messages.push({ text, host: alone });
        if (level <= 1)
            this.#context.log.debug(text);
    }
    /** The errors that Nix reported: those of the host if it was built alone, else those that name one of its derivations, else all. */
    #errorsOf(host) {
        const own = this.#messages.filter(message => message.host === host);
        const named = this.#messages.filter(message => [...message.text.matchAll(/\/nix\/store\/[^'\s]+\.drv/g)].some(([drvPath]) => this.#needs.get(drvPath)?.includes(host)));
        const chosen = own.length > 0 ? own : named.length > 0 || this.#missing.length > 1 ? named : this.#messages;
        return (chosen.length > 0 ? chosen : this.#messages)
            .map(message => message.text)
            .join('\n')
            .slice(-keptLog);
    }
}
/** What it means and what to do; null if that is unknown. */
function explained(log) {
    const known = (0,explain/* explainNixError */.L)(log);
    return known === null ? null : `${known.message}. ${known.cure}`;
}

;// CONCATENATED MODULE: ./src/build/index.ts





/**
 * Realises the toplevel of every host of the fleet in one call of Nix.
 *
 * If one host cannot be built, the others still are. The toplevels are protected from garbage collection for as long as
 * `context.scratch` exists.
 *
 * @param limits Nix ends a build that takes longer; it counts as failed.
 * @returns one entry per host, in the fleet's order.
 * @throws CommandError if Nix cannot be started or is ended.
 */
async function build(fleet, limits, nix, context) {
    const { hosts } = fleet;
    if (hosts.length === 0)
        return [];
    const present = await nix.valid(outPaths(hosts));
    const missing = hosts.filter(host => !present.has(host.toplevel.outPath));
    const watch = new BuildWatch(missing, context);
    const order = { limits, nix, context };
    for (const host of hosts)
        watch.say(host, 'running', present.has(host.toplevel.outPath) ? 'in the store' : 'building');
    // The graph is read while Nix already builds.
    const graph = Promise.all(missing.map(async (host) => watch.learn(host, await requisites(nix, host))));
    await Promise.all([realise(hosts, 'toplevel', event => watch.see(event), order), graph]);
    if (hosts.length > 1)
        await realiseOthers(hosts, watch, order);
    const valid = await nix.valid(outPaths(hosts));
    const closures = await closuresOf([...valid], nix);
    const places = await placesOf(hosts, valid, watch, { source: fleet.source, nix, context });
    return hosts.map(host => {
        const toplevel = host.toplevel.outPath;
        if (!valid.has(toplevel)) {
            const failure = { ...watch.failure(host), place: places.get(host) ?? null };
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
/**
 * Builds one by one the hosts that are neither built nor known to have failed: Nix stops at the first derivation that it
 * cannot start (one for a foreign system, for example), even with --keep-going.
 */
async function realiseOthers(hosts, watch, order) {
    const { nix, context } = order;
    const valid = await nix.valid(outPaths(hosts));
    for (const [index, host] of hosts.entries()) {
        const known = valid.has(host.toplevel.outPath) || watch.failedDerivation(host) !== null;
        if (known || context.signal.aborted)
            continue;
        await realise([host], `host-${index}`, event => watch.see(event, host), order);
    }
}
/** Failed builds are reported to `onEvent`, not thrown. `root` names the garbage collector's roots. */
async function realise(hosts, root, onEvent, { limits, nix, context }) {
    const drvPaths = [...new Set(hosts.map(host => host.toplevel.drvPath))];
    const args = ['--realise', '--keep-going', '--log-format', 'internal-json'];
    // `timeout` 0 is no limit; nix.conf(5).
    args.push('--option', 'max-silent-time', String(limits.stallTimeout));
    args.push('--option', 'timeout', String(limits.buildTimeout));
    args.push('--add-root', (0,external_node_path_.join)(context.scratch, 'roots', root), ...drvPaths);
    try {
        await nix.run('nix-store', args, {
            signal: context.signal,
            // Nix itself ends a build that is silent, and then goes on with others.
            stall: (limits.stallTimeout + 300) * 1000,
            onStderr: line => {
                const event = (0,log/* parseLogLine */.w)(line);
                if (event !== null)
                    onEvent(event);
            },
        });
    }
    catch (error) {
        if (!(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
    }
}
/** The places of the wrong hashes because of which hosts were not built. */
async function placesOf(hosts, valid, watch, { source, nix, context }) {
    const places = new Map();
    for (const host of hosts) {
        const mismatch = valid.has(host.toplevel.outPath) ? null : watch.hashMismatch(host);
        if (mismatch !== null)
            places.set(host, await placeOfHash(mismatch, source, nix, context.query));
    }
    return places;
}
/** Queries all closures at once; the returned function finds the closure of one path by following references. */
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

// EXTERNAL MODULE: ./src/deploy/index.ts + 24 modules
var deploy = __webpack_require__(92332);
// EXTERNAL MODULE: ./src/exec.ts
var exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/deploy/failure.ts
var failure = __webpack_require__(34457);
// EXTERNAL MODULE: ./src/deploy/session.ts + 1 modules
var deploy_session = __webpack_require__(81903);
// EXTERNAL MODULE: ./src/plan/fleet.ts
var fleet = __webpack_require__(1127);
// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(38522);
;// CONCATENATED MODULE: ./src/preview/answer.ts


/** Why an answer is not a description. */
class AnswerError extends Error {
}
/** The most that an answer may become when it is decompressed, in bytes. */
const largest = 256 * 1024 * 1024;
const emptyHash = (0,external_node_crypto_.createHash)('sha256').digest('hex');
const header = /^nix-ferry-description=1 (gzip|plain|refused)(.*)$/;
/**
 * Reads the answer of `target/describe.sh`.
 *
 * @returns null if the machine does not run NixOS.
 * @throws AnswerError if it is not such an answer, or was cut.
 */
function readAnswer(answer) {
    const lines = answer.split('\n');
    // A target may print a greeting in every session.
    const start = lines.findIndex(line => header.test(line));
    const [, form = '', why = ''] = header.exec(lines[start] ?? '') ?? [];
    if (form === '')
        throw new AnswerError('The target did not describe itself.');
    if (form === 'refused')
        throw new AnswerError(`The target refused to describe itself${why}`);
    const body = lines.slice(start + 1);
    const records = form === 'gzip' ? unpack(body.join('')).split('\n') : body;
    return new Records(records).machine();
}
function unpack(base64) {
    try {
        return (0,external_node_zlib_.gunzipSync)(Buffer.from(base64, 'base64'), { maxOutputLength: largest }).toString();
    }
    catch (cause) {
        throw new AnswerError('The description was cut or damaged on its way.', { cause });
    }
}
/** The records of an answer, by their kind. */
class Records {
    #lines;
    #complete = false;
    #words = new Map();
    /** Kind → name → text. */
    #texts = new Map();
    constructor(lines) {
        this.#lines = lines;
        for (let at = 0; at < lines.length; at++) {
            const [kind = '', rest = ''] = cut(lines[at] ?? '');
            if (kind === 'end')
                this.#complete = true;
            if (kind === 'file')
                at = this.#readFile(rest, at);
            else
                this.#add(kind, rest);
        }
        if (!this.#complete)
            throw new AnswerError('The description was cut.');
    }
    #add(kind, words) {
        const known = this.#words.get(kind);
        if (known === undefined)
            this.#words.set(kind, [words]);
        else
            known.push(words);
    }
    /** @returns the number of its last line. */
    #readFile(words, start) {
        const [kind, name] = cut(words);
        let end = start;
        while (this.#lines[end + 1]?.startsWith('|'))
            end++;
        const text = this.#lines.slice(start + 1, end + 1).map(line => `${line.slice(1)}\n`);
        const texts = this.#texts.get(kind) ?? {};
        texts[bare(name)] = text.join('');
        this.#texts.set(kind, texts);
        return end;
    }
    #all(kind) {
        return this.#words.get(kind) ?? [];
    }
    #one(kind) {
        return this.#all(kind)[0] ?? '';
    }
    #text(kind) {
        return this.#texts.get(kind) ?? {};
    }
    machine() {
        const toplevel = this.#one('system');
        if (toplevel === '')
            return null;
        const booted = this.#side('booted');
        const pending = (list) => (this.#text('pending')[`/run/nixos/${list}-list`] ?? '').split('\n').filter(line => line !== '');
        return {
            system: this.#system(toplevel),
            booted: Object.keys(booted.parts).length === 0 ? null : booted,
            kernel: this.#one('kernel'),
            bootId: this.#one('bootid'),
            profile: this.#one('profile') || null,
            boot: this.#one('boot') || null,
            states: this.#states(),
            shadowed: this.#all('shadowed'),
            fstab: this.#text('fstab')['/etc/fstab'] ?? '',
            pending: { start: pending('start'), restart: pending('restart'), reload: pending('reload') },
        };
    }
    #system(toplevel) {
        const masked = Object.fromEntries(this.#all('masked').map(name => [bare(name), null]));
        const closure = this.#all('path').map((words) => {
            const [bytes, path] = cut(words);
            return { path, bytes: Number(bytes) };
        });
        const firewall = Object.values(this.#text('firewall')).flatMap(text => text.replace(/\n$/, '').split('\n'));
        const [users, groups] = [this.#all('user'), this.#all('group')];
        return {
            toplevel,
            closure: closure.length === 0 ? null : closure,
            ...this.#side('system'),
            units: { ...this.#text('unit'), ...masked },
            wants: this.#all('want').map(bare),
            etc: this.#etc(),
            users: users.length === 0 ? null : users,
            groups: groups.length === 0 ? null : groups,
            firewall: firewall.length === 0 ? null : firewall,
        };
    }
    /** The parts and files of one side. */
    #side(side) {
        const parts = this.#all('part').flatMap(words => {
            const [which, rest] = cut(words);
            return which === side ? [cut(rest)] : [];
        });
        const files = Object.entries(this.#text('part')).filter(([name]) => name.startsWith(`${side}/`));
        return {
            parts: Object.fromEntries(parts),
            files: Object.fromEntries(files.map(([name, text]) => [name.slice(side.length + 1), text.trimEnd()])),
        };
    }
    #states() {
        return Object.fromEntries(this.#all('state').map(words => {
            const [unit = '', active = '', sub = ''] = words.split(' ');
            return [unit, { active, sub }];
        }));
    }
    #etc() {
        const entries = {};
        const entry = (name) => {
            entries[bare(name)] ??= { target: null, hash: null, text: null };
            return entries[bare(name)];
        };
        for (const words of this.#all('link')) {
            const [target, name] = cut(words);
            entry(name).target = target;
        }
        for (const words of this.#all('hash')) {
            const [hash, name] = cut(words);
            // GNU sha256sum separates with a blank and `*` or another blank.
            entry(name.replace(/^[ *]/, '')).hash = hash;
        }
        for (const [name, text] of Object.entries(this.#text('etc')))
            entry(name).text = text;
        // A file without lines has no record.
        for (const each of Object.values(entries))
            if (each.hash === emptyHash)
                each.text = '';
        return entries;
    }
}
/** The first word of a line, and the rest. */
function cut(line) {
    const at = line.indexOf(' ');
    return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
/** A name without the `./` of find. */
function bare(name) {
    return name.startsWith('./') ? name.slice(2) : name;
}

;// CONCATENATED MODULE: ./src/preview/description.ts
/** Parts of a toplevel that are compared, by their place in it. */
const partNames = [
    'kernel',
    'initrd',
    'kernel-modules',
    'firmware',
    'systemd',
    'etc/systemd/system.conf',
];
const fileNames = ['kernel-params', 'init-interface-version', 'nixos-version', 'switch-inhibitors'];

;// CONCATENATED MODULE: ./src/preview/built-system.ts




/** Files of /etc whose text is left out, as in target/describe.sh. */
const secretName = /shadow|secret|passw|key|token|credential/;
/** Bytes of the largest file of /etc whose text is kept, as in target/describe.sh. */
const largestText = 16 * 512;
/**
 * Describes a system that was built, from its files in the local store. Links that lead out of the store are not followed: a
 * branch that is not trusted yet could have a file of this machine shown.
 */
async function describeBuilt(toplevel, closure) {
    const store = new StoreReader((0,external_node_path_.dirname)(toplevel));
    const etc = (0,external_node_path_.join)(toplevel, 'etc');
    const [parts, files, units, entries, accounts, firewall, fstab, restartsByActivation] = await Promise.all([
        readParts(store, toplevel),
        readFiles(store, toplevel),
        readUnits(store, (0,external_node_path_.join)(etc, 'systemd/system')),
        readEtc(store, etc),
        readAccounts(store, closure),
        readFirewall(store, closure),
        store.text((0,external_node_path_.join)(etc, 'fstab')),
        asksForRestarts(store, toplevel),
    ]);
    return {
        toplevel,
        closure: closure.map(({ path, narSize }) => ({ path, bytes: narSize })),
        ...{ parts, files, ...units, etc: entries, ...accounts, firewall },
        fstab: fstab ?? '',
        restartsByActivation,
    };
}
/** Reads files whose real place is in the store. */
class StoreReader {
    #store;
    constructor(store) {
        this.#store = store;
    }
    /** Where a path really is; null if that is not in the store. /dev/null masks a unit. */
    async real(path) {
        const real = await (0,promises_.realpath)(path).catch(() => null);
        return real !== null && (real.startsWith(`${this.#store}/`) || real === '/dev/null') ? real : null;
    }
    async bytes(path) {
        const real = await this.real(path);
        return real === null || real === '/dev/null' ? null : (0,promises_.readFile)(real).catch(() => null);
    }
    async text(path) {
        return (await this.bytes(path))?.toString() ?? null;
    }
    /** Names in a directory, sorted; none if it is not one in the store. */
    async names(path) {
        const real = await this.real(path);
        return real === null ? [] : (await (0,promises_.readdir)(real).catch(() => [])).sort();
    }
}
async function readParts(store, toplevel) {
    const parts = await Promise.all(partNames.map(async (name) => [name, await store.real((0,external_node_path_.join)(toplevel, name))]));
    return Object.fromEntries(parts.filter((part) => part[1] !== null));
}
async function readFiles(store, toplevel) {
    const files = await Promise.all(fileNames.map(async (name) => [name, await store.text((0,external_node_path_.join)(toplevel, name))]));
    return Object.fromEntries(files.flatMap(([name, text]) => (text === null ? [] : [[name, text.trimEnd()]])));
}
async function readUnits(store, directory) {
    const units = {};
    const wants = [];
    const read = async (name) => {
        const real = await store.real((0,external_node_path_.join)(directory, name));
        if (real === '/dev/null')
            units[name] = null;
        else if (real !== null && (await (0,promises_.stat)(real)).isFile())
            units[name] = withLastNewline((await store.text(real)) ?? '');
    };
    await Promise.all((await store.names(directory)).map(async (name) => {
        const inside = async () => (await store.names((0,external_node_path_.join)(directory, name))).map(each => `${name}/${each}`);
        if (name.endsWith('.d'))
            await Promise.all((await inside()).filter(each => each.endsWith('.conf')).map(read));
        else if (/\.(wants|requires|upholds)$/.test(name))
            wants.push(...(await inside()));
        else
            await read(name);
    }));
    return { units, wants: wants.sort() };
}
async function readEtc(store, directory) {
    const real = await store.real(directory);
    if (real === null)
        return {};
    const entries = (await (0,promises_.readdir)(real, { recursive: true, withFileTypes: true }))
        .filter(entry => entry.isSymbolicLink() || entry.isFile())
        .map(entry => ({ link: entry.isSymbolicLink(), path: (0,external_node_path_.join)(entry.parentPath, entry.name) }))
        .map(({ link, path }) => ({ link, path, name: path.slice(real.length + 1) }))
        .filter(({ name }) => !name.startsWith('systemd/system/'));
    const read = async ({ link, path }) => ({
        target: link ? await (0,promises_.readlink)(path) : null,
        ...contentOf(await store.bytes(path), secretName.test((0,external_node_path_.basename)(path))),
    });
    return Object.fromEntries(await Promise.all(entries.map(async (entry) => [entry.name, await read(entry)])));
}
function contentOf(bytes, secret) {
    if (bytes === null)
        return { hash: null, text: null };
    const hash = (0,external_node_crypto_.createHash)('sha256').update(bytes).digest('hex');
    const shown = bytes.length === 0 || (!secret && bytes.length <= largestText && !bytes.includes(0));
    const text = shown ? withLastNewline(bytes.toString()) : null;
    return { hash, text };
}
/** As awk prints a file. */
function withLastNewline(text) {
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
async function readAccounts(store, closure) {
    const path = closure.find(info => /-(users-groups|userborn)\.json$/.test(info.path))?.path;
    const text = path === undefined ? null : await store.text(path);
    if (text === null)
        return { users: null, groups: null };
    const { users = [], groups = [] } = JSON.parse(text);
    const names = (accounts) => accounts.map(({ name }) => name);
    return { users: names(users), groups: names(groups) };
}
async function readFirewall(store, closure) {
    const path = closure.find(info => /-(firewall-start|nftables-rules)$/.test(info.path))?.path;
    if (path === undefined)
        return null;
    const text = (await store.text(path)) ?? (await store.text((0,external_node_path_.join)(path, 'bin/firewall-start'))) ?? '';
    const lines = text.split('\n').filter(line => line.includes('dport'));
    return lines.length === 0 ? null : lines;
}
async function asksForRestarts(store, toplevel) {
    const scripts = await Promise.all(['activate', 'dry-activate'].map(name => store.text((0,external_node_path_.join)(toplevel, name))));
    return scripts.some(script => /activation-(restart|reload)-list/.test(script ?? ''));
}

;// CONCATENATED MODULE: ./src/preview/line-diff.ts
/** Unchanged lines that are shown around a change. */
const around = 2;
/** Cells of the table of a comparison, which takes time and memory in proportion to them. */
const largestTable = 1_000_000;
/** The difference of two small texts in lines, as a unified diff without its head; longer unchanged parts are `…`. */
function lineDiff(before, after) {
    const lines = compare(linesOf(before), linesOf(after));
    const near = (index) => lines.slice(Math.max(0, index - around), index + around + 1).some(([sign]) => sign !== ' ');
    const shown = [];
    for (const [index, [sign, text]] of lines.entries()) {
        if (near(index))
            shown.push(`${sign}${text}`);
        else if (shown.at(-1) !== '…')
            shown.push('…');
    }
    return shown.map(line => `${line}\n`).join('');
}
function linesOf(text) {
    return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
/** By the longest common subsequence. Texts with very many lines are removed and added as a whole. */
function compare(before, after) {
    if (before.length * after.length > largestTable) {
        return [...before.map((line) => ['-', line]), ...after.map((line) => ['+', line])];
    }
    const lengths = table(before, after);
    const lines = [];
    let [i, j] = [0, 0];
    while (i < before.length || j < after.length) {
        if (i < before.length && j < after.length && before[i] === after[j]) {
            lines.push([' ', before[i] ?? '']);
            i++;
            j++;
        }
        else if (i < before.length && (j >= after.length || at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
            lines.push(['-', before[i++] ?? '']);
        }
        else
            lines.push(['+', after[j++] ?? '']);
    }
    return lines;
}
/** The length of the longest common subsequence of the lines from i and from j. */
function table(before, after) {
    const lengths = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
    for (let i = before.length - 1; i >= 0; i--) {
        const row = lengths[i] ?? [];
        for (let j = after.length - 1; j >= 0; j--) {
            row[j] =
                before[i] === after[j] ? at(lengths, i + 1, j + 1) + 1 : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
        }
    }
    return lengths;
}
function at(lengths, i, j) {
    return lengths[i]?.[j] ?? 0;
}

;// CONCATENATED MODULE: ./src/preview/etc.ts

/** Unit files are reported as units; the others are the owner and the mode of a file. */
const ignored = /^systemd\/system(\/|$)|\.(mode|uid|gid)$/;
const etc_secretName = /shadow|passw|secret|key|token|credential|\.pem$|wpa_supplicant|wireguard/i;
const secretText = /PRIVATE KEY|passw|secret|token|api.?key|credential|\bpsk\b|\b(bearer|basic) [A-Za-z0-9+/=]{8}/i;
/** Compares the files that two generations put into /etc. */
function compareEtc(before, after) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => !ignored.test(name));
    return names.sort().flatMap((name) => {
        const [was, is] = [before[name], after[name]];
        if (was === undefined && is === undefined)
            return [];
        if (was !== undefined && is !== undefined && same(was, is))
            return [];
        const kind = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
        return [{ name, kind, rebuilt: rebuilt(was, is), diff: diffOf(name, was, is) }];
    });
}
/** Files are the same if their contents are; directories, if their links lead to the same place. */
function same(was, is) {
    return was.hash === null && is.hash === null ? was.target === is.target : was.hash === is.hash;
}
/** If nothing is left of a text but other hashes, or a directory of the same name is another, it was rebuilt. */
function rebuilt(was, is) {
    if (was === undefined || is === undefined)
        return false;
    const [old, now] = was.hash === null && is.hash === null ? [was.target, is.target] : [was.text, is.text];
    return old !== null && now !== null && withoutHashes(old) === withoutHashes(now);
}
function withoutHashes(text) {
    return text.replace(/\/nix\/store\/[0-9a-z]{32}-/g, '/nix/store/');
}
function diffOf(name, was, is) {
    const [old, now] = [textOf(was), textOf(is)];
    if (old === null || now === null || etc_secretName.test(name) || secretText.test(old) || secretText.test(now))
        return null;
    return lineDiff(old, now);
}
/** A file that does not exist is empty. */
function textOf(entry) {
    return entry === undefined ? '' : entry.text;
}

;// CONCATENATED MODULE: ./src/preview/firewall.ts
/** Compares the rules of two systems, as in their descriptions. */
function compareFirewalls(before, after) {
    const [was, is] = [openPorts(before ?? []), openPorts(after ?? [])];
    const turned = (before === null) === (after === null) ? null : after === null ? 'off' : 'on';
    return {
        opened: [...is].filter(port => !was.has(port)),
        closed: [...was].filter(port => !is.has(port)),
        turned,
    };
}
/**
 * The ports that rules open. Source of their forms: nixos/modules/services/networking/firewall-iptables.nix
 * (`ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept -i eth0`) and firewall-nftables.nix
 * (`iifname eth0 tcp dport { 22, 8000-8010 } accept`). Rules with other conditions are not ports that are open to all.
 */
function openPorts(rules) {
    return new Set(rules.flatMap(rule => (rule.includes('--dport') ? iptablesPort(rule) : nftablesPorts(rule))));
}
function iptablesPort(rule) {
    const words = rule.trim().split(/\s+/);
    const after = (word) => words[words.indexOf(word) + 1];
    const [protocol, port] = [after('-p'), after('--dport')];
    const accepted = words.includes('-j') && after('-j') === 'nixos-fw-accept';
    if (!accepted || protocol === undefined || port === undefined || words.includes('-s'))
        return [];
    return [named(protocol, port.replace(':', '-'), words.includes('-i') ? after('-i') : undefined)];
}
function nftablesPorts(rule) {
    const form = /^(?:iifname (\S+) )?(tcp|udp) dport (?:\{ ([^}]*) \}|(\S+)) accept\b/;
    const [, device, protocol = '', set, single = ''] = form.exec(rule.trim().replace(/\s+/g, ' ')) ?? [];
    if (protocol === '')
        return [];
    return (set ?? single).split(/\s*,\s*/).map(port => named(protocol, port, device?.replaceAll('"', '')));
}
function named(protocol, port, device) {
    return `${protocol} ${port}${device === undefined ? '' : ` on ${device}`}`;
}

;// CONCATENATED MODULE: ./src/preview/unit-file.ts
/** A unit file that switch-to-configuration cannot read: it then ends with an error, before it changes anything. */
class UnparsableUnit extends Error {
    file;
    constructor(file, why) {
        super(`${file}: ${why}`);
        this.file = file;
    }
}
/**
 * Reads a unit file and its drop-ins, in their order, as switch-to-configuration does: with the crate rust-ini 0.21 (quotes
 * are removed, backslashes mean nothing) and `parse_systemd_ini` of switch-to-configuration-ng.
 *
 * @throws UnparsableUnit
 */
function readUnit(files) {
    const unit = new Map();
    for (const file of files) {
        for (const { section, entries } of new Parser(file).sections()) {
            if (section === 'Install')
                continue;
            const keys = unit.get(section) ?? new Map();
            unit.set(section, keys);
            // For a key that is given n times, all its n values are added n times: of two drop-ins with one value each, this makes
            // something else than of one with both.
            for (const [key] of entries)
                addValues(keys, key, entries);
        }
    }
    return unit;
}
function addValues(keys, key, entries) {
    const values = entries.filter(([other]) => other === key).map(([, value]) => value);
    // An empty value removes earlier ones.
    const cleared = values.lastIndexOf('');
    const added = values.slice(cleared + 1);
    keys.set(key, [...(cleared === -1 ? (keys.get(key) ?? []) : []), ...added]);
}
const blank = /\s/;
class Parser {
    #name;
    #text;
    #at = 0;
    constructor({ name, text }) {
        this.#name = name;
        this.#text = text;
    }
    sections() {
        const sections = [];
        let key = '';
        for (this.#skip(blank); this.#at < this.#text.length; this.#skip(blank)) {
            const char = this.#text[this.#at] ?? '';
            if (char === ';' || char === '#')
                this.#comment();
            else if (char === '[')
                sections.push({ section: this.#bracketed(), entries: [] });
            else if (char === '=' || char === ':') {
                if (key === '')
                    throw this.#error('a key is missing');
                const value = this.#value();
                // Keys before the first section have no effect.
                sections.at(-1)?.entries.push([key, value]);
                key = '';
            }
            else
                key = this.#until(/[=:]/, '`=` is missing').trim();
        }
        return sections;
    }
    #skip(what) {
        while (this.#at < this.#text.length && what.test(this.#text[this.#at] ?? ''))
            this.#at++;
    }
    #comment() {
        if (this.#at > 0 && this.#text[this.#at - 1] !== '\n')
            throw this.#error('a comment is indented');
        this.#line();
    }
    #bracketed() {
        this.#at++;
        const name = this.#until(/\]/, '`]` is missing');
        this.#at++;
        return name.trim();
    }
    #value() {
        this.#at++;
        this.#skip(/[^\S\n\r]/);
        const quote = this.#text[this.#at];
        if (quote !== '"' && quote !== "'")
            return this.#line().trim();
        this.#at++;
        const quoted = this.#until(quote === '"' ? /"/ : /'/, 'a quotation mark is not closed');
        this.#at++;
        return (quoted + this.#line()).trim();
    }
    /** The rest of the line. */
    #line() {
        const end = this.#text.slice(this.#at).search(/[\n\r]/);
        const line = end === -1 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, this.#at + end);
        this.#at += line.length;
        return line;
    }
    #until(what, missing) {
        const length = this.#text.slice(this.#at).search(what);
        if (length === -1)
            throw this.#error(missing);
        const found = this.#text.slice(this.#at, this.#at + length);
        this.#at += length;
        return found;
    }
    #error(why) {
        return new UnparsableUnit(this.#name, why);
    }
}

;// CONCATENATED MODULE: ./src/preview/new-units.ts

/**
 * The units that a switch starts because something that runs wants them only in the new system: active targets are started
 * again, with all that they want. Source: systemd.unit(5), `Wants=` and the like and the directories `.wants/`.
 */
function newlyWanted(before, after, states) {
    const targets = Object.keys(states).filter(unit => unit.endsWith('.target') && unit in after.units);
    const had = wantedBy(targets, before);
    const wanted = [...wantedBy(targets, after)].filter(unit => !had.has(unit) && !(unit in states));
    return new Set(wanted.filter(unit => !unit.endsWith('.target') && definition(unit, after.units) !== null));
}
/** All that these units want, directly or not. */
function wantedBy(from, { units, wants }) {
    const links = new Map();
    for (const link of wants) {
        const [, unit = '', wanted = ''] = /^(.*)\.(?:wants|requires|upholds)\/(.*)$/.exec(link) ?? [];
        links.set(unit, [...(links.get(unit) ?? []), wanted]);
    }
    const reached = new Set(from);
    for (const unit of reached) {
        for (const next of [...(links.get(unit) ?? []), ...namedIn(unit, units)])
            reached.add(next);
    }
    for (const unit of from)
        reached.delete(unit);
    return reached;
}
function namedIn(unit, units) {
    const text = definition(unit, units);
    if (text === null)
        return [];
    const keys = ['Wants', 'Requires', 'BindsTo', 'Upholds'];
    try {
        const section = readUnit([{ name: unit, text }]).get('Unit');
        return keys.flatMap(key => section?.get(key) ?? []).flatMap(value => value.split(/\s+/));
    }
    catch (error) {
        // systemd reads what it can of such a file.
        if (error instanceof UnparsableUnit)
            return [];
        throw error;
    }
}
/** The text of a unit's own file or of its template's; null without one. */
function definition(unit, units) {
    return units[unit] ?? units[unit.replace(/@[^.]*\./, '@.')] ?? null;
}

;// CONCATENATED MODULE: ./src/preview/packages.ts
/** Words that end a version, and are no output's name. */
const stages = /^(unstable|stable|alpha|beta|rc|pre|git|dirty|snapshot|final|release)$/;
/**
 * Takes a store path's name apart as `builtins.parseDrvName` does: the version begins after the first dash that no letter
 * follows. The name of an output at the end (`openssl-3.0.13-bin`) is removed: outputs are one package.
 */
function packageName(path) {
    const full = path.replace(/^.*\//s, '').replace(/^[0-9a-z]{32}-/, '');
    const at = full.search(/-[^A-Za-z]/);
    if (at === -1)
        return { name: full, version: '' };
    const version = full.slice(at + 1);
    const [, own = version, output = ''] = /^(.+)-([a-z]+|lib32|lib64)$/.exec(version) ?? [];
    return { name: full.slice(0, at), version: stages.test(output) ? version : own };
}
/** Compares two closures. */
function comparePackages(before, after) {
    const [was, is] = [packagesOf(before), packagesOf(after)];
    const changes = {
        ...{ added: [], removed: [], updated: [], rebuilt: { names: [], bytes: 0 } },
        others: compareOthers(before, after),
        bytes: { before: total(before), after: total(after) },
    };
    for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
        const [old, now] = [was.get(name), is.get(name)];
        if (old === undefined && now !== undefined)
            changes.added.push(packages_entryOf(name, now));
        else if (now === undefined && old !== undefined)
            changes.removed.push(packages_entryOf(name, old));
        else if (old !== undefined && now !== undefined)
            compareOne(name, old, now, changes);
    }
    return changes;
}
function compareOne(name, old, now, changes) {
    const [from, to] = [only(old, now), only(now, old)];
    const bytes = now.bytes - old.bytes;
    if (from.length > 0 || to.length > 0)
        changes.updated.push({ name, from, to, bytes });
    else if (pathsOf(old) !== pathsOf(now)) {
        changes.rebuilt.names.push(name);
        changes.rebuilt.bytes += bytes;
    }
}
function only(a, b) {
    return [...a.versions.keys()].filter(version => !b.versions.has(version)).sort();
}
function pathsOf({ versions }) {
    const paths = [...versions.values()].flat().map(({ path }) => path);
    return paths.sort().join('\n');
}
function packagesOf(closure) {
    const packages = new Map();
    for (const path of closure) {
        const { name, version } = packageName(path.path);
        if (version === '')
            continue;
        const known = packages.get(name) ?? { versions: new Map(), bytes: 0 };
        packages.set(name, known);
        known.bytes += path.bytes;
        known.versions.set(version, [...(known.versions.get(version) ?? []), path]);
    }
    return packages;
}
function packages_entryOf(name, { versions, bytes }) {
    return { name, versions: [...versions.keys()].sort(), bytes };
}
function compareOthers(before, after) {
    const others = (closure) => closure.filter(({ path }) => packageName(path).version === '');
    const [was, is] = [others(before), others(after)];
    const missing = (a, b) => {
        const known = new Set(b.map(({ path }) => path));
        return a.filter(({ path }) => !known.has(path)).length;
    };
    return { added: missing(is, was), removed: missing(was, is), bytes: total(is) - total(was) };
}
function total(closure) {
    return closure.reduce((sum, { bytes }) => sum + bytes, 0);
}

;// CONCATENATED MODULE: ./src/preview/reboot.ts

const links = [
    ['kernel', 'kernel'],
    ['initrd', 'initrd'],
    ['kernel modules', 'kernel-modules'],
    ['systemd', 'systemd'],
];
/**
 * Why a reboot is needed after a switch to `after`. What was booted counts, not what was switched to since: a machine on
 * which nobody has rebooted since an update of the kernel still needs it.
 */
function rebootReasons({ system, booted }, after) {
    const from = booted ?? system;
    const already = new Set(reasons(from, system).map(({ part }) => part));
    return reasons(from, after).map(reason => ({ ...reason, pending: already.has(reason.part) }));
}
function reasons(from, to) {
    const found = [];
    for (const [part, link] of links) {
        const [was, is] = [from.parts[link], to.parts[link]];
        if (was !== undefined && is !== undefined && was !== is)
            found.push({ part, text: `${part} ${versions(was, is)}` });
    }
    const params = compareWords(from.files['kernel-params'], to.files['kernel-params']);
    if (params !== '')
        found.push({ part: 'kernel parameters', text: `kernel parameters ${params}` });
    const [was, is] = [from.files['init-interface-version'], to.files['init-interface-version']];
    if (was !== undefined && is !== undefined && was !== is)
        found.push({ part: 'init', text: `init ${was} → ${is}` });
    found.push(...inhibitors(from.files['switch-inhibitors'], to.files['switch-inhibitors']));
    return found;
}
/** `6.6.30 → 6.6.35`, or that it was rebuilt. */
function versions(was, is) {
    const version = (path) => packageName(path.split('/').slice(0, 4).join('/')).version;
    const [old, now] = [version(was), version(is)];
    if (old === '' || now === '')
        return 'changed';
    return old === now ? `${now}, rebuilt` : `${old} → ${now}`;
}
/** `+quiet -debug`; empty if the words are the same. */
function compareWords(was, is) {
    if (was === undefined || is === undefined)
        return '';
    const [old, now] = [was, is].map(text => text.split(/\s+/).filter(word => word !== ''));
    const added = now?.filter(word => !old?.includes(word)).map(word => `+${word}`) ?? [];
    const removed = old?.filter(word => !now?.includes(word)).map(word => `-${word}`) ?? [];
    return [...added, ...removed].join(' ');
}
/** Components that switch-to-configuration refuses to exchange in a running system. */
function inhibitors(was, is) {
    const read = (text = '') => new Map(text.split('\n').flatMap(line => {
        const [name, value] = line.trim().split(/\s+/);
        return name === undefined || value === undefined ? [] : [[name, value]];
    }));
    const now = read(is);
    return [...read(was)].flatMap(([name, value]) => {
        const other = now.get(name);
        if (other === undefined || other === value)
            return [];
        return [{ part: 'switch inhibitor', text: `${name} ${value} → ${other}` }];
    });
}

;// CONCATENATED MODULE: ./src/preview/units.ts

/** Keys of [Unit] that may change without consequences. */
const harmless = new Set([
    ...['X-Reload-Triggers', 'Description', 'Documentation', 'OnFailure', 'OnSuccess', 'OnFailureJobMode'],
    ...['IgnoreOnIsolate', 'StopWhenUnneeded', 'RefuseManualStart', 'RefuseManualStop', 'AllowIsolate', 'CollectMode'],
    'SourcePath',
]);
/**
 * What a switch does to the units.
 *
 * @throws UnparsableUnit for a unit file that switch-to-configuration cannot read either.
 */
function planUnits(situation) {
    const { start, restart, reload } = situation.pending;
    const plan = {
        ...{ stop: new Set(), kept: new Set(), hidden: new Set() },
        ...{ start: new Set(start), restart: new Set(restart), reload: new Set(reload) },
    };
    const shadowed = new Set(situation.shadowed);
    for (const [unit, { active }] of Object.entries(situation.states)) {
        const runs = active === 'active' || active === 'activating';
        if (runs && !shadowed.has(unit))
            planUnit(unit, situation, plan);
    }
    return plan;
}
function planUnit(unit, situation, plan) {
    const { before, after } = situation;
    const base = definedBy(unit, situation);
    if (!(base in before))
        return;
    const was = () => readUnit(units_filesOf(unit, base, before));
    const removed = base !== unit && declared(unit, before) && !declared(unit, after);
    if (removed || (after[base] ?? null) === null) {
        if (flag(was(), 'Unit', 'X-StopOnRemoval', true))
            plan.stop.add(unit);
        return;
    }
    const is = readUnit(units_filesOf(unit, base, after));
    if (unit.endsWith('.target')) {
        planTarget(unit, is, plan);
        return;
    }
    const difference = compareUnits(was(), is);
    if (difference === 'restart')
        planModified(unit, base, is, situation, plan);
    else if (difference === 'reload' && !plan.restart.has(unit))
        plan.reload.add(unit);
}
/** The name of the file that defines a unit: its own, or that of its template. */
function definedBy(unit, { before, after }) {
    return unit in before || unit in after ? unit : unit.replace(/^(.*)@[^.]*\.(.*)$/s, '$1@.$2');
}
/** Whether drop-ins declare an instance of a template. */
function declared(unit, files) {
    return dropins(unit, files).some(({ text }) => text !== null);
}
function dropins(unit, files) {
    return Object.entries(files)
        .filter(([name]) => name.startsWith(`${unit}.d/`) && name.endsWith('.conf'))
        .map(([name, text]) => ({ name, text }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}
function units_filesOf(unit, base, files) {
    const all = [{ name: base, text: files[base] ?? null }, ...dropins(base, files)];
    if (unit !== base)
        all.push(...dropins(unit, files));
    // A masked file is empty.
    return all.map(({ name, text }) => ({ name, text: text ?? '' }));
}
function planTarget(unit, is, plan) {
    const sleeps = /^(suspend|hibernate|hybrid-sleep)\.target$/.test(unit);
    if (!sleeps && !flag(is, 'Unit', 'RefuseManualStart', false) && !flag(is, 'Unit', 'X-OnlyManualStart', false)) {
        plan.start.add(unit);
        plan.hidden.add(unit);
    }
    if (flag(is, 'Unit', 'X-StopOnReconfiguration', false))
        plan.stop.add(unit);
}
/** What happens to a unit that has changed by more than a reload can take up. */
function planModified(unit, base, is, situation, plan) {
    // These cannot be restarted, or take up changes when systemd reads its files again.
    if (/^(sysinit|basic|multi-user|graphical)\.target$/.test(unit) || /\.(path|slice|socket)$/.test(unit))
        return;
    if (unit.endsWith('.mount')) {
        (unit === '-.mount' || unit === 'nix.mount' ? plan.reload : plan.restart).add(unit);
        return;
    }
    if (flag(is, 'Service', 'X-ReloadIfChanged', false) && !plan.restart.has(unit) && !plan.stop.has(unit)) {
        plan.reload.add(unit);
        return;
    }
    if (!flag(is, 'Service', 'X-RestartIfChanged', true) ||
        flag(is, 'Unit', 'RefuseManualStop', false) ||
        flag(is, 'Unit', 'X-OnlyManualStart', false)) {
        plan.kept.add(unit);
    }
    else if (!flag(is, 'Service', 'X-StopIfChanged', true) || !unit.endsWith('.service'))
        plan.restart.add(unit);
    else
        planStopAndStart(unit, base, is, situation, plan);
    plan.reload.delete(unit);
}
/** A service that its sockets activate is not started; the sockets are. */
function planStopAndStart(unit, base, is, situation, plan) {
    const { states, after } = situation;
    const named = (is.get('Service')?.get('Sockets') ?? []).join(' ').split(/\s+/);
    const sockets = named.filter(socket => socket !== '');
    if (sockets.length === 0)
        sockets.push(base.replace(/@?\.service$/, '.socket'));
    let activated = false;
    for (const socket of sockets) {
        const runs = socket in states;
        const exists = socket in after;
        if (runs)
            plan.stop.add(socket);
        if (runs && exists)
            plan.start.add(socket);
        if (exists)
            activated = true;
    }
    if (!activated || flag(is, 'Service', 'X-NotSocketActivated', false))
        plan.start.add(unit);
    plan.stop.add(unit);
}
/** Whether a change of a unit needs nothing, a reload or a restart. */
function compareUnits(was, is) {
    const differences = [];
    for (const [section, keys] of was) {
        const now = is.get(section);
        differences.push(now === undefined ? removedSection(section, keys) : compareSection(section, keys, now));
    }
    const added = [...is].filter(([section]) => !was.has(section));
    if (added.length > 1)
        return 'restart';
    differences.push(...added.map(([section, keys]) => addedSection(section, keys)));
    return worst(differences);
}
function compareSection(section, was, is) {
    const differences = [];
    for (const [key, values] of was) {
        const now = is.get(key);
        if (now === undefined)
            differences.push(removedKey(section, key));
        else if (values.join('\n') !== now.join('\n') || values.length !== now.length) {
            differences.push(changedKey(section, key));
        }
    }
    for (const key of is.keys())
        if (!was.has(key))
            differences.push(addedKey(section, key));
    return worst(differences);
}
function removedSection(section, keys) {
    if (section === 'Unit')
        return [...keys.keys()].every(key => harmless.has(key)) ? 'equal' : 'restart';
    return section === 'Service' && keys.size === 1 && keys.has('ExecReload') ? 'equal' : 'restart';
}
function addedSection(section, keys) {
    if (section === 'Unit')
        return worst([...keys.keys()].map(key => addedKey(section, key)));
    return section === 'Service' && keys.size === 1 && keys.has('ExecReload') ? 'reload' : 'restart';
}
/** The process runs on, and the new unit cannot be reloaded: nothing is to be done if ExecReload is gone. */
function removedKey(section, key) {
    const nothing = section === 'Unit' ? harmless.has(key) : section === 'Service' && key === 'ExecReload';
    return nothing ? 'equal' : 'restart';
}
function addedKey(section, key) {
    if (section === 'Unit' && key === 'X-Reload-Triggers')
        return 'reload';
    if (section === 'Unit' && harmless.has(key))
        return 'equal';
    return section === 'Service' && key === 'ExecReload' ? 'reload' : 'restart';
}
function changedKey(section, key) {
    return section === 'Mount' && key === 'Options' ? 'reload' : addedKey(section, key);
}
function worst(differences) {
    if (differences.includes('restart'))
        return 'restart';
    return differences.includes('reload') ? 'reload' : 'equal';
}
/** The last value of a key as a boolean. */
function flag(unit, section, key, otherwise) {
    const value = unit.get(section)?.get(key)?.at(-1);
    return value === undefined ? otherwise : ['1', 'yes', 'true', 'on'].includes(value);
}
/**
 * Adds to a plan what a switch does about file systems that fstab names. Source: the same program, `parse_fstab` and
 * `do_system_switch`. New file systems are mounted with local-fs.target.
 *
 * @returns the swap devices that it turns off.
 */
function planFstab(before, after, plan) {
    const [was, is] = [readFstab(before), readFstab(after)];
    for (const [place, old] of was.mounts) {
        const mount = `${escapePath(place)}.mount`;
        const now = is.mounts.get(place);
        if (now === undefined) {
            plan.stop.add(old.options.includes('x-systemd.automount') ? `${escapePath(place)}.automount` : mount);
        }
        else if (old.type !== now.type || old.device !== now.device) {
            // These cannot be unmounted.
            if (place !== '/' && place !== '/nix')
                plan.restart.add(mount);
            else
                (old.options === now.options ? plan.kept : plan.reload).add(mount);
        }
        else if (old.options !== now.options)
            plan.reload.add(mount);
    }
    return [...was.swaps].filter(device => !is.swaps.has(device));
}
function readFstab(text) {
    const mounts = new Map();
    const swaps = new Set();
    for (const line of text.split('\n')) {
        const [device, place, type, options = ''] = line.trim().split(/\s+/);
        if (line.includes('#') || device === undefined || place === undefined || type === undefined)
            continue;
        if (type === 'swap')
            swaps.add(device);
        else
            mounts.set(place, { device, type, options });
    }
    return { mounts, swaps };
}
/** The name of the unit of a path, as `systemd-escape --path` makes it. */
function escapePath(path) {
    const bytes = Buffer.from(path.replace(/^\/+|\/+$/g, '').replace(/\/+/g, '/'));
    if (bytes.length === 0)
        return '-';
    return [...bytes]
        .map((byte, index) => {
        const char = String.fromCharCode(byte);
        if (char === '/')
            return '-';
        const plain = /[A-Za-z0-9:_]/.test(char) || (char === '.' && index > 0);
        return plain ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
        .join('');
}

;// CONCATENATED MODULE: ./src/preview/change.ts







/** Compares what a machine runs with a system that was built for it. */
function changeOf(machine, after) {
    const { system } = machine;
    return {
        before: system.toplevel,
        after: after.toplevel,
        units: unitChange(machine, after),
        packages: system.closure === null ? null : comparePackages(system.closure, after.closure ?? []),
        reboot: rebootReasons(machine, after),
        firewall: compareFirewalls(system.firewall, after.firewall),
        users: compareNames(system.users, after.users),
        groups: compareNames(system.groups, after.groups),
        etc: compareEtc(system.etc, after.etc),
    };
}
/**
 * Compares two systems of which none runs where we can ask: states of units are unknown, and nothing waits for a reboot.
 * The units of `before` are taken to run.
 */
function changeBetween(before, after) {
    const machine = {
        ...{ system: before, booted: null, kernel: '', bootId: '', profile: null, boot: null },
        states: statesIfAllRun(before.units, before.wants),
        ...{ shadowed: [], fstab: before.fstab, pending: { start: [], restart: [], reload: [] } },
    };
    const change = changeOf(machine, after);
    return { ...change, units: { ...change.units, statesKnown: false } };
}
/** Every unit runs that is no template, and every instance that something wants. */
function statesIfAllRun(units, wants) {
    const wanted = wants.map(link => link.slice(link.indexOf('/') + 1));
    const names = [...Object.keys(units).filter(name => !name.includes('/')), ...wanted];
    const running = names.filter(name => !/@\.[a-z]+$/.test(name));
    return Object.fromEntries(running.map(name => [name, { active: 'active', sub: 'running' }]));
}
function unitChange(machine, after) {
    const { system, states, shadowed, pending, fstab } = machine;
    const noted = { statesKnown: true, unknown: unknownOf(after), error: null };
    const restartsSystemd = differs('systemd', system.parts, after.parts) || differs('etc/systemd/system.conf', system.parts, after.parts);
    try {
        const plan = planUnits({ before: system.units, after: after.units, states, shadowed, pending });
        const swapOff = planFstab(fstab, after.fstab, plan);
        const shown = (units) => sorted([...units].filter(unit => !plan.hidden.has(unit)));
        return {
            ...{ stop: shown(plan.stop), start: shown(plan.start), kept: sorted(plan.kept) },
            ...{ restart: sorted(plan.restart), reload: sorted(plan.reload) },
            fresh: sorted(newlyWanted(system, after, states)),
            ...{ swapOff, restartsSystemd, ...noted },
        };
    }
    catch (error) {
        if (!(error instanceof UnparsableUnit))
            throw error;
        const none = { stop: [], start: [], restart: [], reload: [], kept: [], fresh: [], swapOff: [], restartsSystemd };
        return { ...none, ...noted, error: `switch-to-configuration cannot read ${error.message}.` };
    }
}
function unknownOf({ restartsByActivation }) {
    return restartsByActivation
        ? ['The activation script may restart or reload more units: only running it would show which.']
        : [];
}
function differs(name, before, after) {
    // A system without the file keeps what runs.
    return after[name] !== undefined && before[name] !== after[name];
}
/** In the order of switch-to-configuration: regardless of case. */
function sorted(units) {
    const key = (unit) => unit.toLowerCase();
    return [...units].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
function compareNames(before, after) {
    if (before === null || after === null)
        return null;
    return {
        added: after.filter(name => !before.includes(name)).sort(),
        removed: before.filter(name => !after.includes(name)).sort(),
    };
}
/** Whether a switch would change nothing that this comparison sees. */
function isSame({ before, after }) {
    return before === after;
}

;// CONCATENATED MODULE: ./src/preview/describe.ts



let script;
/**
 * The script with which a machine describes itself, as one text: what a key that may only describe runs as its forced
 * command.
 */
function describeScript() {
    const files = ['target/activation/look.sh', 'target/describe.sh'];
    return files.map(file => (0,external_node_fs_.readFileSync)((0,assets/* asset */.L)(file), 'utf8')).join('');
}
/**
 * Has a target describe itself, over one connection and without root. The script is sent over standard input, and nothing is
 * written on the target.
 *
 * @returns null if the target does not run NixOS.
 * @throws CommandError if there is no connection; AnswerError if what comes back is no description.
 */
async function describeTarget({ session, alias }, signal) {
    script ??= describeScript();
    const command = `sh -c 'self=$(cat) && eval "$self"' nix-ferry describe`;
    const { stdout } = await session.ssh(alias, command, { input: script, signal, timeout: 120_000 });
    return readAnswer(stdout);
}

;// CONCATENATED MODULE: ./src/preview/index.ts












/**
 * Compares each system that was built with the one that its target runs. Targets describe themselves; nothing is copied to
 * them, nothing of the source runs there, and nothing on them changes.
 *
 * @returns one entry per host, in the same order.
 * @throws UserError before a target is asked: no pinned host keys, an invalid key, an address that ssh does not accept.
 */
async function preview(built, config, context) {
    const asked = built.filter((one) => one.ok && whyNotAsked(one.host, config) === null);
    const targets = (0,deploy/* aliasTargets */.PK)(asked.map(({ host }) => ({ host: host.name, target: host.target })));
    const answers = await withSession(targets, config, context, session => (0,concurrency/* mapConcurrently */.X)(targets, config.parallel, target => ask(target, session(target), context)));
    const machines = new Map(answers.map(answer => [answer.host, answer]));
    const previews = [];
    // One after the other, because the description of a system takes memory.
    for (const one of built)
        previews.push(await preview_compare(one, machines.get(one.host.name), config));
    return previews;
}
/** Why a target is not asked; null if it is. */
function whyNotAsked(host, { deployKey, ownSsh }) {
    const unknown = (why, message) => ({ host: host.name, known: false, why, message });
    if (host.buildOnly)
        return unknown('build-only', 'The source says that this host is only built.');
    if (host.target === null)
        return unknown('no-target', host.unusable ?? 'It has no target.');
    if (deployKey === null && !ownSsh && !(0,fleet/* isLocal */.IX)(host.target)) {
        return unknown('no-key', 'There is no `deploy-key` to ask its target with, as in runs for forks.');
    }
    return null;
}
async function withSession(targets, config, context, work) {
    if (targets.length === 0)
        return [];
    const remote = targets.filter(({ target }) => !(0,fleet/* isLocal */.IX)(target));
    const local = (0,deploy_session/* localSession */.qA)(context);
    const session = remote.length === 0 ? local : await (0,deploy/* openTargets */.Rs)(remote, config, context);
    try {
        return await work(({ target }) => ((0,fleet/* isLocal */.IX)(target) ? local : session));
    }
    finally {
        await session.close();
    }
}
async function ask(active, session, context) {
    const { host, target, alias } = active;
    const show = (state, text) => context.progress({ host, stage: 'preview', state, text });
    show('running', 'asking its target');
    const answer = await describeTarget({ session, alias }, context.signal).then((machine) => machine === null ? { host, why: 'first', message: 'Its target does not run NixOS yet.' } : { host, machine }, (error) => ({ host, ...whyUnanswered(error, target, session) }));
    const failed = 'why' in answer && answer.why !== 'first';
    show(failed ? 'failed' : 'done', 'why' in answer ? answer.message : 'compared with its target');
    return answer;
}
function whyUnanswered(error, target, session) {
    if ((0,deploy_session/* isConnectionError */.Rk)(error)) {
        const { outcome, message } = (0,failure/* connectionFailure */.D)(error, target, 'probe', session.publicKey);
        return { why: outcome === 'unreachable' || outcome === 'refused' ? outcome : 'failed', message };
    }
    const why = error instanceof AnswerError ? error.message : `Its target could not describe itself: ${(0,errors/* explain */.WE)(error)}`;
    return { why: 'failed', message: why };
}
async function preview_compare(one, answer, config) {
    const host = one.host.name;
    if (!one.ok)
        return { host, known: false, why: 'not-built', message: 'It was not built.' };
    const idle = whyNotAsked(one.host, config);
    if (idle !== null)
        return idle;
    if (answer === undefined)
        return { host, known: false, why: 'failed', message: 'Its target was not asked.' };
    if ('why' in answer)
        return { known: false, ...answer };
    const { kernel, bootId, profile, boot } = answer.machine;
    const change = changeOf(answer.machine, await describeBuilt(one.toplevel, one.closure));
    return { host, known: true, comparedWith: 'target', change, machine: { kernel, bootId, profile, boot } };
}

// EXTERNAL MODULE: ./src/setup/index.ts + 21 modules
var setup = __webpack_require__(43824);
// EXTERNAL MODULE: ./src/time-limits.ts
var time_limits = __webpack_require__(54343);
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
 * Runs the stages of a step and returns their results.
 *
 * Never throws: an error that ends the run early is `error` in the result, next to the results until then.
 */
async function run(step, config, ports, surroundings) {
    const context = limited(surroundings, config);
    const run = {
        ...{ mode: config.deploy.mode, fleet: null, built: [], archives: [], previews: [], outcomes: [] },
        ...{ timings: {}, error: null },
    };
    const saving = new Saving();
    try {
        (0,deploy/* checkKeys */.L)(config.deploy);
        (0,deploy/* checkKnownHosts */.FA)({ ...config.deploy, ...ports.deployer }, givenTargets(config));
        const request = { step, config, ports, context };
        if (config.fetch.from === null)
            await fromSource(request, run, saving);
        else
            await fromArchives(config.fetch.from, request, run);
    }
    catch (error) {
        run.error = endedBy(error, context);
    }
    await saving.ended();
    return run;
}
/** The targets of the input `targets`, all of which will be deployed to; none if `hosts` selects some of them. */
function givenTargets({ plan: { hosts, targets }, fetch }) {
    if (hosts.length > 0 || fetch.from !== null)
        return [];
    return Object.entries(targets).flatMap(([host, value]) => (0,plan/* targetOf */.$r)((0,plan/* parseTargetSettings */.ae)(value, host)) ?? []);
}
/** Setup → Fleet → Built[] → Archive[] → Outcome[], as far as the step goes. */
async function fromSource(request, run, saving) {
    const { step, config, ports, context } = request;
    const stages = stagesOf[step];
    // An invalid `source` is reported before Nix is looked for.
    const source = stages.includes('plan') ? (0,plan/* locate */.x5)(config.plan.source) : null;
    const setUp = await timed(run, 'setup', context, () => setUpFor(request));
    if (source === null)
        return;
    const planConfig = { ...config.plan, ...source, ...planSurroundings(config, ports, saving) };
    const fleet = await timed(run, 'plan', context, () => (0,time_limits/* inTime */.RN)(context, 'plan-timeout', config.plan.planTimeout, limited => (0,plan/* plan */.et)(planConfig, nixOf(setUp, limited), limited)));
    run.fleet = fleet;
    const planned = fleet.hosts.map(host => ({ ...host, host: host.name }));
    (0,deploy/* checkTargets */.VJ)({ ...config.deploy, ...ports.deployer }, planned);
    (0,deploy/* checkSecrets */.KK)(planned, { ...config.deploy, ...ports.deployer });
    if (config.deploy.mode === 'secrets') {
        const deployments = (0,deploy/* deploymentsOfPlan */.XJ)(fleet.hosts, await originOf(fleet, ports, context));
        run.outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nixOf(setUp, context)));
        return;
    }
    if (!stages.includes('build'))
        return;
    const toBuild = cachedFleet(fleet);
    const [built, prepared] = await timed(run, 'build', context, async () => {
        const prepared = await (0,setup/* prepareSystems */.qr)(setUp, toBuild, context, ports.setup);
        return [await build(fleet, config.build, nixOf(prepared, context), context), prepared];
    });
    run.built = built;
    saving.add((0,setup/* saveStoreCache */.rN)(prepared, toBuild, toplevelsOf(built), context, ports.setup));
    const nix = nixOf(prepared, context);
    const origin = await originOf(fleet, ports, context);
    if (stages.includes('archive') && config.archive.archive !== 'none') {
        const { directory, artifacts } = ports.archives;
        const archiveConfig = {
            ...config.archive,
            directory,
            source: fleet.source,
            provenance: { ...origin, run: ports.deployer.run, producer: version/* producer */.x },
        };
        run.archives = await timed(run, 'archive', context, () => archive(built, archiveConfig, nix, context, artifacts));
    }
    if (stages.includes('deploy') && config.deploy.mode === 'preview') {
        const asking = { ...config.deploy, ...ports.deployer };
        run.previews = await timed(run, 'preview', context, () => preview(built, asking, context));
    }
    else if (stages.includes('deploy') && config.deploy.mode !== 'none') {
        const deployments = (0,deploy/* deploymentsOfBuilt */.OL)(built, origin);
        const outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
        run.outcomes = [...outcomes, ...(0,deploy/* outcomesOfUnbuilt */._r)(built, config.deploy.mode)];
    }
}
/** Setup → Archive[] → Outcome[]: existing archives take the place of a source. */
async function fromArchives(from, request, run) {
    const { config, ports, context } = request;
    if (config.deploy.mode === 'secrets') {
        throw new errors/* UserError */.yo('Archives contain no secrets.', {
            where: { input: 'from' },
            cure: 'Leave out `from`, so that the secrets of the source are sent.',
        });
    }
    const setUp = await timed(run, 'setup', context, () => setUpFor(request));
    const nix = nixOf(setUp, context);
    const importing = (args) => (0,setup/* nixAsRoot */.oh)(setUp, args, context);
    const archives = await timed(run, 'archive', context, () => takeArchives(from, config.fetch, ports.archives, { nix, importing }, context));
    run.archives = archives;
    const deployments = (0,deploy/* deploymentsOfArchives */.dC)(archives, config.fetch.targets);
    (0,deploy/* checkTargets */.VJ)({ ...config.deploy, ...ports.deployer }, deployments);
    if (config.deploy.mode !== 'none') {
        run.outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
    }
}
/**
 * The final value of an option of one host, as far as JSON can express it.
 *
 * @throws UserError for a host or an option that does not exist.
 */
async function optionOf(host, path, config, ports, surroundings) {
    const context = limited(surroundings, config);
    const source = (0,plan/* locate */.x5)(config.plan.source);
    const setUp = await (0,setup/* setup */.mj)({ ...config.setup, ...ports.machine, builds: false }, context, ports.setup);
    const planConfig = { ...config.plan, ...source, nixPath: nixPathOf(ports), planCache: null };
    return (0,plan/* option */.uK)(planConfig, host, path, nixOf(setUp, context), context);
}
/** The context of a run, in which no command may be silent for longer than `stall-timeout`. */
function limited(context, { setup: { stallTimeout } }) {
    return { ...context, exec: (0,exec/* withStallLimit */.U)(context.exec, stallTimeout * 1000) };
}
/** Does the work of a stage, shows that it runs, and records its duration in seconds, even if it throws. */
async function timed(run, stage, context, work) {
    const started = performance.now();
    context.progress({ stage, state: 'running' });
    try {
        return await work();
    }
    catch (error) {
        throw (0,time_limits/* explainStall */.Q4)(error, stage);
    }
    finally {
        run.timings[stage] = (performance.now() - started) / 1000;
        context.progress({ stage, state: 'done' });
    }
}
/** Work that continues while later stages run: saving caches for later runs. None of it may throw. */
class Saving {
    #work = [];
    add(work) {
        this.#work.push(work);
    }
    async ended() {
        await Promise.all(this.#work);
    }
}
async function setUpFor({ step, config, ports, context }) {
    const builds = step !== 'plan';
    const setUp = await (0,setup/* setup */.mj)({ ...config.setup, ...ports.machine, builds }, context, ports.setup);
    // If the set-up is a separate step, no plan follows that shows which systems are needed.
    const emulates = step === 'setup' && config.setup.emulate === 'always';
    return emulates ? (0,setup/* emulateOther */.E$)(setUp, context, ports.setup) : setUp;
}
function nixOf(setUp, context) {
    return new src_nix/* Nix */.a(context, setUp.nix);
}
function planSurroundings(config, ports, saving) {
    const nixPath = nixPathOf(ports);
    const { planCache: port } = ports;
    if (port === null || typeof port === 'string')
        return { nixPath, planCache: port };
    // As in the store cache, plans in the Actions cache are authenticated with the signing key.
    const { cache, signingKey: secret } = config.setup;
    // A cached plan does not add nixpkgs to the store, but `include-source` needs it there.
    if (secret === null || cache === 'never' || config.archive.includeSource)
        return { nixPath, planCache: null };
    return { nixPath, planCache: { port, secret, runInBackground: work => saving.add(work) } };
}
function nixPathOf({ machine }) {
    return machine.environment.NIX_PATH ?? null;
}
function cachedFleet({ hosts }) {
    return {
        hosts: hosts.map(({ name, system, toplevel }) => ({ name, system, drvPath: toplevel.drvPath })),
        lock: JSON.stringify(hosts.map(host => host.nixpkgs)),
    };
}
function toplevelsOf(built) {
    return built.flatMap(one => (one.ok ? [one.toplevel] : []));
}
async function originOf({ commit, source }, { repository, branch }, context) {
    const history = await (0,plan/* historyOf */.om)(source, context.query);
    return {
        commit,
        repository: repository ?? history.remote,
        branch: branch ?? history.branch,
        committed: history.committed,
    };
}
function deployAll(deployments, { config, ports, context }, nix) {
    return (0,deploy/* deploy */.gg)(deployments, { ...config.deploy, ...ports.deployer }, nix, context);
}
/** Logs what ended the run and describes it for the report. */
function endedBy(error, context) {
    const known = error instanceof errors/* UserError */.yo ? error : null;
    context.log.error((0,errors/* explain */.WE)(error), known?.where);
    // An internal error, or a program that failed in an unknown way: the stack says where.
    if (known === null && error instanceof Error)
        context.log.debug(error.stack ?? '');
    const message = error instanceof Error ? error.message : String(error);
    return {
        message: context.signal.aborted ? 'The run was cancelled.' : message,
        cure: known?.cure ?? null,
        where: known?.where ?? null,
    };
}


/***/ }),

/***/ 311:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   r: () => (/* binding */ version),
/* harmony export */   x: () => (/* binding */ producer)
/* harmony export */ });
/** The version in package.json; a test checks that they agree. */
const version = '0.1.0';
/** The producer that archives and reports name. */
const producer = `nix-ferry ${version}`;


/***/ })

};
