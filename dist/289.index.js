export const id = 289;
export const ids = [289];
export const modules = {

/***/ 61289:
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

// EXTERNAL MODULE: ./src/deploy/index.ts + 23 modules
var deploy = __webpack_require__(88570);
// EXTERNAL MODULE: ./src/exec.ts
var exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/preview/index.ts + 4 modules
var preview = __webpack_require__(27794);
;// CONCATENATED MODULE: ./src/require-preview.ts

/**
 * Compares what would be deployed with what the preview of its pull request has shown.
 *
 * @param find asks GitHub; null: there is nobody to ask.
 * @returns what was shown; null if that is not known.
 * @throws UserError if a preview is required and a host has none of its system.
 */
async function checkPreviewed({ toplevels, required }, find, { log }) {
    const where = { input: 'require-preview' };
    if (find === null) {
        if (!required)
            return null;
        throw new errors/* UserError */.yo('Whether the systems were previewed is not known: that needs a workflow for pushes, and a token.', {
            where,
            cure: 'Set `github-token` to a token with the permission `pull-requests: read`, or remove `require-preview`.',
        });
    }
    const found = await find().catch((error) => {
        const message = `What the pull request has previewed could not be read: ${(0,errors/* explain */.WE)(error)}`;
        if (required)
            throw new errors/* UserError */.yo(message, { where, cure: 'The token needs the permission `pull-requests: read`.' });
        log.warning(message);
        return null;
    });
    const shown = (host) => found?.toplevels[host] ?? [];
    const unseen = toplevels.filter(([host, toplevel]) => !shown(host).includes(toplevel)).map(([host]) => host);
    if (!required || unseen.length === 0)
        return found;
    const pull = found?.pull ?? null;
    throw new errors/* UserError */.yo(`Nobody has previewed what would be deployed to ${unseen.join(', ')}. Nothing was deployed.`, {
        where,
        cure: pull === null
            ? 'Merge the change as a pull request whose workflow has the mode `preview` and `comment: true`.'
            : `The preview in #${pull} shows other systems, as after another change of the branch that it was merged into: preview the change in a new pull request.`,
    });
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
        ...{ mode: config.deploy.mode, fleet: null, built: [], archives: [], previews: [], previewed: null, outcomes: [] },
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
        run.previews = await timed(run, 'preview', context, () => (0,preview/* preview */.VH)(built, asking, context));
    }
    else if (stages.includes('deploy') && config.deploy.mode !== 'none') {
        await recallPreview(built.flatMap(one => (one.ok ? [[one.host.name, one.toplevel]] : [])), request, run);
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
        await recallPreview(deployments.map(({ host, toplevel }) => [host, toplevel]), request, run);
        run.outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
    }
}
/** Before a deployment that changes targets, compares it with what its pull request has shown, if an input asks for that. */
async function recallPreview(toplevels, { config: { deploy, report }, ports, context }, run) {
    const required = deploy.requirePreview;
    if (deploy.mode === 'dry-activate' || !(required || report.comment))
        return;
    run.previewed = await checkPreviewed({ toplevels, required }, ports.previewed, context);
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
