export const id = 287;
export const ids = [287];
export const modules = {

/***/ 28299:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   s: () => (/* binding */ activationScript)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _assets_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(25462);



const main = 'main.sh';
/**
 * The activation script as one text: the files of `target/activation`, with `main.sh`, which calls the others, at the end.
 * It is sent to targets and put into archives.
 */
function activationScript() {
    const directory = (0,_assets_js__WEBPACK_IMPORTED_MODULE_2__/* .asset */ .L)('target/activation');
    const parts = (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readdirSync)(directory)
        .filter(name => name.endsWith('.sh') && name !== main)
        .sort();
    return [...parts, main].map(name => (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)((0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(directory, name), 'utf8')).join('');
}


/***/ }),

/***/ 94078:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Ej: () => (/* binding */ size),
/* harmony export */   U9: () => (/* binding */ count),
/* harmony export */   p0: () => (/* binding */ duration)
/* harmony export */ });
/** Bytes for a person: "512 B", "40.2 MiB", "1.3 GiB". */
function size(bytes) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let value = bytes;
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit++;
    }
    return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
/** Seconds for a person: "0.4 s", "12 s", "3 min 20 s". */
function duration(seconds) {
    if (seconds < 9.95)
        return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
/** "1 host", "3 hosts". */
function count(number, noun) {
    return `${number} ${noun}${number === 1 ? '' : 's'}`;
}


/***/ }),

/***/ 14624:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  rD: () => (/* binding */ archive),
  mu: () => (/* reexport */ enterManifest),
  ji: () => (/* reexport */ manifestPath),
  X1: () => (/* reexport */ takeArchives)
});

// UNUSED EXPORTS: archiveKinds, archiveName, fetchArchives, importArchive, readArchive, readArchives, verifyArchive

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
// EXTERNAL MODULE: ./src/plan/index.ts + 28 modules
var plan = __webpack_require__(78223);
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
        await (0,sign/* signPaths */.sT)(directory, [path], signingKey, nix, context);
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
    const own = signingKey === null || allowUnsigned ? [] : [await (0,sign/* publicKeyOf */.kc)(signingKey, nix)];
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
    const publicKey = config.signingKey === null ? null : await (0,sign/* publicKeyOf */.kc)(config.signingKey, nix);
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
            await (0,sign/* signPaths */.sT)(pool, [...pathsInside(manifests)], config.signingKey, nix, context);
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


/***/ }),

/***/ 81532:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   W: () => (/* binding */ Slots),
/* harmony export */   X: () => (/* binding */ mapConcurrently)
/* harmony export */ });
/** Places that at most `limit` holders have at once. Others wait, in the order in which they asked. */
class Slots {
    #free;
    #waiting = [];
    constructor(limit) {
        this.#free = limit;
    }
    /** @returns a function that gives the place back; only its first call does. */
    async take() {
        if (this.#free > 0)
            this.#free--;
        else
            await new Promise(resolve => this.#waiting.push(resolve));
        let held = true;
        return () => {
            if (!held)
                return;
            held = false;
            const next = this.#waiting.shift();
            if (next === undefined)
                this.#free++;
            else
                next();
        };
    }
}
/**
 * Calls `work` for every item, at most `limit` at once, and returns the results in the order of the items.
 *
 * @throws the first error, after the calls that were already running have ended. No further call is started.
 */
async function mapConcurrently(items, limit, work) {
    const results = new Array(items.length);
    const failures = [];
    let next = 0;
    const worker = async () => {
        while (next < items.length && failures.length === 0) {
            const index = next++;
            try {
                results[index] = await work(items[index], index);
            }
            catch (error) {
                failures.push(error);
            }
        }
    };
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
    if (failures.length > 0)
        throw failures[0];
    return results;
}


/***/ }),

/***/ 34457:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   D: () => (/* binding */ connectionFailure),
/* harmony export */   s: () => (/* binding */ copyFailure)
/* harmony export */ });
/* harmony import */ var _amounts_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(94078);
/* harmony import */ var _gate_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(97772);
/* harmony import */ var _phase_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(54696);



/** What a failed connection means, from what ssh printed. */
function connectionFailure({ stderr }, { address, port, user }, phase, { publicKey, keyName }) {
    const printed = stderr.trim().split('\n').at(-1) ?? '';
    const where = port === null ? address : `${address} port ${port}`;
    const { doing, continuesAlone } = _phase_js__WEBPACK_IMPORTED_MODULE_1__/* .phases */ .t[phase];
    // Whatever ssh says: something may have changed.
    if (continuesAlone) {
        const message = `The connection was lost while ${doing}, and ${where} could not be reached again; the target continues by itself. (${printed})`;
        return { outcome: 'failed', message };
    }
    const unpinned = /No \S+ host key is known for (\S+)/.exec(stderr)?.[1];
    // A target without a pinned key is refused before anything connects to it.
    if (unpinned !== undefined && unpinned === keyName?.toLowerCase()) {
        const resolved = unpinned === address ? '' : ` (${unpinned})`;
        const message = `No host key of ${where}${resolved} is known: connect to it once with \`ssh\`, or give \`known-hosts\`.`;
        return { outcome: 'refused', message };
    }
    if (unpinned !== undefined) {
        const message = `No host key is pinned for ${unpinned}, through which ${where} is reached: add its line to \`known-hosts\`.`;
        return { outcome: 'refused', message };
    }
    if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(stderr)) {
        const message = `${where} has a different host key than the pinned one; nothing was sent. If the machine was reinstalled, pin its ` +
            'new key in `known-hosts`. If not, someone may be intercepting the connection.';
        return { outcome: 'refused', message };
    }
    if (/Permission denied/.test(stderr)) {
        const message = publicKey === null
            ? `${where} accepts none of your keys for ${user}. (${printed})`
            : `${where} does not accept the deploy key for ${user}: add \`${publicKey}\` to the user's authorized keys. (${printed})`;
        return { outcome: 'refused', message };
    }
    const why = printed === '' ? 'the connection was closed' : printed;
    return { outcome: 'unreachable', message: `No connection to ${where} while ${doing}: ${why}` };
}
const connectionLost = /Broken pipe|unexpected end-of-file|[Cc]onnection (closed|reset|timed out|refused)|cannot (open )?connect|SSH connection/;
/**
 * What a failed copy means, from what Nix printed. The target still runs what it ran before.
 *
 * @param free bytes that were free in the target's store; null when unknown.
 */
function copyFailure(error, { address, user }, free) {
    const printed = error.stderr
        .split('\n')
        .map(line => line.trim())
        .filter(line => line.startsWith('error') && !line.startsWith('error (ignored)'))
        .join(' ');
    const why = printed === '' ? error.message : printed;
    if (error.failure.kind === 'stalled') {
        const seconds = error.failure.milliseconds / 1000;
        const message = `Nothing was copied to ${address} for ${seconds} s, and the copy was ended. Run again to continue where it stopped; if the target is only slow, raise \`stall-timeout\`.`;
        return { outcome: 'unreachable', message };
    }
    const refused = (0,_gate_js__WEBPACK_IMPORTED_MODULE_0__/* .refusalIn */ .c3)(error.stderr);
    if (refused !== null)
        return { outcome: 'refused', message: `The gate of ${address} refused: ${refused}.` };
    if (/No space left on device/.test(why)) {
        const left = free === null ? '' : ` (${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_2__/* .size */ .Ej)(free)} were free)`;
        const message = `The target's disk is full${left}: delete old generations there (\`nix-collect-garbage --delete-older-than 30d\`). ${why}`;
        return { outcome: 'failed', message };
    }
    if (/lacks a (valid )?signature|not trusted|you are not privileged|not allowed to/i.test(why)) {
        const message = (0,_gate_js__WEBPACK_IMPORTED_MODULE_0__/* .throughGate */ .zj)({ user })
            ? `The target accepts only signed paths: the public half of \`signing-key\` belongs in \`services.nix-ferry.gate.signingKeys\` there. ${why}`
            : `Nix on the target does not accept unsigned paths from ${user}: add the user to \`nix.settings.trusted-users\` there, or ` +
                `sign with \`signing-key\` and add its public key to \`nix.settings.trusted-public-keys\` there. ${why}`;
        return { outcome: 'refused', message };
    }
    if (connectionLost.test(why)) {
        const message = `The connection to ${address} was lost while copying the closure. Run again to continue where it stopped. ${why}`;
        return { outcome: 'unreachable', message };
    }
    return { outcome: 'failed', message: `The closure could not be copied. ${why}` };
}


/***/ }),

/***/ 97772:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   BT: () => (/* binding */ gateCommand),
/* harmony export */   GC: () => (/* binding */ explainRefusal),
/* harmony export */   I: () => (/* binding */ GateRefusal),
/* harmony export */   Lh: () => (/* binding */ gateUser),
/* harmony export */   Wb: () => (/* binding */ checkLines),
/* harmony export */   c3: () => (/* binding */ refusalIn),
/* harmony export */   pj: () => (/* binding */ plain),
/* harmony export */   tV: () => (/* binding */ gateRequest),
/* harmony export */   zj: () => (/* binding */ throughGate),
/* harmony export */   zv: () => (/* binding */ orderValues)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);
/* harmony import */ var _values_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(28625);


/** The user of a target whose keys may only speak to its gate (target/gate/gate.sh). */
const gateUser = 'nix-ferry';
/** Of the gate's protocol. The gate refuses any other. */
const protocol = 1;
/** What the gate exits with when it refuses. */
const refusalCode = 77;
/** A shell's exit code for a command that does not exist. */
const notFoundCode = 127;
/** Whether the user of the target can only speak to its gate. */
function throughGate({ user }) {
    return user === gateUser;
}
/** The command for a verb of the gate. */
function gateCommand(verb, ...words) {
    return ['nix-ferry-gate', protocol, verb, ...words].join(' ');
}
/** A target's gate did not do what it was asked for. Nothing was changed by that. */
class GateRefusal extends Error {
    name = 'GateRefusal';
}
/** The refusal of a gate, if this is what the error of a command on a target means; any other error as it is. */
function explainRefusal(error, { address, user }) {
    if (!(error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd))
        return error;
    const why = refusalIn(error.stderr);
    if (error.code === refusalCode && why !== null) {
        const hint = user === gateUser
            ? ''
            : ` The key is restricted: write \`${gateUser}@${address}\`, if the module of the target has made that user.`;
        return new GateRefusal(`The gate of ${address} refused: ${why}.${hint}`);
    }
    if (user === gateUser && error.code === notFoundCode) {
        const cure = 'Set `services.nix-ferry.gate` there, or use another user.';
        return new GateRefusal(`${address} has no gate, which the user ${gateUser} is for. ${cure}`);
    }
    return error;
}
/** Why a gate has refused, by what it printed to standard error; null if it has not. */
function refusalIn(stderr) {
    return /^nix-ferry-gate: (.*)$/m.exec(stderr)?.[1] ?? null;
}
/** Keys of `run` that only the order may set, or what was staged. */
const ordered = ['toplevel', 'host', 'commit', 'repository', 'branch', 'committed', 'allow-older', 'secrets'];
/**
 * A call of the activation script's verbs as a request to the gate: its command, and its standard input.
 *
 * @param args as for the script.
 * @param order what the verb `run` may activate.
 */
function gateRequest(verb, args, order) {
    const [id = '', ...rest] = args;
    switch (verb) {
        case 'probe':
            return { command: gateCommand(verb), input: (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .valueLines */ .Hd)([]) };
        case 'run':
            return { command: gateCommand(verb, id), input: (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .valueLines */ .Hd)(runValues(rest, order)) };
        case 'reject':
            return { command: gateCommand(verb, id), input: (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .valueLines */ .Hd)([['reason', (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .encode */ .lF)(rest.join(' '))]]) };
        case 'compare':
            return { command: gateCommand(verb, id), input: (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .valueLines */ .Hd)(orderValues(order)) };
        default:
            return { command: gateCommand(verb, ...args), input: (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .valueLines */ .Hd)([]) };
    }
}
const isCheck = /^(check|health)-\d/;
/** The text that the order contains the digest of, from `KEY=VALUE`. */
function checkLines(checks) {
    return (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .fieldLines */ .AI)(checks.map(word => [split(word)[0], (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .encode */ .lF)(split(word)[1])]));
}
function split(word) {
    const at = word.indexOf('=');
    return [word.slice(0, at), word.slice(at + 1)];
}
/** Text in the characters that a gate accepts. */
function plain(text) {
    return text.replaceAll(/[^\]A-Za-z0-9 ._/:@#()[+,-]/g, '_').slice(0, 300);
}
function runValues(spec, order) {
    const checks = spec.filter(word => isCheck.test(word));
    const values = spec.flatMap((word) => {
        const [name, text] = split(word);
        if (ordered.includes(name) || isCheck.test(word))
            return [];
        return [[name, (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .encode */ .lF)(name === 'who' ? plain(text) : text)]];
    });
    if (checks.length > 0)
        values.push(['checks', (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .encode */ .lF)(checkLines(checks))]);
    return [...values, ...orderValues(order)];
}
/** The values in which a gate gets an order; none without one. */
function orderValues(order) {
    if (order === null)
        return [];
    const { path, hash, size, signature, nar } = order;
    const entry = Object.entries({ path, hash, size: String(size), signature });
    return [...entry.map(([name, text]) => [`order.${name}`, (0,_values_js__WEBPACK_IMPORTED_MODULE_1__/* .encode */ .lF)(text)]), ['order.nar', nar]];
}


/***/ }),

/***/ 29208:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  PK: () => (/* binding */ aliasTargets),
  L: () => (/* binding */ checkKeys),
  FA: () => (/* binding */ checkKnownHosts),
  KK: () => (/* reexport */ check/* checkSecrets */.KK),
  VJ: () => (/* binding */ checkTargets),
  gg: () => (/* binding */ deploy),
  dC: () => (/* reexport */ deploymentsOfArchives),
  OL: () => (/* reexport */ deploymentsOfBuilt),
  XJ: () => (/* reexport */ deploymentsOfPlan),
  Bu: () => (/* reexport */ deploy_session/* endLeftSession */.Bu),
  Rs: () => (/* binding */ openTargets),
  _r: () => (/* reexport */ outcomesOfUnbuilt)
});

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/plan/fleet.ts
var fleet = __webpack_require__(1127);
;// CONCATENATED MODULE: ./src/deploy/distinct.ts

/**
 * A machine runs one system, so that no two hosts may have the same target. Two names of one machine are not recognized here:
 * its lock makes the second deployment wait, and that one is refused, since the machine is not what it was planned for.
 *
 * @throws UserError that names both hosts.
 */
function checkDistinct(hosts) {
    const known = new Map();
    for (const { host, target, buildOnly } of hosts) {
        if (target === null || buildOnly)
            continue;
        // The same address behind another jump host, or at another port, is another machine.
        const { address, port, sshOptions } = target;
        const place = JSON.stringify([address.toLowerCase(), port ?? 22, sshOptions]);
        const other = known.get(place);
        if (other !== undefined) {
            throw new errors/* UserError */.yo(`The hosts ${other} and ${host} have the same target, ${address}.`, {
                where: { input: 'targets' },
                cure: 'Give each host its own address in `targets`, or select one of them with `hosts`.',
            });
        }
        known.set(place, host);
    }
}

// EXTERNAL MODULE: ./src/deploy/gate.ts
var gate = __webpack_require__(97772);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(58500);
// EXTERNAL MODULE: external "node:http"
var external_node_http_ = __webpack_require__(37067);
// EXTERNAL MODULE: external "node:https"
var external_node_https_ = __webpack_require__(44708);
// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(77030);
// EXTERNAL MODULE: external "node:dns"
var external_node_dns_ = __webpack_require__(40610);
;// CONCATENATED MODULE: ./src/deploy/metadata-services.ts


/**
 * Addresses at which clouds give a machine its credentials: link-local ones, and AWS' for IPv6. No host of a fleet has one, but
 * a check that a source defines could ask them in the name of the runner.
 */
const services = new external_node_net_.BlockList();
services.addSubnet('169.254.0.0', 16, 'ipv4');
services.addSubnet('fe80::', 10, 'ipv6');
services.addAddress('fd00:ec2::254', 'ipv6');
const refusal = 'it is the address of a metadata service, which checks may not ask';
/** @param hostname of a URL: a name, or an address with or without brackets. @throws Error for such an address */
function checkAddress(hostname) {
    const address = hostname.replace(/^\[|\]$/g, '');
    if ((0,external_node_net_.isIP)(address) !== 0 && isService(address))
        throw new Error(refusal);
}
/** As `dns.lookup`, but a name that leads to such an address is an error. */
const lookup = (hostname, options, callback) => {
    (0,external_node_dns_.lookup)(hostname, options, (error, address, family) => {
        const found = Array.isArray(address) ? address.map(each => each.address) : [address];
        if (error === null && found.some(isService))
            callback(new Error(refusal), address, family);
        else
            callback(error, address, family);
    });
};
function isService(address) {
    return services.check(address, (0,external_node_net_.isIPv6)(address) ? 'ipv6' : 'ipv4');
}

;// CONCATENATED MODULE: ./src/deploy/http-check.ts





/** Redirections that are followed, as by Go's client, which morph uses. */
const mostRedirects = 10;
/**
 * Repeats the checks, all at once and each with its own period, until every one has passed.
 *
 * @param address where checks without a host of their own go.
 * @param limit seconds for all of them together.
 * @param what they are, for the reason.
 * @returns why one of them never passed, in words; null if all passed.
 */
async function untilPassed(checks, address, limit, signal, what) {
    const end = Date.now() + limit * 1000;
    const failures = await Promise.all(checks.map(async (check) => {
        for (;;) {
            const left = end - Date.now();
            const failure = await failureOf(check, address, Math.max(left, 1), signal);
            if (failure === null)
                return null;
            if (signal.aborted || Date.now() + check.period * 1000 >= end) {
                return `the ${what} "${nameOf(check)}" failed for ${limit} s: ${failure}`;
            }
            await (0,promises_.setTimeout)(check.period * 1000, undefined, { signal }).catch(() => undefined);
        }
    }));
    return failures.find(failure => failure !== null) ?? null;
}
function nameOf(check) {
    return check.description || check.path;
}
/** As morph: a check passes if the answer to a GET, after redirections, has a status from 200 to 299. */
async function failureOf(check, address, most, signal) {
    const host = check.host ?? address;
    const name = (0,external_node_net_.isIPv6)(host) ? `[${host}]` : host;
    const time = AbortSignal.timeout(Math.ceil(Math.min(check.timeout * 1000, most)));
    const url = new URL(`${check.scheme}://${name}:${check.port}${check.path}`);
    try {
        const status = await get(url, check, AbortSignal.any([signal, time]), mostRedirects);
        return status >= 200 && status <= 299 ? null : `${url} answered with status ${status}`;
    }
    catch (error) {
        if (time.aborted)
            return `${url} did not answer within ${check.timeout} s`;
        return `${url}: ${error.message || error.code}`;
    }
}
/** The status of the answer, after redirections. */
async function get(url, check, signal, redirects) {
    const { status, location } = await ask(url, check, signal);
    if (status < 300 || status > 399 || location === undefined)
        return status;
    if (redirects === 0)
        throw new Error('too many redirections');
    return get(new URL(location, url), check, signal, redirects - 1);
}
/** Not `fetch`: it cannot accept a certificate that nobody signed. */
function ask(url, { headers, insecureSSL }, signal) {
    return new Promise((resolve, reject) => {
        checkAddress(url.hostname);
        const options = { headers, signal, lookup: lookup, agent: false };
        const answered = (answer) => {
            answer.resume();
            resolve({ status: answer.statusCode ?? 0, location: answer.headers.location });
        };
        const call = url.protocol === 'https:'
            ? (0,external_node_https_.request)(url, { ...options, rejectUnauthorized: !insecureSSL }, answered)
            : (0,external_node_http_.request)(url, options, answered);
        call.on('error', reject).end();
    });
}

// EXTERNAL MODULE: ./src/deploy/remote.ts
var deploy_remote = __webpack_require__(61361);
// EXTERNAL MODULE: ./src/deploy/booted.ts
var deploy_booted = __webpack_require__(86438);
// EXTERNAL MODULE: ./src/deploy/session.ts + 1 modules
var deploy_session = __webpack_require__(81903);
;// CONCATENATED MODULE: ./src/deploy/probe.ts




/** Seconds in which a target must describe itself. */
const probeTime = 60;
/** A target that accepts connections and then sends nothing, as one whose disk or kernel hangs. */
class SilentTarget extends Error {
    name = 'SilentTarget';
    constructor({ target }) {
        super(`No answer from ${target.address} within ${probeTime} s`);
    }
}
/**
 * Connects to a target for the first time and reads its state.
 *
 * @returns null when the reply is not that of the script.
 * @throws CommandError when there is no connection.
 * @throws SilentTarget when there is one, and nothing arrives over it.
 */
async function probeTarget(remote, context) {
    const words = (0,deploy_remote/* escalationOf */.B4)(remote.target);
    let silent = true;
    const onStdout = () => {
        silent = false;
    };
    const options = { timeout: probeTime * 1000, signal: context.signal, onStdout };
    try {
        return readProbe(await (0,deploy_remote/* call */.T1)(remote, 'probe', words, options));
    }
    catch (error) {
        if (silent && error instanceof errors/* CommandError */.Qd && error.failure.kind === 'timeout')
            throw new SilentTarget(remote);
        // While ssh opens a connection that is to be shared, it discards what its jump host prints.
        if (!(0,deploy_session/* isConnectionError */.Rk)(error) || error.stderr.trim() !== '' || context.signal.aborted)
            throw error;
        return readProbe(await (0,deploy_remote/* call */.T1)(remote, 'probe', words, { ...options, fresh: true }));
    }
}
/** Null when the reply is not that of a probe. */
function readProbe({ values }) {
    if (values.get('end') !== 'probe')
        return null;
    const text = (key) => values.get(key) || null;
    const free = Number(values.get('free') || Number.NaN);
    const root = values.get('root');
    return {
        machine: values.get('machine') ?? '',
        current: text('current'),
        profile: text('profile'),
        boot: text('boot'),
        needsReboot: (0,deploy_booted/* readBootedParts */.I8)(text('needs-reboot') ?? ''),
        open: readOpenRecord(text('open')),
        nix: text('nix'),
        free: Number.isFinite(free) ? free * 1024 : null,
        trusted: text('trusted') === null ? null : values.get('trusted') === 'yes',
        root: root === 'yes' || root === 'escalated' ? root : 'no',
        refusal: text('refusal'),
    };
}
/** `ID PHASE TOPLEVEL BEFORE`, or `unreadable`. */
function readOpenRecord(text) {
    if (text === null)
        return null;
    const [, phase = 'unknown', toplevel, before] = text.split(' ');
    return { phase, toplevel: toplevel || null, before: before || null };
}
/**
 * Whether the target already is what a deployment would make it. An activation that was cut has to be settled first,
 * whatever the machine looks like.
 */
function isUpToDate({ toplevel }, { mode }, { current, profile, boot, open }) {
    if (open !== null)
        return false;
    const running = current === toplevel;
    const booting = profile === toplevel && (boot === null || boot === toplevel);
    if (mode === 'boot')
        return booting;
    return mode === 'test' ? running : running && booting;
}
/**
 * The systems that the target may run when the activation begins: the one that it runs now and, if another activation has
 * not ended, the one that this may go back to.
 */
function expectedSystems({ current, open }) {
    const systems = [current, ...(open === null ? [] : [open.before])];
    return [...new Set(systems.map(system => system ?? ''))];
}
/** Why this target cannot be deployed to; null when it can. */
function refusalOf({ system }, { target }, probe) {
    if (!runsOn(system, probe.machine)) {
        return `The target is a ${probe.machine} machine, but the system is built for ${system}. Check that \`${target.address}\` is the right address.`;
    }
    if (probe.nix === null) {
        return 'Nix is not installed on the target: `nix-store` is not on the PATH of an SSH session without a terminal.';
    }
    if (probe.root === 'no') {
        const words = target.privilegeEscalation.join(' ');
        return words === ''
            ? `The user ${target.user} is not root and has no privilege escalation: use root, or set it to \`sudo -n\`.`
            : `\`${words}\` does not make ${target.user} root without a password${probe.refusal === null ? '' : ` (${probe.refusal})`}.`;
    }
    return null;
}
/** Whether a kernel that calls its machine `machine` runs programs of `system`. */
function runsOn(system, machine) {
    const cpu = system.split('-')[0] ?? '';
    const also = {
        i686: ['x86_64', 'i386', 'i486', 'i586'],
        armv6l: ['armv7l', 'armv8l', 'aarch64'],
        armv7l: ['armv8l', 'aarch64'],
        powerpc64le: ['ppc64le'],
    };
    return cpu === machine || (also[cpu] ?? []).includes(machine);
}

;// CONCATENATED MODULE: ./src/deploy/spec.ts


/**
 * Seconds that a target waits for the confirmation of the runner; 0: it does not wait. HTTP health checks are part of what
 * is confirmed, so that they have their time before it, even if nothing else has to be confirmed. Nobody can be locked out
 * of a machine that deploys itself.
 */
function confirmationTime({ deployment, config }) {
    const proof = deployment.target !== null && (0,fleet/* isLocal */.IX)(deployment.target) ? 0 : config.confirmTimeout;
    return proof + (deployment.healthChecks.http.length > 0 ? config.healthTimeout : 0);
}
function rebootRequested({ mode, reboot }) {
    return (mode === 'boot' || mode === 'switch') && reboot !== 'never';
}
/**
 * Whether the target may be rebooted. Not the machine that the deployment runs on, which could not report it; and not one
 * with secrets: those in memory would be missing when its services start, and could fail its health checks.
 */
function mayReboot({ deployment, config }) {
    const local = deployment.target !== null && (0,fleet/* isLocal */.IX)(deployment.target);
    return rebootRequested(config) && !local && deployment.secrets.length === 0;
}
/** Seconds for everything else that a target does in an activation, such as the boot loader. */
const otherSteps = 3600;
/**
 * Seconds after which no honest target still works on an activation: the sum of its time limits, with up to four calls of
 * switch-to-configuration on the way there and back, and two reboots.
 */
function longestActivation({ deployment, config }) {
    const { lockTimeout, activationTimeout, healthTimeout } = config;
    const checks = deployment.preDeployChecks.cmd.reduce((sum, { timeout }) => sum + timeout, 0);
    const confirming = confirmationTime({ deployment, config });
    const reboots = mayReboot({ deployment, config }) ? 5 * config.rebootTimeout : 0;
    return lockTimeout + checks + 4 * activationTimeout + 2 * healthTimeout + confirming + reboots + otherSteps;
}
/** The arguments of the verb `run` after the identifier (`KEYS` in main.sh). */
function specOf(job, probe, nonce) {
    const { deployment, config } = job;
    const { host, toplevel, origin } = deployment;
    const spec = {
        ...{ mode: config.mode, toplevel, who: config.who, host, run: config.run },
        ...{ commit: origin.commit, repository: origin.repository, branch: origin.branch, committed: origin.committed },
        expect: expectedSystems(probe).join('\n'),
        nonce,
        confirm: confirmationTime(job),
        'failed-units': config.failedUnits,
        'allow-older': String(config.allowOlder),
        'lock-wait': config.lockTimeout,
        'activate-limit': config.activationTimeout,
        'health-limit': config.healthTimeout,
        secrets: deployment.secrets.length > 0 && config.mode !== 'dry-activate' ? 'true' : null,
        reboot: mayReboot(job) ? config.reboot : 'never',
        'reboot-limit': config.rebootTimeout,
    };
    const words = Object.entries(spec).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]));
    return [...words, ...checksOf(deployment)];
}
/** The part of these arguments that are commands for the target: its checks. */
function checksOf({ preDeployChecks, healthChecks, }) {
    const all = { ...commands('check', preDeployChecks.cmd), ...commands('health', healthChecks.cmd) };
    return Object.entries(all).map(([key, value]) => `${key}=${value}`);
}
function commands(kind, checks) {
    const entries = checks.flatMap(({ description, cmd, period, timeout }, index) => {
        const key = `${kind}-${index + 1}`;
        return [
            // As morph passes them to ssh: a shell on the target reads the words again.
            [`${key}.command`, cmd.join(' ')],
            [`${key}.description`, description],
            [`${key}.timeout`, timeout],
            [`${key}.period`, period],
        ];
    });
    return Object.fromEntries(entries);
}

;// CONCATENATED MODULE: ./src/deploy/confirmation.ts






/** Milliseconds for one attempt. */
const attemptTime = 15_000;
/**
 * Milliseconds until the next attempt. sshd penalizes an address for 5 s after each login that fails, and refuses it
 * altogether once 15 s have accumulated (sshd_config(5), PerSourcePenalties): a target that went back must not refuse us.
 */
const pauses = { denied: 6_000, otherwise: 1_000 };
/**
 * Proves to a target that the runner can still get in, once the target waits for it: by a new TCP connection,
 * authentication and privilege escalation. Before that, the HTTP health checks have to pass.
 */
class Confirmation {
    #job;
    #id;
    #nonce;
    #ended = new AbortController();
    #healthy;
    #work;
    #obstacle = null;
    #rebooting = false;
    constructor(job, id, nonce) {
        this.#job = job;
        this.#id = id;
        this.#nonce = nonce;
    }
    /** Why the target was not confirmed, in words; null if it was, or if it never waited for it. */
    get obstacle() {
        return this.#obstacle;
    }
    /** Called with each phase that the activation enters. */
    onPhase(phase) {
        if (phase === 'reboot')
            this.#rebooting = true;
        if (phase !== 'verify' && phase !== 'confirm')
            return;
        this.#healthy ??= this.#untilHealthy();
        if (phase === 'confirm')
            this.#work ??= this.#confirm();
    }
    /** Called when the activation has ended: nothing is left to confirm. */
    async end() {
        this.#ended.abort();
        await this.#work;
    }
    #untilHealthy() {
        const { deployment, config, remote } = this.#job;
        return untilPassed(deployment.healthChecks.http, (0,fleet/* webAddress */.Dy)(remote.target), config.healthTimeout, this.#ended.signal, 'health check');
    }
    async #confirm() {
        const unhealthy = await this.#healthy;
        if (this.#ended.signal.aborted)
            return;
        if (unhealthy !== undefined && unhealthy !== null) {
            this.#obstacle = unhealthy;
            await reject(this.#job, this.#id, unhealthy);
            return;
        }
        // As long as the target waits: after its reboot, longer.
        const more = this.#rebooting ? this.#job.config.rebootTimeout : 0;
        const end = Date.now() + (confirmationTime(this.#job) + more) * 1000;
        while (Date.now() < end && !this.#ended.signal.aborted && !(await this.#attempt())) {
            await (0,promises_.setTimeout)(pauseAfter(this.#obstacle), undefined, { signal: this.#ended.signal }).catch(() => undefined);
        }
    }
    /** Whether the target has answered. */
    async #attempt() {
        const options = { privileged: true, fresh: true, timeout: attemptTime, signal: this.#ended.signal };
        try {
            const { values } = await (0,deploy_remote/* call */.T1)(this.#job.remote, 'confirm', [this.#id, this.#nonce], options);
            if (values.get('confirmed') === 'yes')
                this.#obstacle = null;
            else
                this.#obstacle ??= 'a new connection came about too late';
            return values.get('end') === 'confirm';
        }
        catch (error) {
            if (!(error instanceof errors/* CommandError */.Qd))
                throw error;
            if (error.failure.kind !== 'cancelled')
                this.#obstacle = wordsOf(error);
            return false;
        }
    }
}
/** Asks the target to go back, over the shared connection or else over a new one. It goes back without that, but later. */
async function reject({ remote }, id, reason) {
    for (const fresh of [false, true]) {
        const options = { privileged: true, fresh, timeout: attemptTime };
        const reply = await (0,deploy_remote/* call */.T1)(remote, 'reject', [id, reason], options).catch(() => null);
        if (reply?.values.get('end') === 'reject')
            return;
    }
}
/** Milliseconds to wait before the next attempt to log in after one that failed, by what ssh said. */
function pauseAfter(words) {
    return words !== null && /Permission denied/.test(words) ? pauses.denied : pauses.otherwise;
}
/** What a command that failed on its way says about it, in one line. */
function wordsOf(error) {
    if (error.failure.kind === 'timeout')
        return 'a new connection did not come about in time';
    const lines = error.stderr
        .split('\n')
        .map(line => line.trim())
        .filter(line => line !== '');
    return lines.at(-1) ?? error.message;
}

;// CONCATENATED MODULE: ./src/deploy/job.ts
/** Shows a few words about what is happening to the host. */
function showProgress({ deployment, context }, text) {
    context.progress({ host: deployment.host, stage: 'deploy', state: 'running', text });
}
/** What aborted the signal of a job: the run was cancelled, or the host's time is over. */
function whyAborted({ reason }) {
    return reason?.name === 'TimeoutError'
        ? 'Stopped by `host-timeout`'
        : 'Cancelled';
}

// EXTERNAL MODULE: ./src/deploy/reply.ts
var deploy_reply = __webpack_require__(50847);
// EXTERNAL MODULE: ./src/deploy/secrets/report.ts
var secrets_report = __webpack_require__(58903);
;// CONCATENATED MODULE: ./src/deploy/status.ts


const results = ['finished', 'refused', 'went-back', 'stuck'];
/** Null if the reply holds no complete status. */
function readStatus({ values }) {
    const result = results.find(each => each === values.get('result'));
    if (values.get('end') !== 'status' || result === undefined)
        return null;
    const text = (key) => values.get(key) ?? '';
    const code = (key) => text(key) === '' ? null : text(key) === 'timeout' ? 'timeout' : Number(text(key));
    const units = (key) => text(key).split(' ').filter(Boolean);
    return {
        result,
        phase: text('phase'),
        why: text('why'),
        verb: text('verb'),
        code: code('code'),
        backCode: code('back-code'),
        activated: text('activated') === 'yes',
        confirmed: text('confirmed') === 'yes' ? 'yes' : text('confirmed') === 'no' ? 'no' : 'off',
        before: {
            current: text('before') || null,
            profile: text('profile-before') || null,
            boot: text('boot-before') || null,
        },
        now: { current: text('current') || null, profile: text('profile') || null, boot: text('boot') || null },
        rebooted: text('rebooted') === 'yes',
        needsReboot: (0,deploy_booted/* readBootedParts */.I8)(text('needs-reboot')),
        failedUnits: units('failed-units'),
        missingUnits: units('missing-units'),
        secrets: { changed: (0,secrets_report/* numbersIn */.MC)(text('secrets-changed')), volatile: (0,secrets_report/* numbersIn */.MC)(text('secrets-volatile')) },
        settled: text('settled') === ''
            ? null
            : { how: text('settled'), toplevel: text('settled-toplevel'), phase: text('settled-phase') },
    };
}

;// CONCATENATED MODULE: ./src/deploy/activation.ts










/** Seconds that a target has to go back, besides the time that it waits for the confirmation. */
const timeToGoBack = 120;
/** Phases in which nothing is changed yet. */
const early = ['', 'lock', 'look', 'expect', 'root', 'check'];
/** What identifies an activation on its target. */
function newRunId() {
    return `${Date.now().toString(36)}-${(0,external_node_crypto_.randomBytes)(4).toString('hex')}`;
}
/**
 * Starts the activation on the target, follows it until it ends, over as many connections as that takes, and confirms it.
 * If the run is cancelled, an activation that has changed nothing yet is ended, and any other is followed to its end.
 *
 * @param id a new one, from `newRunId`.
 * @throws CommandError when the activation script cannot be run on the target.
 */
async function activate(job, probe, id) {
    const nonce = (0,external_node_crypto_.randomBytes)(16).toString('hex');
    const confirmation = new Confirmation(job, id, nonce);
    const following = new Following(job, id, confirmation);
    const cancel = () => following.cancel();
    job.context.signal.addEventListener('abort', cancel, { once: true });
    try {
        const end = await following.toEnd(specOf(job, probe, nonce));
        const unreached = end.kind === 'status' ? following.obstacle : null;
        return { end, log: following.log, obstacle: confirmation.obstacle ?? unreached };
    }
    finally {
        job.context.signal.removeEventListener('abort', cancel);
        await confirmation.end();
    }
}
class Following {
    log = [];
    #job;
    #id;
    #confirmation;
    #phase = '';
    /** Whether the target has said that it reboots. */
    #rebooting = false;
    /** Lines of the log that have arrived. */
    #seen = 0;
    #deadline;
    /** When the connection was cut, in milliseconds; null while there is one. */
    #cut = null;
    /** When the target was last heard, in milliseconds. */
    #heard = Date.now();
    /** For how many milliseconds the target could not be reached during its reboot, by what ssh said. */
    #unreached = new Map();
    constructor(job, id, confirmation) {
        this.#job = job;
        this.#id = id;
        this.#confirmation = confirmation;
        this.#deadline = Date.now() + longestActivation(job) * 1000;
    }
    /** What kept the runner from reaching the target for most of the time of its reboot; null if nothing did. */
    get obstacle() {
        const [longest] = [...this.#unreached].sort(([, a], [, b]) => b - a);
        return longest?.[0] ?? null;
    }
    cancel() {
        if (!early.includes(this.#phase))
            return;
        void reject(this.#job, this.#id, whyAborted(this.#job.context.signal).toLowerCase());
    }
    async toEnd(spec) {
        let failure = await this.#try('run', [this.#id, ...spec]);
        // A machine may go down without closing its connections: ssh notices that long after.
        if (this.#rebooting && failure instanceof errors/* CommandError */.Qd) {
            this.#noteUnreached('the connection was lost', Date.now() - this.#heard);
        }
        while (failure instanceof errors/* CommandError */.Qd) {
            this.#cut ??= Date.now();
            const rebooting = this.#rebooting;
            if (Date.now() >= this.#deadline)
                return { kind: 'unreachable', error: this.#tooLong(), rebooting };
            if (Date.now() - this.#cut > this.#patience())
                return { kind: 'unreachable', error: failure, rebooting };
            showProgress(this.#job, rebooting ? 'waiting for the reboot' : 'the connection was lost, reconnecting');
            const tried = Date.now();
            await (0,promises_.setTimeout)(pauseAfter(failure.stderr));
            failure = await this.#try(rebooting ? 'resume' : 'watch', [this.#id, String(this.#seen)]);
            if (rebooting && failure instanceof errors/* CommandError */.Qd)
                this.#noteUnreached(wordsOf(failure), Date.now() - tried);
        }
        const reply = failure;
        const end = await this.#endOf(reply);
        // The status is read, so the target can forget the activation.
        if (end.kind !== 'not-started')
            await this.#callAfter('finish', [this.#id], 30_000);
        return end;
    }
    /**
     * Calls a verb when an activation has ended. The shared connection may lead to the gate of the system before, which may
     * not become root on the new system.
     *
     * @returns null if it could not be called.
     */
    async #callAfter(verb, args, timeout) {
        const shared = await this.#call(verb, args, timeout).catch(() => null);
        if (shared?.values.has('end'))
            return shared;
        return (0,deploy_remote/* call */.T1)(this.#job.remote, verb, args, { privileged: true, fresh: true, timeout }).catch(() => null);
    }
    #noteUnreached(words, milliseconds) {
        this.#unreached.set(words, (this.#unreached.get(words) ?? 0) + milliseconds);
    }
    #tooLong() {
        const seconds = longestActivation(this.#job);
        const why = `the target did not end the activation within ${seconds} s, more than its time limits allow`;
        return new errors/* CommandError */.Qd(['ssh'], { kind: 'timeout', milliseconds: seconds * 1000 }, why);
    }
    /** Milliseconds for which it is tried to reach the target after a cut: until it must have gone back by itself. */
    #patience() {
        // Shutting down, starting, waiting for a confirmation, and shutting down and starting again.
        const reboots = this.#rebooting ? 5 * this.#job.config.rebootTimeout : 0;
        return (confirmationTime(this.#job) + timeToGoBack + reboots) * 1000;
    }
    /** Calls a verb that follows the activation. @returns the reply, or the error if the connection was cut. */
    async #try(verb, args) {
        try {
            const left = Math.max(1, this.#deadline - Date.now());
            const reply = await this.#call(verb, args, left);
            return reply.values.has('end')
                ? reply
                : new errors/* CommandError */.Qd(['ssh'], { kind: 'exit', code: 255 }, 'the reply was cut');
        }
        catch (error) {
            const begun = verb !== 'run' || this.#phase !== '' || this.log.length > 0;
            if (!(error instanceof errors/* CommandError */.Qd) || !(begun || (0,deploy_session/* isConnectionError */.Rk)(error)))
                throw error;
            return error;
        }
    }
    #call(verb, args, timeout) {
        return (0,deploy_remote/* call */.T1)(this.#job.remote, verb, args, {
            privileged: true,
            fresh: this.#cut !== null,
            onLog: line => this.#onLog(line),
            onPhase: phase => this.#onPhase(phase),
            ...(timeout === undefined ? {} : { timeout }),
        });
    }
    #onLog(line) {
        this.#heard = Date.now();
        // Each cut has a time of its own, but the next connection is a new one again.
        if (this.#cut !== null)
            this.#cut = Date.now();
        this.#seen += 1;
        if (this.log.length < deploy_reply/* mostKept */.y.lines)
            this.log.push(line);
        const { host } = this.#job.deployment;
        const [, warning] = /^nix-ferry: warning: (.*)$/.exec(line) ?? [];
        if (warning === undefined)
            this.#job.context.log.debug(`${host}: ${line}`);
        else
            this.#job.context.log.warning(`${host}: ${warning}`, { host });
        showProgress(this.#job, line);
    }
    #onPhase(phase) {
        this.#heard = Date.now();
        if (this.#cut !== null)
            this.#cut = Date.now();
        this.#phase = phase;
        if (phase === 'reboot')
            this.#rebooting = true;
        if (this.#job.context.signal.aborted)
            this.cancel();
        this.#confirmation.onPhase(phase);
    }
    async #endOf(reply) {
        const status = readStatus(reply);
        if (status !== null)
            return { kind: 'status', status };
        const end = reply.values.get('end');
        if (end === 'invalid' || end === 'failed')
            return { kind: 'not-started', why: reply.values.get('why') ?? end };
        return { kind: 'lost', settled: await this.#callAfter('settle', [], 300_000) };
    }
}

;// CONCATENATED MODULE: ./src/deploy/copy.ts



/**
 * Copies the closure to the target's store, with its signatures. Paths that are already there are not sent.
 *
 * The signatures of the paths are not checked: they come over an authenticated connection, from a store whose content was
 * just built or verified against the archive's manifest. Nix on the target allows that to trusted users only (nix.conf(5),
 * trusted-users); for any other user its daemon is started with the privilege escalation. A gate has neither: its target
 * checks the signatures.
 *
 * @param onProgress called with a few words for each path that is started.
 * @throws CommandError
 */
async function copyClosure({ deployment, remote, config, nix, context }, probe, onProgress) {
    // This machine's store, where it was built.
    if ((0,fleet/* isLocal */.IX)(remote.target) && deployment.closure.from === 'store')
        return;
    const options = {
        env: { ...nix.environment(), NIX_SSHOPTS: remote.session.sshOptions },
        signal: context.signal,
    };
    await nix.run('nix', copyArguments(deployment, remote, probe), { ...options, onStderr: countPaths(onProgress) });
    if (config.signingKey === null || (0,gate/* throughGate */.zj)(remote.target) || (0,fleet/* isLocal */.IX)(remote.target))
        return;
    onProgress('copying signatures');
    await nix.run('nix', signatureArguments(deployment, remote, probe, nix), options);
}
/**
 * The arguments of `nix` that give a target the signatures of paths that it has already: `nix copy` skips these. Without them, a
 * gate that it gets later would refuse what shares a path with a system from before.
 */
function signatureArguments({ toplevel, closure }, remote, probe, { store }) {
    const from = closure.from === 'archive' ? `file://${closure.directory}` : store;
    return ['store', 'copy-sigs', '--recursive', '--substituter', from, '--store', storeOf(remote, probe), toplevel];
}
/** The target's store, as Nix's commands call it. */
function storeOf({ alias, target }, { trusted }) {
    const escalation = trusted === true ? [] : (0,deploy_remote/* escalationOf */.B4)(target);
    const daemon = (0,gate/* throughGate */.zj)(target) ? (0,gate/* gateCommand */.BT)('receive') : [...escalation, 'nix-daemon'].join(' ');
    const program = daemon === 'nix-daemon' ? '' : `?remote-program=${encodeURIComponent(daemon)}`;
    return `ssh-ng://${alias}${program}`;
}
/** Reads the lines that Nix prints without a terminal: "copying 40 paths...", then "copying path '…' to '…'...". */
function countPaths(onProgress) {
    let total = 0;
    let started = 0;
    return line => {
        const paths = /^copying (\d+) paths/.exec(line)?.[1];
        if (paths !== undefined)
            total = Number(paths);
        else if (line.startsWith("copying path '"))
            onProgress(`copying ${++started} of ${Math.max(total, started)} paths`);
    };
}
/** The arguments of `nix`. */
function copyArguments({ toplevel, closure }, { alias, target }, probe) {
    return [
        'copy',
        ...((0,gate/* throughGate */.zj)(target) ? [] : ['--no-check-sigs']),
        ...(target.substituteOnDestination ? ['--substitute-on-destination'] : []),
        ...(closure.from === 'archive' ? ['--from', `file://${closure.directory}`] : []),
        ...((0,fleet/* isLocal */.IX)(target) ? [] : ['--to', storeOf({ alias, target }, probe)]),
        toplevel,
    ];
}

// EXTERNAL MODULE: ./src/deploy/failure.ts
var failure = __webpack_require__(34457);
// EXTERNAL MODULE: ./src/deploy/units.ts
var deploy_units = __webpack_require__(46692);
;// CONCATENATED MODULE: ./src/deploy/words.ts
const ours = 'nix-ferry: ';
/** Splits a log; what was said while an earlier activation was settled, and our own lines, are left out. */
function readWords(log) {
    const words = { there: [], back: [] };
    let part = 'there';
    for (const line of log) {
        if (line.startsWith(`${ours}settling `))
            part = null;
        else if (line.startsWith(`${ours}settled `))
            part = 'there';
        else if (part !== null && line.startsWith(`${ours}going back to `))
            part = 'back';
        else if (part !== null && !line.startsWith(ours))
            words[part].push(line);
    }
    return words;
}
/** Lines that a person does not need in order to understand a failure. */
const noise = [
    /^\s*$/,
    /^activating the configuration\.\.\.$/,
    /^setting up \/etc\.\.\.$/,
    /^restarting sysinit-reactivation\.target$/,
    /^(stopping|restarting|reloading|starting) the following (user )?units: /,
    /^the following new units were started: /,
    /^NOT restarting the following changed units: /,
    /^reloading user units for /,
    /^updating the .* entries\.\.\.$/,
    /^(Not c|C)hecking switch inhibitors/,
    // What Perl says if the locale of the session is not installed.
    /^perl: warning: /,
    /^(LANGUAGE|LANG|LC_[A-Z]+) = /,
    /^are supported and installed on your system\.$/,
];
/** The last three lines that say something. */
function lastWords(lines) {
    return lines
        .map(line => line.trim())
        .filter(line => !noise.some(pattern => pattern.test(line)))
        .slice(-3)
        .join(' ');
}
/**
 * Why switch-to-configuration failed, in its own words: its exit codes are ambiguous, and what it prints last often is not
 * the reason. A sentence without its full stop; null if no known words are there.
 */
function reasonOf(lines) {
    for (const reason of reasons) {
        const found = reason(lines);
        if (found !== null)
            return found;
    }
    return null;
}
/** In this order: what fails first, and makes the others fail. */
const reasons = [notNixos, lockHeld, inhibited, checkFailed, snippetFailed, loaderFailed, ownError];
function indexOf(lines, pattern) {
    return lines.findIndex(line => pattern.test(line));
}
function notNixos(lines) {
    return indexOf(lines, /^This is not a NixOS installation!/) === -1
        ? null
        : 'the target is not a NixOS machine: it has no /etc/NIXOS';
}
function lockHeld(lines) {
    return indexOf(lines, /^(Error: )?Could not acquire lock/) === -1
        ? null
        : 'another switch-to-configuration is running on the target';
}
/** The table of components: "dbus-implementation : dbus -> broker". */
function inhibited(lines) {
    const from = indexOf(lines, /^There are changes to critical components/);
    if (from === -1)
        return null;
    const rest = lines.slice(from + 1);
    const to = indexOf(rest, /^Switching into this system is not recommended/);
    const components = rest.slice(0, to === -1 ? rest.length : to).filter(line => line.trim() !== '');
    return `critical components change, which needs a reboot (mode \`boot\`): ${components.join(', ')}`;
}
function checkFailed(lines) {
    const at = indexOf(lines, /^Pre-switch check(s| '.*') failed/);
    if (at === -1)
        return null;
    const name = /'(.*)'/.exec(lines[at] ?? '')?.[1];
    const printed = lastWords(lines.slice(0, at));
    return `the pre-switch check${name === undefined ? '' : ` '${name}'`} failed${printed === '' ? '' : `: ${printed}`}`;
}
function snippetFailed(lines) {
    const snippets = lines.filter(line => /^Activation script snippet '.*' failed/.test(line));
    if (snippets.length > 0)
        return `the activation script failed: ${snippets.join(', ')}`;
    const at = indexOf(lines, /^Failed to run activate script/);
    if (at === -1)
        return null;
    const printed = lastWords(lines.slice(0, at));
    return `the activation script failed${printed === '' ? '' : `: ${printed}`}`;
}
function loaderFailed(lines) {
    const at = indexOf(lines, /^Failed to install bootloader/);
    if (at === -1)
        return null;
    const printed = lastWords(lines.slice(0, at));
    return `the boot loader could not be installed${printed === '' ? '' : `: ${printed}`}`;
}
/** Some of its errors say no more than "No such file or directory (os error 2)": the sentence says whose error it is. */
function ownError(lines) {
    const error = programError(lines);
    return error === null ? null : `switch-to-configuration failed: ${error}`;
}
/**
 * An error of the program itself, without a full stop: "Error: Failed to parse systemd unit file …", then its causes,
 * indented; or that logind, which has lost D-Bus, does not name the users.
 */
function programError(lines) {
    const at = indexOf(lines, /^(Error|Unable to list users with logind): /);
    if (at === -1)
        return null;
    const causes = lines.slice(at + 1).filter(line => /^\s+\S/.test(line));
    const text = (lines[at] ?? '').replace(/^Error: /, '');
    return [text, ...causes.map(cause => cause.trim().replace(/^\d+: /, ''))].join(': ').replace(/\.$/, '');
}
/** Users whose units could not be switched: "warning: user activation for root failed". */
function failedUsers(lines) {
    return [
        ...new Set(lines.flatMap(line => /^warning: user activation for (.*) failed/.exec(line.trim())?.slice(1, 2) ?? [])),
    ];
}

;// CONCATENATED MODULE: ./src/deploy/judge.ts



/**
 * What an activation means. The outcome follows from what was read back, never from what was attempted; the reason comes
 * from what switch-to-configuration printed, since its exit codes are ambiguous.
 */
function judge(evidence) {
    const { outcome, message } = judgeEnd(evidence);
    const settled = settledSentence(evidence.status);
    return { outcome, message: settled === null ? message : `${message} ${settled}` };
}
function judgeEnd(evidence) {
    const { status, mode } = evidence;
    const contradiction = contradictionOf(evidence);
    if (contradiction !== null)
        return { outcome: 'failed', message: contradiction };
    switch (status.result) {
        case 'finished':
            return mode === 'dry-activate' ? planned(status) : finished(evidence);
        case 'refused':
            return { outcome: 'refused', message: `${sentence(reason(evidence))} Nothing was changed.` };
        case 'went-back':
            return { outcome: 'rolled-back', message: `${sentence(reason(evidence))} ${wentBack(status, mode)}` };
        case 'stuck':
            return { outcome: 'failed', message: `${sentence(reason(evidence))} ${stuck(evidence)}` };
    }
}
/** What is read back must agree with how it ended; if not, exactly what is true. */
function contradictionOf({ status, toplevel, mode }) {
    if (status.result === 'stuck')
        return null;
    const wanted = wantedFacts(status, toplevel, mode);
    if (wanted === null)
        return null;
    const different = Object.keys(wanted).some(key => wanted[key] !== undefined && wanted[key] !== status.now[key]);
    if (!different)
        return null;
    const claims = {
        finished: 'The activation reported success',
        refused: 'The activation was refused',
        'went-back': 'The activation was taken back',
    };
    return `${claims[status.result]}, but this is not what is true: ${factsSentence(status.now)}`;
}
/** What must be true; left out: anything may be. A boot loader that cannot be read proves nothing. */
function wantedFacts(status, toplevel, mode) {
    const { before, now, result, phase } = status;
    if (mode === 'dry-activate')
        return null;
    if (result !== 'finished') {
        // Refused before it had looked at the machine.
        if (phase === 'lock' || phase === 'look')
            return null;
        // After a restart in between, the machine runs what its boot loader started.
        return { profile: before.profile, ...(status.rebooted ? {} : { current: before.current }) };
    }
    const boot = now.boot === null ? {} : { boot: toplevel };
    return {
        ...(status.activated ? { current: toplevel } : {}),
        ...(mode === 'test' ? {} : { profile: toplevel, ...boot }),
    };
}
function factsSentence({ current, profile, boot }) {
    if (current !== null && current === profile && current === boot)
        return `it runs and boots ${current}.`;
    const loader = boot === null ? 'the default of its boot loader cannot be read' : `its boot loader starts ${boot}`;
    return `it runs ${current ?? 'no NixOS system'}, its profile points to ${profile ?? 'nothing'}, and ${loader}.`;
}
function planned({ code, needsReboot }) {
    const reboot = needsReboot.length > 0
        ? ` A reboot would be needed: ${(0,deploy_booted/* rebootSentence */.JI)(needsReboot)}.`
        : code === 100
            ? ' A reboot would be needed: its init interface is another one.'
            : '';
    return { outcome: 'planned', message: `This is what would change.${reboot} Nothing was changed.` };
}
const achieved = {
    none: '',
    preview: '',
    'dry-activate': '',
    secrets: '',
    test: 'Runs the new system until the next boot.',
    boot: 'The next boot starts the new system.',
    switch: 'Runs and boots the new system.',
};
function finished(evidence) {
    const { status, mode, failedUnits } = evidence;
    if (mode === 'switch' && !status.activated) {
        const message = 'The new system changes the init interface, so it is not running yet. The next boot starts it.';
        return { outcome: 'needs-reboot', message };
    }
    const failed = failures(evidence);
    // What is booted next needs no other reboot than the one that is expected.
    const pending = status.activated && status.needsReboot.length > 0;
    const reboot = pending ? ` A reboot is needed: ${(0,deploy_booted/* rebootSentence */.JI)(status.needsReboot)}.` : '';
    // Its reboot has made it the running system.
    const booted = status.rebooted && status.activated && mode !== 'test';
    const done = `${booted ? `Was rebooted. ${achieved.switch}` : achieved[mode]}${reboot}`;
    const outcome = pending ? 'needs-reboot' : 'deployed';
    if (failed === null && wasThere(evidence)) {
        return { outcome: 'unchanged', message: `The target was on this system before the activation.${reboot}` };
    }
    if (failed === null)
        return { outcome, message: done };
    if (failedUnits === 'ignore')
        return { outcome, message: `${done} Ignored: ${failed}.` };
    return { outcome: 'degraded', message: `The system was switched, but ${failed}.${reboot}` };
}
/** Whether the activation found what it was to achieve, as when two runs deploy the same system at once. */
function wasThere({ status, toplevel, mode }) {
    const { before, rebooted, settled } = status;
    if (rebooted || settled !== null)
        return false;
    const wanted = wantedFacts({ ...status, now: before }, toplevel, mode) ?? {};
    return Object.entries(wanted).every(([key, value]) => before[key] === value);
}
/** What failed although the system was switched, in words; null if nothing did. */
function failures({ status, log }) {
    const { there } = readWords(log);
    const units = [...new Set([...status.failedUnits, ...(0,deploy_units/* readUnits */.g9)(there).failed])];
    const users = failedUsers(there);
    if (units.length === 0 && users.length === 0 && status.code !== 4)
        return null;
    const down = status.missingUnits.filter(unit => !units.includes(unit));
    const parts = [
        ...(units.length > 0 ? [`these units failed: ${units.join(', ')}`] : []),
        ...(down.length > 0 ? [`these units do not run any more: ${down.join(', ')}`] : []),
        ...users.map(user => `the user units of ${user} could not be switched`),
    ];
    return parts.length > 0 ? parts.join('; ') : 'switch-to-configuration reports failed units (exit code 4)';
}
/** Why it did not succeed, without a full stop. */
function reason(evidence) {
    const { status, obstacle } = evidence;
    const { phase } = status;
    const why = status.why.replace(goingBack, '');
    if (phase === 'lock' && why.startsWith('another activation'))
        return `${why}. Run again when it has ended`;
    // A rejection is in the runner's own words already.
    if (phase === 'confirm' && obstacle !== null && !why.startsWith('rejected'))
        return `${why}: ${obstacle}`;
    if (phase !== 'activate' && phase !== 'commit')
        return why;
    // A dry run that another run ended: what it had printed by then is not why.
    if (evidence.mode === 'dry-activate' && status.code === null)
        return why;
    // Only `test` means that by this code.
    if (status.verb === 'test' && status.code === 100)
        return `${why}: its init interface is another one`;
    const { there } = readWords(evidence.log);
    return reasonOf(there) ?? inWords(why, status, there);
}
function inWords(why, { code }, there) {
    const printed = code === 'timeout' ? '' : lastWords(there);
    return printed === '' || why === '' ? why || printed : `${why}: ${printed}`;
}
function sentence(text) {
    const trimmed = text.trim().replace(/[.:]$/, '');
    return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
}
function wentBack({ now, rebooted }, mode) {
    if (rebooted)
        return `The target was restarted in between; ${factsSentence(now)}`;
    if (now.current === null)
        return 'The target is as it was before: without a NixOS system.';
    return mode === 'boot' ? 'The target boots its previous system.' : `The target is back on ${now.current}.`;
}
/** What the target adds to the reason if it could not go back wholly. */
const goingBack = /(?:^|; )going back: (.*)$/;
/** The target could not take everything back: what is wrong, and what is true. */
function stuck({ status, log }) {
    const problem = goingBack.exec(status.why)?.[1];
    const said = status.backCode === null || status.backCode === 0 ? null : programError(readWords(log).back);
    const failed = problem === undefined ? '' : `The target could not go back wholly: ${problem}`;
    return `${failed}${failed === '' ? '' : said === null ? '. ' : ` (${said}). `}Now ${factsSentence(status.now)}`;
}
/**
 * What an activation without a status means: it was killed, or the machine restarted. The target has settled it.
 *
 * @param reply what the verb `settle` answered; null if there was no answer.
 */
function judgeLost({ reply, toplevel, mode }) {
    const lost = 'The activation ended without a result: it was killed, or the machine restarted.';
    const text = (key) => reply?.values.get(key) || null;
    const now = { current: text('current'), profile: text('profile'), boot: text('boot') };
    if (reply === null)
        return { outcome: 'failed', message: `${lost} The target does not answer now.` };
    const facts = `Now ${factsSentence(now)}`;
    if (text('end') !== 'settle')
        return { outcome: 'failed', message: `${lost} ${sentence(text('why') ?? '')} ${facts}` };
    if (mode === 'dry-activate')
        return { outcome: 'failed', message: `${lost} A dry run changes nothing.` };
    if (text('settled') === 'finished') {
        const expected = wantedFacts({ result: 'finished', phase: 'report', before: now, now, rebooted: false, activated: mode !== 'boot' }, toplevel, mode) ?? {};
        const agrees = Object.entries(expected).every(([key, value]) => now[key] === value);
        if (agrees)
            return { outcome: 'deployed', message: achieved[mode] };
    }
    if (text('settled') === 'taken-back')
        return { outcome: 'rolled-back', message: `${lost} It was taken back. ${facts}` };
    return { outcome: 'failed', message: `${lost} ${facts}` };
}
const settledWords = {
    finished: 'It had been finished.',
    'taken-back': 'It was taken back first.',
    superseded: 'Another system was activated since, so it was left alone.',
    failed: 'It could not be taken back wholly.',
};
function settledSentence({ settled }) {
    if (settled === null)
        return null;
    if (settled.how === 'unreadable') {
        return 'The record of an earlier activation was damaged; it is kept as /var/lib/nix-ferry/damaged.json.';
    }
    return `An earlier activation, of ${settled.toplevel}, was cut in its phase \`${settled.phase}\`. ${settledWords[settled.how] ?? ''}`;
}

// EXTERNAL MODULE: ./src/deploy/outcome.ts
var deploy_outcome = __webpack_require__(84535);
// EXTERNAL MODULE: ./src/deploy/phase.ts
var deploy_phase = __webpack_require__(54696);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
// EXTERNAL MODULE: ./src/deploy/values.ts
var deploy_values = __webpack_require__(28625);
;// CONCATENATED MODULE: ./src/deploy/secrets/fields.ts

/** Everything that a target needs to know of a host's secrets except their contents, as target/activation/secrets.sh names it. */
function secretFields(secrets) {
    return secrets.flatMap((secret, index) => {
        const fields = {
            ...{ name: secret.name.replaceAll(/\p{Cc}/gu, ' '), destination: secret.destination },
            ...{ user: secret.user, group: secret.group, mode: secret.permissions },
            when: secret.uploadAt === 'post-activation' ? 'post' : 'pre',
            mkdirs: String(secret.mkDirs),
            // As morph passes them to ssh: a shell on the target reads the words again.
            action: secret.action.join(' '),
        };
        return Object.entries(fields).map(([field, value]) => [`${index + 1}.${field}`, (0,deploy_values/* encode */.lF)(value)]);
    });
}

;// CONCATENATED MODULE: ./src/deploy/secrets/stage.ts








/** Milliseconds for all secrets of a host to arrive. */
const stageTime = 300_000;
let script;
/**
 * Brings the secrets of one run to the target, into memory that only root can read. Everything is sent over standard input.
 *
 * @param key given to compare instead of to replace: the contents are then not sent.
 * @throws CommandError if they do not arrive.
 * @throws GateRefusal
 */
async function stageSecrets(remote, id, secrets, sender, { key = null, signal } = {}) {
    const { target, order } = remote;
    const { command, input } = (0,gate/* throughGate */.zj)(target)
        ? gateStage(id, order, secrets, sender, key)
        : scriptStage(target, id, secrets, sender, key);
    const { reply, read } = (0,deploy_reply/* replyReader */.w)();
    try {
        const more = { input, onStdout: read, timeout: stageTime, ...(signal === undefined ? {} : { signal }) };
        await remote.session.ssh(remote.alias, command, more);
    }
    catch (error) {
        throw (0,gate/* explainRefusal */.GC)(error, target);
    }
    if (reply.values.get('staged') !== 'yes') {
        throw new errors/* CommandError */.Qd(['ssh'], { kind: 'exit', code: 1 }, 'the secrets did not arrive on the target');
    }
}
function scriptStage(target, id, secrets, { who, lockTimeout }, key) {
    script ??= (0,external_node_fs_.readFileSync)((0,assets/* asset */.L)('target/stage.sh'), 'utf8');
    const bootstrap = 'self=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$self"';
    const size = String(Buffer.byteLength(script));
    const words = [...(0,deploy_remote/* escalationOf */.B4)(target), 'sh', '-c', bootstrap, 'nix-ferry', size, id];
    const sender = { '0.who': who, '0.wait': String(lockTimeout), ...(key === null ? {} : { '0.key': key }) };
    const values = [...encoded(sender), ...secretFields(secrets.map(({ secret }) => secret)), ...contents(secrets, key)];
    return { command: words.map(deploy_remote/* quote */.hD).join(' '), input: script + (0,deploy_values/* valueLines */.Hd)(values) };
}
function gateStage(id, order, secrets, { who, lockTimeout }, key) {
    const fields = (0,deploy_values/* fieldLines */.AI)(secretFields(secrets.map(({ secret }) => secret)));
    const sender = { who: (0,gate/* plain */.pj)(who), 'lock-wait': String(lockTimeout), ...(key === null ? {} : { key }) };
    const values = [...(0,gate/* orderValues */.zv)(order), ...encoded({ ...sender, secrets: fields }), ...contents(secrets, key)];
    return { command: (0,gate/* gateCommand */.BT)('stage', id), input: (0,deploy_values/* valueLines */.Hd)(values) };
}
function encoded(texts) {
    return Object.entries(texts).map(([name, text]) => [name, (0,deploy_values/* encode */.lF)(text)]);
}
/** None if they are only compared. */
function contents(secrets, key) {
    if (key !== null)
        return [];
    return secrets.flatMap(({ content, digest }, index) => {
        if (content === null)
            return [];
        const digests = digest === null ? [] : [[`${index + 1}.digest`, (0,deploy_values/* encode */.lF)(digest)]];
        return [[`${index + 1}.content`, content.base64()], ...digests];
    });
}

;// CONCATENATED MODULE: ./src/deploy/secrets/send.ts





/** Milliseconds beyond the time for the lock that replacing secrets and running their actions may take. */
const replaceTime = 600_000;
/**
 * Sends a host's secrets to the system that runs. All of them are replaced, or none.
 *
 * @param id identifies the secrets on the target; they have been staged there.
 * @param upToDate what to say of the system.
 * @throws CommandError if the connection fails; the target completes what it has begun.
 */
async function replaceSecrets(job, id, upToDate) {
    const { remote, secrets, config } = job;
    const reply = await (0,deploy_remote/* call */.T1)(remote, 'secrets', [id], {
        privileged: true,
        timeout: config.lockTimeout * 1000 + replaceTime,
        onLog: line => job.context.log.debug(`${remote.host}: ${line}`),
    });
    const why = send_sentence(reply.values.get('why') ?? 'the reply is incomplete');
    switch (reply.values.get('end')) {
        case 'secrets': {
            const { values } = reply;
            const report = (0,secrets_report/* reportOf */.EI)(secrets, (0,secrets_report/* numbersIn */.MC)(values.get('changed')), (0,secrets_report/* numbersIn */.MC)(values.get('volatile')));
            const outcome = report.changed.length > 0 ? 'deployed' : 'unchanged';
            const none = outcome === 'unchanged' ? ' Its secrets are as they should be.' : '';
            return { outcome, message: `${upToDate}${none}${(0,secrets_report/* secretSentences */.zd)(report, config.mode)}`.trim(), secrets: report };
        }
        case 'busy':
        case 'refused':
            return { outcome: 'refused', message: `${why} Nothing was changed.` };
        case 'taken-back':
            return { outcome: 'rolled-back', message: `${why} The secrets are as they were.` };
        default:
            return { outcome: 'failed', message: `${why} Some secrets may be new, and others old.` };
    }
}
/**
 * What a deployment would do about the secrets of a host, for a dry run. No content leaves this machine: the target answers
 * with a digest of what it has, made with a key of this run.
 *
 * @returns the report, and what is wrong with the secrets on the target, in words; null if nothing is.
 */
async function compareSecrets(job, id) {
    const { remote, secrets, config, context, deployment } = job;
    const key = (0,external_node_crypto_.randomBytes)(32).toString('hex');
    const sender = { who: config.who, lockTimeout: config.lockTimeout };
    await stageSecrets(remote, id, secrets, sender, { key, signal: context.signal });
    const reply = await (0,deploy_remote/* call */.T1)(remote, 'compare', [id, deployment.toplevel], { privileged: true, timeout: 60_000 });
    const { values } = reply;
    if (values.get('end') !== 'compare')
        throw new errors/* CommandError */.Qd(['ssh'], { kind: 'exit', code: 1 }, 'the reply was cut');
    const report = (0,secrets_report/* reportOf */.EI)(secrets, [], (0,secrets_report/* numbersIn */.MC)(values.get('volatile')));
    const named = (kind) => secrets.flatMap((each, index) => (compared(each, index + 1, values, key) === kind ? [each.secret.name] : []));
    return {
        report: { ...report, changed: named('changed'), unchanged: named('unchanged'), unknown: named('unknown') },
        problems: values.get('problems') || null,
    };
}
function compared({ content }, number, values, key) {
    const state = values.get(`state-${number}`);
    if (state !== 'same')
        return 'changed';
    if (content === null)
        return 'unknown';
    return values.get(`digest-${number}`) === content.digest(key) ? 'unchanged' : 'changed';
}
function send_sentence(text) {
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

;// CONCATENATED MODULE: ./src/deploy/host.ts




















const keptLog = 16 * 1024;
function alreadyThere({ needsReboot }) {
    const reboot = needsReboot.length > 0 ? ` A reboot is needed: ${(0,deploy_booted/* rebootSentence */.JI)(needsReboot)}.` : '';
    return `The target is already on this system.${reboot}`;
}
/** The deployment to one host, in two parts, between which it may wait. It never throws: whatever happens is an outcome. */
class HostDeployment {
    #job;
    #state = { phase: 'probe', before: null, after: null };
    #probe = null;
    /** For which it worked, without what it waited. */
    #seconds = 0;
    /** @param job its signal is aborted when the run is cancelled. */
    constructor(job) {
        this.#job = job;
    }
    /**
     * Connects, looks at the target and copies the closure, which changes nothing that the target runs or boots.
     *
     * @param heldBack aborted when it will not be activated.
     * @param onConnected called when the target has answered.
     * @returns null if the system can be activated.
     */
    prepare(heldBack, onConnected) {
        return this.#work(AbortSignal.any([this.#job.context.signal, heldBack]), async (job) => {
            const ready = await endedByCancel(job, () => prepare(job, this.#state, onConnected));
            if ('outcome' in ready)
                return ready;
            this.#probe = ready;
            return null;
        });
    }
    /** To be called after `prepare` has returned null. */
    async activate() {
        const outcome = await this.#work(this.#job.context.signal, job => activatePrepared(job, this.#probe, this.#state));
        return outcome;
    }
    /** Does a part of the work, within what is left of `hostTimeout`. */
    async #work(signal, work) {
        const started = performance.now();
        const job = { ...this.#job, context: { ...this.#job.context, signal: this.#limited(signal) } };
        const ended = await work(job).catch((error) => host_failureOf(error, job, this.#state));
        this.#seconds += (performance.now() - started) / 1000;
        return ended === null ? null : this.#outcome(skippedIfOffline(ended, job, this.#state));
    }
    /** Aborted when `signal` is, or when the host has no time left. Its reason says which. */
    #limited(signal) {
        const { hostTimeout } = this.#job.config;
        if (hostTimeout === 0)
            return signal;
        const left = Math.max(0, hostTimeout - this.#seconds);
        return AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(left * 1000))]);
    }
    #outcome(ending) {
        const { deployment, config } = this.#job;
        const { before, after } = this.#state;
        const nothing = { units: (0,deploy_units/* noUnits */.JE)(), others: [] };
        return { host: deployment.host, mode: config.mode, before, after, ...nothing, ...ending, seconds: this.#seconds };
    }
}
/** A target that was not reached at all may be skipped; one that was lost later may not. */
function skippedIfOffline(ending, { config, deployment, context }, { phase }) {
    if (ending.outcome !== 'unreachable' || phase !== 'probe' || config.offline === 'fail')
        return ending;
    context.log.warning(`${deployment.host} is skipped. ${ending.message}`, { host: deployment.host });
    return { ...ending, outcome: 'skipped' };
}
/** Everything after `prepare`, until something decides the outcome. */
async function activatePrepared(job, probe, state) {
    if (job.config.mode === 'dry-activate')
        return predict(job, probe, state);
    const upToDate = whyNotActivated(job, probe);
    const unready = upToDate === null ? await endedByCancel(job, () => failedChecks(job, state)) : null;
    if (unready !== null)
        return { outcome: 'refused', message: unready };
    const id = newRunId();
    await stage(job, id, state);
    if (upToDate !== null) {
        enter('replace', job, state);
        return replaceSecrets(job, id, upToDate);
    }
    enter('activate', job, state);
    return activateAndJudge(job, probe, id, state);
}
/** Brings the secrets of the host to the target, which replaces none of its own yet. */
async function stage(job, id, state) {
    const { remote, secrets, config, context } = job;
    if (secrets.length === 0)
        return;
    enter('stage', job, state);
    await endedByCancel(job, () => stageSecrets(remote, id, secrets, config, { signal: context.signal }));
}
/** Why only secrets are sent, as a sentence; null: the system is activated. */
function whyNotActivated({ deployment, config, secrets }, probe) {
    if (config.mode === 'secrets')
        return '';
    return secrets.length > 0 && isUpToDate(deployment, config, probe) ? alreadyThere(probe) : null;
}
/** A dry run: what the activation would do, and what would become of the secrets. */
async function predict(job, probe, state) {
    enter('predict', job, state);
    const upToDate = isUpToDate(job.deployment, job.config, probe);
    const ending = upToDate
        ? { outcome: 'unchanged', message: alreadyThere(probe) }
        : await activateAndJudge(job, probe, newRunId(), state);
    if (job.secrets.length === 0 || (ending.outcome !== 'planned' && ending.outcome !== 'unchanged'))
        return ending;
    const { report, problems } = await compareSecrets(job, newRunId());
    if (problems !== null)
        return { ...ending, outcome: 'refused', message: `Secrets cannot be written: ${problems}.` };
    const outcome = report.changed.length > 0 ? 'planned' : ending.outcome;
    return {
        ...ending,
        outcome,
        message: `${ending.message}${(0,secrets_report/* secretSentences */.zd)(report, job.config.mode)}`,
        secrets: report,
    };
}
/** Everything before the activation. @returns the probe if the closure is on the target and may be activated. */
async function prepare(job, state, onConnected) {
    enter('probe', job, state);
    const probe = await probeTarget(job.remote, job.context);
    onConnected();
    if (probe === null) {
        return {
            outcome: 'failed',
            message: "The target's reply is incomplete: its login shell may exit early or print other text.",
        };
    }
    state.before = probe.current;
    state.after = probe.current;
    const refusal = refusalOf(job.deployment, job.remote, probe);
    if (refusal !== null)
        return { outcome: 'refused', message: refusal };
    if (job.config.mode === 'secrets')
        return probe;
    warnOfNoReboot(job);
    const pending = job.config.reboot === 'if-needed' && mayReboot(job) && probe.needsReboot.length > 0;
    if (isUpToDate(job.deployment, job.config, probe) && !pending) {
        return job.secrets.length > 0 ? probe : { outcome: 'unchanged', message: alreadyThere(probe) };
    }
    enter('copy', job, state);
    return (await copy(job, probe)) ?? probe;
}
/** Warns of a target that is not rebooted, whatever the input says. */
function warnOfNoReboot(job) {
    const { deployment, config, context } = job;
    const { host, target, secrets } = deployment;
    if (!rebootRequested(config) || mayReboot(job))
        return;
    if (target !== null && (0,fleet/* isLocal */.IX)(target)) {
        context.log.warning(`${host} is not rebooted: it is the machine that the deployment runs on.`, { host });
    }
    else if (secrets.length > 0) {
        const next = 'Reboot it yourself, then send its secrets with `ferry secrets`.';
        context.log.warning(`${host} is not rebooted: the new system would start without its secrets. ${next}`, { host });
    }
}
/** Runs `work`, with the connection that it uses closed if the run is cancelled. */
async function endedByCancel({ remote, context }, work) {
    const disconnect = () => void remote.session.disconnect(remote.alias);
    context.signal.addEventListener('abort', disconnect, { once: true });
    try {
        return await work();
    }
    finally {
        context.signal.removeEventListener('abort', disconnect);
    }
}
/** The pre-deploy checks that the runner does itself, repeated as by morph. @returns why the system must not be activated; null: it may. */
async function failedChecks(job, state) {
    const { deployment, remote, config, context } = job;
    const { http } = deployment.preDeployChecks;
    if (http.length === 0)
        return null;
    enter('check', job, state);
    const failed = await untilPassed(http, (0,fleet/* webAddress */.Dy)(remote.target), config.healthTimeout, context.signal, 'pre-deploy check');
    context.signal.throwIfAborted();
    return failed === null ? null : `${failed.charAt(0).toUpperCase()}${failed.slice(1)}. Nothing was changed.`;
}
function enter(phase, job, state) {
    state.phase = phase;
    showProgress(job, deploy_phase/* phases */.t[phase].doing);
}
/** Null when the closure is on the target. */
async function copy(job, probe) {
    try {
        await copyClosure(job, probe, text => showProgress(job, text));
        return null;
    }
    catch (error) {
        if (job.context.signal.aborted || !(error instanceof errors/* CommandError */.Qd))
            throw error;
        return (0,failure/* copyFailure */.s)(error, job.remote.target, probe.free);
    }
}
async function activateAndJudge(job, probe, id, state) {
    const activation = await activate(job, probe, id);
    const judgement = judgeActivation(job, activation, state);
    const { there } = readWords(activation.log);
    const ending = { ...withSecrets(job, judgement, activation), units: (0,deploy_units/* readUnits */.g9)(there), others: (0,deploy_units/* otherChanges */.yz)(there) };
    return (0,deploy_outcome/* isFailure */.N6)(judgement) ? { ...ending, log: activation.log.join('\n').slice(-keptLog) } : ending;
}
/** The judgement with what became of the secrets, if the activation was finished. */
function withSecrets({ secrets, config }, judgement, { end }) {
    if (secrets.length === 0 || config.mode === 'dry-activate')
        return judgement;
    if (end.kind !== 'status' || end.status.result !== 'finished')
        return judgement;
    const report = (0,secrets_report/* reportOf */.EI)(secrets, end.status.secrets.changed, end.status.secrets.volatile);
    const outcome = judgement.outcome === 'unchanged' && report.changed.length > 0 ? 'deployed' : judgement.outcome;
    const message = `${judgement.message}${(0,secrets_report/* secretSentences */.zd)(report, config.mode)}`;
    return { outcome, message, secrets: report };
}
function judgeActivation(job, { end, log, obstacle }, state) {
    const { toplevel } = job.deployment;
    const { mode, failedUnits } = job.config;
    switch (end.kind) {
        case 'status': {
            const { status } = end;
            if (status.before.current !== null)
                state.before = status.before.current;
            state.after = status.now.current;
            return judge({ status, log, toplevel, mode, failedUnits, obstacle });
        }
        case 'not-started':
            return { outcome: 'refused', message: `The activation could not be started on the target: ${end.why}.` };
        case 'lost': {
            state.after = end.settled?.values.get('current') || null;
            return judgeLost({ reply: end.settled, toplevel, mode });
        }
        case 'unreachable': {
            state.after = null;
            return outOfReach(job, end, obstacle);
        }
    }
}
/** The target was not reached again: what is known, and what it does by itself. */
function outOfReach({ remote, config, deployment }, { error: { stderr }, rebooting }, obstacle) {
    const { doing, continuesAlone } = deploy_phase/* phases */.t[config.mode === 'dry-activate' ? 'predict' : rebooting ? 'reboot' : 'activate'];
    const why = obstacle ?? (stderr.trim().split('\n').at(-1) || 'the connection was closed');
    const lost = `The connection was lost while ${doing}, and ${remote.target.address} could not be reached again (${why})`;
    if (!continuesAlone)
        return { outcome: 'unreachable', message: `${lost}. The target was not changed.` };
    if (rebooting) {
        const then = 'Without a confirmation, it starts its previous system again, by itself or when it is reset';
        return { outcome: 'failed', message: `${lost}. ${then}.` };
    }
    const seconds = confirmationTime({ config, deployment });
    const then = config.mode === 'boot' || seconds === 0
        ? 'The target continues by itself'
        : `If the new system runs there, the target goes back by itself after ${seconds} s without a confirmation`;
    return { outcome: 'failed', message: `${lost}. ${then}.` };
}
function host_failureOf(error, { remote, context }, state) {
    const { doing, continuesAlone } = deploy_phase/* phases */.t[state.phase];
    if (context.signal.aborted) {
        const then = continuesAlone ? 'the target continues by itself.' : 'the target was not changed.';
        return { outcome: 'failed', message: `${whyAborted(context.signal)} while ${doing}; ${then}` };
    }
    if ((0,deploy_session/* isConnectionError */.Rk)(error)) {
        if (continuesAlone)
            state.after = null;
        const { publicKey, keyNames } = remote.session;
        const access = { publicKey, keyName: keyNames.get(remote.alias) ?? null };
        return (0,failure/* connectionFailure */.D)(error, remote.target, state.phase, access);
    }
    if (error instanceof gate/* GateRefusal */.I)
        return { outcome: 'refused', message: error.message };
    if (error instanceof SilentTarget)
        return { outcome: 'unreachable', message: `${error.message}.` };
    const why = error instanceof errors/* CommandError */.Qd ? lastLines(error) : (0,errors/* explain */.WE)(error);
    return { outcome: 'failed', message: `Failed while ${doing}: ${why}` };
}
function lastLines(error) {
    const lines = error.stderr.trim().split('\n').slice(-4).join('\n');
    return error.failure.kind !== 'exit' || lines === '' ? error.message : lines;
}

;// CONCATENATED MODULE: ./src/deploy/key.ts

/**
 * The text of a deploy key as OpenSSH accepts it. Repairs what copying and pasting breaks: CRLF, a missing final newline,
 * indentation, newlines that became spaces.
 *
 * @throws UserError that says what the text is, if it is not an unencrypted private key.
 */
function readDeployKey(text) {
    const plain = text.replaceAll('\r', '').trim();
    if (plain === '')
        throw wrong('is empty', 'In a workflow, a secret that is not set is empty: check that it exists for this environment.');
    if (/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/.test(plain) || plain.includes('BEGIN SSH2 PUBLIC KEY')) {
        throw wrong('is a public key', 'Give the private key: the file without `.pub`.');
    }
    if (plain.startsWith('PuTTY-User-Key-File')) {
        throw wrong("is in PuTTY's format", 'Convert it: `puttygen key.ppk -O private-openssh -o deploy-key`.');
    }
    const found = /^-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\s+([\s\S]*?)(?:\s*)-----END \1-----$/.exec(plain);
    if (found === null) {
        if (plain.includes('PRIVATE KEY-----')) {
            throw wrong('is incomplete', 'Give all of it, from the line `-----BEGIN …` to the line `-----END …`.');
        }
        throw wrong('is not a private key', 'It begins with a line like `-----BEGIN OPENSSH PRIVATE KEY-----`.');
    }
    const [, label = '', body = ''] = found;
    if (label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(body))
        throw encrypted();
    // The old PEM format may have header lines; only a body that is all base64 can be joined and wrapped again.
    const lines = /^[A-Za-z0-9+/=\s]+$/.test(body)
        ? fold(body.replaceAll(/\s/g, ''))
        : body.split('\n').map(line => line.trim());
    if (label === 'OPENSSH PRIVATE KEY' && cipher(lines.join('')) !== 'none')
        throw encrypted();
    return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
function fold(base64) {
    return base64.match(/.{1,70}/g) ?? [];
}
/** The name of the cipher in OpenSSH's own format (PROTOCOL.key in its source): a string after a magic of 15 bytes. */
function cipher(base64) {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length < 19 || bytes.toString('latin1', 0, 14) !== 'openssh-key-v1') {
        throw wrong('is damaged', 'Its first bytes are not those of an OpenSSH key: give the unchanged text of the file.');
    }
    return bytes.toString('latin1', 19, 19 + bytes.readUInt32BE(15));
}
function encrypted() {
    return wrong('is protected by a passphrase', 'Create a separate key for deployments: `ssh-keygen -t ed25519 -N "" -f deploy-key`, and authorize its public key on the targets.');
}
function wrong(what, cure) {
    return new errors/* UserError */.yo(`The deploy key ${what}.`, { where: { input: 'deploy-key' }, cure });
}

// EXTERNAL MODULE: ./src/deploy/known-hosts.ts
var known_hosts = __webpack_require__(70014);
// EXTERNAL MODULE: external "node:fs/promises"
var external_node_fs_promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/archive/index.ts + 12 modules
var archive = __webpack_require__(14624);
// EXTERNAL MODULE: ./src/nix/pack.ts
var pack = __webpack_require__(91702);
// EXTERNAL MODULE: ./src/nix/sign.ts
var sign = __webpack_require__(19178);
;// CONCATENATED MODULE: ./src/deploy/secrets/signed-contents.ts

/**
 * The digest by which a signed order says which contents a target may get, as target/gate/root.sh computes it.
 *
 * @returns `sha256:` and 64 digits; null if no content is known.
 */
function contentsDigest(secrets) {
    const lines = secrets.flatMap(({ content }, index) => content === null ? [] : [`${index + 1}.content ${content.sha256()}\n`]);
    return lines.length === 0 ? null : `sha256:${(0,external_node_crypto_.createHash)('sha256').update(lines.join('')).digest('hex')}`;
}

;// CONCATENATED MODULE: ./src/deploy/order.ts












/**
 * Signs the closures that were built, in the local store. What comes from an archive has been signed there.
 *
 * @throws UserError if this machine's Nix does not let its user add signatures, and a gate needs them.
 */
async function signBuilt(deployments, { signingKey, mode }, nix, context) {
    const built = deployments.filter(({ archive }) => archive === null);
    // Secrets are sent without a system, which may not even be built.
    if (signingKey === null || mode === 'secrets' || built.length === 0)
        return;
    context.log.secret(signingKey.trim());
    // Checks the key.
    await (0,sign/* publicKeyOf */.kc)(signingKey, nix);
    try {
        await (0,sign/* signClosures */.o_)([...new Set(built.map(({ toplevel }) => toplevel))], signingKey, nix, context);
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || !/not privileged|not trusted|permission/i.test(error.stderr))
            throw error;
        if (!built.some(({ target }) => target !== null && (0,gate/* throughGate */.zj)(target))) {
            context.log.debug("The closures are not signed: this machine's Nix does not let its user add signatures.");
            return;
        }
        throw new errors/* UserError */.yo("The closures cannot be signed: this machine's Nix does not let its user add signatures.", {
            where: { input: 'signing-key' },
            cure: "Add the user to this machine's `trusted-users`, or deploy signed archives with `from`.",
            cause: error,
        });
    }
}
/**
 * The orders for hosts whose gate accepts only signed systems.
 *
 * @param secrets by host. Archives have none.
 * @returns by host.
 * @throws UserError if an archive is not signed, or if there is no signing key.
 */
async function signedOrders(deployments, { signingKey }, secrets, nix, context) {
    const orders = new Map();
    const unsigned = [];
    for (const deployment of deployments) {
        const { host, archive } = deployment;
        if (archive === null)
            unsigned.push(deployment);
        else
            orders.set(host, await orderOfArchive(host, archive, nix));
    }
    if (unsigned.length === 0)
        return orders;
    if (signingKey === null)
        throw missingSigningKey(unsigned.map(({ host }) => host));
    context.log.secret(signingKey.trim());
    for (const deployment of unsigned) {
        const { host } = deployment;
        orders.set(host, await makeOrder(deployment, secrets.get(host) ?? [], signingKey, nix, context));
    }
    return orders;
}
/**
 * Checks, before anything is built, what a gate does not accept.
 *
 * @throws UserError
 */
function checkGates(hosts, { signingKey }) {
    const gated = hosts.filter(({ target }) => target !== null && (0,gate/* throughGate */.zj)(target));
    const unsigned = gated.filter(({ archive = null }) => archive === null).map(({ host }) => host);
    if (signingKey === null && unsigned.length > 0)
        throw missingSigningKey(unsigned);
}
/** The error for hosts whose gate accepts only signed systems. */
function missingSigningKey(hosts) {
    return new errors/* UserError */.yo(`The gate of ${hosts.join(', ')} accepts only signed systems, and there is no \`signing-key\`.`, {
        where: { input: 'signing-key' },
        cure: 'Make a key with `nix key generate-secret --key-name my-fleet-1 > secret` and keep it as a secret of the GitHub environment that deploys. ' +
            'Its public half (`nix key convert-secret-to-public < secret`) belongs in `services.nix-ferry.gate.signingKeys` of the hosts.',
    });
}
/** Writes and signs the order for a host. @param secrets their contents, as far as they are known */
async function makeOrder(deployment, secrets, signingKey, nix, context) {
    const directory = await (0,external_node_fs_promises_.mkdtemp)((0,external_node_path_.join)(context.scratch, 'order-'));
    try {
        await (0,external_node_fs_promises_.writeFile)((0,external_node_path_.join)(directory, 'manifest.json'), orderText(deployment, contentsDigest(secrets)));
        await (0,archive/* enterManifest */.mu)(directory, signingKey, nix, context);
        const [entry = ''] = (await (0,external_node_fs_promises_.readdir)(directory)).filter(name => name.endsWith('.narinfo'));
        return (await readOrder(directory, entry));
    }
    finally {
        await (0,external_node_fs_promises_.rm)(directory, { recursive: true, force: true });
    }
}
/** One field a line, as in a manifest. */
function orderText(deployment, contents) {
    const { host, toplevel, origin } = deployment;
    const { commit, repository, branch, committed } = origin;
    const checks = digestOf((0,gate/* checkLines */.Wb)(checksOf(deployment)));
    const secrets = digestOf((0,deploy_values/* fieldLines */.AI)(secretFields(deployment.secrets)));
    const origins = { commit, repository, branch, committed };
    const fields = Object.entries({ version: 1, host, toplevel, ...origins, checks, secrets, contents });
    return `{\n${fields.map(([key, value]) => ` ${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(',\n')}\n}\n`;
}
function digestOf(text) {
    return text === '' ? null : `sha256:${(0,external_node_crypto_.createHash)('sha256').update(text).digest('hex')}`;
}
async function orderOfArchive(host, directory, nix) {
    const order = await readOrder(directory, (0,pack/* narInfoName */.Dt)(await (0,archive/* manifestPath */.ji)(directory, host, nix)));
    if (order === null) {
        throw new errors/* UserError */.yo(`The archive of ${host} is not signed, and the gate of its target accepts only signed systems.`, {
            where: { host },
            cure: 'Build it with `signing-key`.',
        });
    }
    return order;
}
/** Null if it is not signed. */
async function readOrder(directory, entry) {
    const text = await (0,external_node_fs_promises_.readFile)((0,external_node_path_.join)(directory, entry), 'utf8');
    const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
    if (field('Sig') === '')
        return null;
    const nar = await (0,external_node_fs_promises_.readFile)((0,external_node_path_.join)(directory, field('URL')));
    return {
        path: field('StorePath'),
        hash: field('NarHash'),
        size: Number(field('NarSize')),
        signature: field('Sig'),
        nar: nar.toString('base64'),
    };
}

// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
;// CONCATENATED MODULE: ./src/deploy/rollout.ts



/** The wave of the hosts that no other wave has. */
const rest = '@rest';
/**
 * The hosts in the order of the roll-out: the canary, then the waves. A host belongs to the first wave whose tag it has;
 * those with none of the tags are in the wave `@rest`, which is the last one if it is not written.
 */
function wavesOf(items, { canary, waves }) {
    const ordered = byTags(items, waves);
    const inOrder = ordered.flatMap(wave => wave.items);
    const size = canary === null ? 0 : 'hosts' in canary ? canary.hosts : Math.ceil(inOrder.length * canary.part);
    const first = new Set(inOrder.slice(0, size));
    const later = ordered.map(wave => ({ ...wave, items: wave.items.filter(item => !first.has(item)) }));
    const all = [{ name: 'the canary', items: [...first], decides: 'failed' }, ...later].filter(({ items }) => items.length > 0);
    return all.map((wave, index) => ({ ...wave, decides: index < all.length - 1 ? wave.decides : null }));
}
function byTags(items, waves) {
    const tags = waves.includes(rest) ? waves : [...waves, rest];
    const left = new Set(items);
    const tagged = new Map();
    const take = (tag, wanted) => {
        const taken = [...left].filter(wanted);
        for (const item of taken)
            left.delete(item);
        tagged.set(tag, taken);
    };
    for (const tag of tags)
        if (tag !== rest)
            take(tag, item => item.tags.includes(tag));
    take(rest, () => true);
    return tags.map(tag => ({
        name: tag === rest ? 'the other hosts' : `the wave \`${tag}\``,
        items: tagged.get(tag) ?? [],
        decides: waves.length > 0 ? 'counted' : null,
    }));
}
/** @throws UserError for a wave without a host, which most likely is a tag that is written wrongly. */
function checkWaves(items, waves) {
    const tags = new Set(items.flatMap(item => item.tags));
    const unknown = waves.find(wave => wave !== rest && !tags.has(wave));
    if (unknown === undefined)
        return;
    const known = [...tags].sort().join(', ');
    throw new errors/* UserError */.yo(`No host has the tag '${unknown}'.`, {
        where: { input: 'waves' },
        cure: known === '' ? 'No host has a tag.' : `Tags of the hosts: ${known}.`,
    });
}
/** Milliseconds after which a target that does not answer no longer holds up the ones after it. */
const patience = 5_000;
/**
 * Deploys to the hosts. At most `parallel` are activated at once; as many of the next ones, in later waves too, are prepared
 * meanwhile. A failed host does not stop the others, except as `canary`, `waves` and `maxFailures` say. An activation that
 * has begun is always finished.
 *
 * @param signal when aborted, no further host is started.
 * @returns the outcomes, in the order of the roll-out.
 */
async function rollOut(items, config, work, signal) {
    const rollOut = new RollOut(config, work, signal);
    let earlier = Promise.resolve();
    const waves = wavesOf(items, config).map(wave => {
        const ended = rollOut.wave(wave, earlier);
        earlier = ended;
        return ended;
    });
    return (await Promise.all(waves)).flat();
}
class RollOut {
    #maxFailures;
    #work;
    #signal;
    #prepared;
    #active;
    /** The hosts that count towards `maxFailures`. */
    #counted = [];
    /** Why no further host is started, once that is so. */
    #stopped = null;
    constructor({ parallel, maxFailures }, work, signal) {
        this.#maxFailures = maxFailures;
        this.#work = work;
        this.#signal = signal;
        this.#prepared = new concurrency/* Slots */.W(parallel);
        this.#active = new concurrency/* Slots */.W(parallel);
    }
    /** @param earlier ends when the waves before it have ended. */
    async wave({ items, decides, name }, earlier) {
        const heldBack = new AbortController();
        const begins = earlier.then(() => {
            const why = this.#whyNot;
            if (why !== null)
                heldBack.abort();
            return why;
        });
        const failed = [];
        const ended = await Promise.all(items.map(async (item) => {
            const outcome = await this.#host(item, begins, heldBack.signal);
            const counts = deploy_outcome/* outcomes */.KI[outcome.outcome].countsTowardsMaxFailures;
            if (decides === 'counted' ? counts : (0,deploy_outcome/* isFailure */.N6)(outcome))
                failed.push(item.host);
            this.#work.ended(outcome);
            return outcome;
        }));
        if (decides !== null && failed.length > 0)
            this.#stopped ??= `Not started: ${failed.join(', ')} of ${name} failed.`;
        return ended;
    }
    get #whyNot() {
        return this.#signal.aborted ? 'The run was cancelled before this host was started.' : this.#stopped;
    }
    #count(outcome) {
        if (!deploy_outcome/* outcomes */.KI[outcome.outcome].countsTowardsMaxFailures)
            return outcome;
        this.#counted.push(outcome.host);
        if (this.#counted.length > this.#maxFailures) {
            this.#stopped = `Not started: ${this.#counted.join(', ')} failed, and max-failures is ${this.#maxFailures}.`;
        }
        return outcome;
    }
    async #host(item, begins, heldBack) {
        const free = await this.#prepared.take();
        try {
            if (this.#whyNot !== null)
                return this.#work.skip(item, this.#whyNot);
            const ended = await this.#prepare(item, heldBack, free);
            const why = await begins;
            // What happened to a host of a wave that does not begin does not count.
            if (why !== null)
                return this.#work.skip(item, why);
            return ended === null ? await this.#activate(item, free) : this.#count(ended);
        }
        finally {
            free();
        }
    }
    async #prepare(item, heldBack, free) {
        const slow = setTimeout(free, patience);
        try {
            return await this.#work.prepare(item, heldBack, () => clearTimeout(slow));
        }
        finally {
            clearTimeout(slow);
        }
    }
    async #activate(item, free) {
        const end = await this.#active.take();
        free();
        try {
            if (this.#whyNot !== null)
                return this.#work.skip(item, this.#whyNot);
            // Before the place is free for the next host.
            return this.#count(await this.#work.activate(item));
        }
        finally {
            end();
        }
    }
}

// EXTERNAL MODULE: ./src/deploy/secrets/read.ts + 1 modules
var read = __webpack_require__(36233);
// EXTERNAL MODULE: ./src/deploy/ssh-config.ts + 1 modules
var ssh_config = __webpack_require__(1913);
// EXTERNAL MODULE: ./src/plan/index.ts + 28 modules
var plan = __webpack_require__(78223);
;// CONCATENATED MODULE: ./src/deploy/deployments.ts


/** The deployments of the hosts that were built from a source. */
function deploymentsOfBuilt(built, origin) {
    return built.flatMap(one => {
        if (!one.ok)
            return [];
        const { name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides } = one.host;
        const settings = { host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides };
        return [
            {
                ...settings,
                toplevel: one.toplevel,
                origin,
                closure: { from: 'store' },
                archive: null,
                closureBytes: one.closureBytes,
            },
        ];
    });
}
/** The deployments that send only secrets, which need no build. */
function deploymentsOfPlan(hosts, origin) {
    return hosts.map(({ name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides, toplevel }) => ({
        ...{ host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides, origin },
        toplevel: toplevel.outPath,
        closure: { from: 'store' },
        archive: null,
        closureBytes: null,
    }));
}
/**
 * The deployments of existing archives, which contain no targets, tags, checks and secrets.
 *
 * @param targets the input of that name: the only source of these, except secrets.
 */
function deploymentsOfArchives(archives, targets) {
    return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => {
        const settings = host in targets ? (0,plan/* parseTargetSettings */.ae)(targets[host], `targets.${host}`) : {};
        return {
            ...{ host, system, toplevel, closureBytes },
            origin: originOf(manifest),
            target: (0,plan/* targetOf */.$r)(settings),
            closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
            archive: directory,
            ...{ buildOnly: false, tags: settings.tags ?? [], overrides: (0,plan/* overridesOf */.FB)(settings) },
            healthChecks: { cmd: [], http: [], ...settings.healthChecks },
            preDeployChecks: { cmd: [], http: [], ...settings.preDeployChecks },
            secrets: [],
        };
    });
}
function originOf({ commit, repository, branch, committed }) {
    return { commit, repository, branch: branch ?? null, committed: committed ?? null };
}
/** The outcomes of the hosts whose build failed: nothing was deployed to their targets. */
function outcomesOfUnbuilt(built, mode) {
    const message = 'It was not built; the target was not changed.';
    return built.flatMap(one => (one.ok ? [] : [(0,deploy_outcome/* skipped */.hT)(one.host.name, mode, message)]));
}

// EXTERNAL MODULE: ./src/deploy/secrets/check.ts
var check = __webpack_require__(853);
;// CONCATENATED MODULE: ./src/deploy/index.ts

















/**
 * Checks the deploy key and the pinned host keys before anything else happens.
 *
 * @throws UserError as `deploy` would, but earlier.
 */
function checkKeys({ mode, deployKey, knownHosts }) {
    if (mode === 'none')
        return;
    if (deployKey !== null)
        readDeployKey(deployKey);
    if (knownHosts !== null)
        (0,known_hosts/* readKnownHosts */.DC)(knownHosts);
}
/**
 * Checks, before anything is evaluated, that host keys are pinned for the targets that the input `targets` names.
 *
 * @throws UserError as `checkTargets` would, but earlier.
 */
function checkKnownHosts({ mode, deployKey, knownHosts, ownSsh }, targets) {
    if (mode === 'none' || knownHosts !== null || ownSsh || asksNobody(mode, deployKey))
        return;
    const remote = targets.filter(target => !(0,fleet/* isLocal */.IX)(target));
    if (remote.length > 0)
        throw (0,known_hosts/* missingKnownHosts */.Z8)(remote);
}
/** Without a key, a preview knows no target that it can ask: in a run for a fork, for example. */
function asksNobody(mode, deployKey) {
    return mode === 'preview' && deployKey === null;
}
/**
 * Checks, before anything is built, that there is a target to deploy to, that no two hosts have the same one, and that host
 * keys are pinned.
 *
 * @throws UserError as `deploy` would, but earlier.
 */
function checkTargets({ mode, deployKey, signingKey, knownHosts, waves, ownSsh }, hosts) {
    if (mode === 'none' || hosts.every(({ buildOnly }) => buildOnly))
        return;
    // A preview asks those targets that it can.
    if (mode === 'preview') {
        const targets = hosts.flatMap(({ target }) => target ?? []);
        checkKnownHosts({ mode, deployKey, knownHosts, ownSsh }, targets);
        return;
    }
    const problems = hosts.flatMap(({ unusable }) => unusable ?? []);
    if (problems.length > 0) {
        throw new errors/* UserError */.yo([...new Set(problems)].join(' '), {
            where: { input: 'targets' },
            cure: 'Set it in `targets`, or leave these hosts out with `hosts`.',
        });
    }
    const targets = hosts.flatMap(({ target, buildOnly, host }) => target === null || buildOnly ? [] : [{ target, host }]);
    const remote = targets.filter(({ target }) => !(0,fleet/* isLocal */.IX)(target));
    if (targets.length === 0) {
        throw new errors/* UserError */.yo(`mode is \`${mode}\`, but no host has a target.`, {
            where: { input: 'targets' },
            cure: 'Write `host: user@address` for each host in `targets`, or use `mode: none`.',
        });
    }
    if (knownHosts === null && !ownSsh && remote.length > 0)
        throw (0,known_hosts/* missingKnownHosts */.Z8)(remote.map(({ target }) => target));
    (0,ssh_config/* checkSshTargets */.vw)(remote);
    checkGates(hosts.filter(({ buildOnly }) => !buildOnly), { signingKey });
    checkDistinct(hosts);
    checkWaves(hosts, waves);
}
/**
 * Copies each closure to its target and activates it, several hosts at a time. A failed host does not stop the others,
 * except as `canary`, `waves` and `maxFailures` say.
 *
 * @returns one outcome for each deployment, in the same order.
 * @throws UserError before anything is changed: two hosts with the same target, no pinned host keys, an invalid key, an
 * address that ssh does not accept, a secret that cannot be read.
 */
async function deploy(deployments, config, nix, context) {
    const idle = new Map(deployments.map(each => [each.host, whySkipped(each, config.mode)]));
    const done = [...idle].flatMap(([host, why]) => (why === null ? [] : [(0,deploy_outcome/* skipped */.hT)(host, config.mode, why)]));
    const active = aliasTargets(deployments.filter(({ host }) => idle.get(host) === null));
    if (active.length > 0) {
        checkDistinct(deployments);
        const secrets = await (0,read/* readSecrets */.Z)(active.map(({ deployment }) => deployment), config, context);
        const remote = active.filter(({ target }) => !(0,fleet/* isLocal */.IX)(target));
        const gated = remote.filter(({ target }) => (0,gate/* throughGate */.zj)(target)).map(({ deployment }) => deployment);
        checkGates(gated, config);
        await signBuilt(remote.map(({ deployment }) => deployment), config, nix, context);
        const orders = await signedOrders(gated, config, secrets, nix, context);
        const local = (0,deploy_session/* localSession */.qA)(context);
        const session = remote.length === 0 ? local : await openTargets(remote, config, context);
        try {
            const withSecrets = active.map(each => ({
                ...each,
                secrets: secrets.get(each.host) ?? [],
                order: orders.get(each.host) ?? null,
            }));
            const sessionOf = (target) => ((0,fleet/* isLocal */.IX)(target) ? local : session);
            done.push(...(await deployAll(withSecrets, sessionOf, config, nix, context)));
        }
        finally {
            await session.close();
        }
    }
    const order = new Map(deployments.map(({ host }, index) => [host, index]));
    return done.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
}
/** Why nothing is done on a target for this host; null when something is. */
function whySkipped({ buildOnly, target, secrets }, mode) {
    if (mode === 'none')
        return 'The mode is `none`.';
    if (buildOnly)
        return 'The source says that this host is only built.';
    if (target === null)
        return 'It has no target.';
    return mode === 'secrets' && secrets.length === 0 ? 'It has no secrets.' : null;
}
/** The hosts that have a target. */
function aliasTargets(deployments) {
    return deployments.flatMap((deployment, index) => {
        const { host, target } = deployment;
        if (target === null)
            return [];
        return [{ alias: `target-${index}`, host, target: (0,fleet/* isLocal */.IX)(target) ? asThisUser(target) : target, deployment }];
    });
}
/** Without SSH, commands are run by the user of this process. */
function asThisUser(target) {
    return { ...target, user: (0,external_node_os_.userInfo)().username };
}
/**
 * Opens the session of all targets that are reached over SSH.
 *
 * @throws UserError for missing host keys, an invalid key, or an address that ssh does not accept.
 */
async function openTargets(hosts, config, context) {
    if (!(config.parallel >= 1)) {
        throw new errors/* UserError */.yo(`parallel is ${config.parallel}.`, { where: { input: 'parallel' }, cure: 'Write 1 or more.' });
    }
    if (config.knownHosts === null && !config.ownSsh)
        throw (0,known_hosts/* missingKnownHosts */.Z8)(hosts.map(({ target }) => target));
    const knownHosts = config.knownHosts === null ? null : (0,known_hosts/* readKnownHosts */.DC)(config.knownHosts);
    let key = null;
    if (config.deployKey !== null) {
        context.log.secret(config.deployKey);
        key = readDeployKey(config.deployKey);
        context.log.secret(key);
    }
    return (0,deploy_session/* openSession */.fA)(hosts, key, knownHosts, context);
}
function deployAll(hosts, sessionOf, config, nix, context) {
    const show = (host, state, text) => context.progress({ host, stage: 'deploy', state, text });
    for (const { host } of hosts)
        show(host, 'waiting', '');
    const rolled = hosts.map(each => ({ ...each, tags: each.deployment.tags }));
    const begun = new Map();
    const work = {
        async prepare({ deployment, alias, host, target, secrets, order }, heldBack, onConnected) {
            const remote = { alias, host, target, session: sessionOf(target), order };
            const own = { ...config, ...deployment.overrides };
            const begins = new HostDeployment({ deployment, remote, config: own, secrets, nix, context });
            begun.set(host, begins);
            const outcome = await begins.prepare(heldBack, onConnected);
            if (outcome === null)
                show(host, 'waiting', 'ready to be activated');
            return outcome;
        },
        activate: ({ host }) => begun.get(host).activate(),
        skip: ({ host }, why) => (0,deploy_outcome/* skipped */.hT)(host, config.mode, why),
        ended: outcome => show(outcome.host, (0,deploy_outcome/* isFailure */.N6)(outcome) ? 'failed' : 'done', `${outcome.outcome}: ${outcome.message}`),
    };
    const cancelled = () => context.log.info('Cancelled: no further host is started; activations that have begun are completed.');
    context.signal.addEventListener('abort', cancelled, { once: true });
    return rollOut(rolled, config, work, context.signal).finally(() => context.signal.removeEventListener('abort', cancelled));
}


/***/ }),

/***/ 70014:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DC: () => (/* binding */ readKnownHosts),
/* harmony export */   Z8: () => (/* binding */ missingKnownHosts),
/* harmony export */   hs: () => (/* binding */ checkHostKeys),
/* harmony export */   tc: () => (/* binding */ hostKeyName)
/* harmony export */ });
/* unused harmony export howToPin */
/* harmony import */ var _concurrency_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(81532);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);


/**
 * Checks the text of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 *
 * @returns the text with Unix line ends.
 * @throws UserError that names the first line without a host key.
 */
function readKnownHosts(text) {
    const lines = text
        .replaceAll('\r', '')
        .split('\n')
        .map(line => line.trim());
    const entries = lines.filter(line => line !== '' && !line.startsWith('#'));
    if (entries.length === 0)
        throw wrong('contains no host key', '');
    for (const [index, line] of lines.entries()) {
        if (line === '' || line.startsWith('#'))
            continue;
        const words = line.split(/\s+/);
        if (words[0] === '@cert-authority' || words[0] === '@revoked')
            words.shift();
        const [hosts = '', type = '', key = ''] = words;
        if (isKeyType(hosts) && /^AAAA/.test(type)) {
            throw wrong(`has a key without its host in line ${index + 1}`, `Put the target's address in front of it: \`<address> ${hosts} …\`. `);
        }
        if (!isKeyType(type) || !namesItself(type, key)) {
            throw wrong(`has no host key in line ${index + 1} ("${line.slice(0, 40)}")`, '');
        }
    }
    return `${lines.join('\n').trim()}\n`;
}
function isKeyType(word) {
    return /^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+$/.test(word);
}
/** Whether a key's data begins with its type, as it must (RFC 4253, 6.6). */
function namesItself(type, key) {
    const blob = Buffer.from(key, 'base64');
    return blob.length > 4 + type.length && blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) === type;
}
/** The error of a run that would have to trust any host key. */
function missingKnownHosts(targets) {
    return new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo('No host keys are pinned, so Nix Ferry cannot verify that it connects to the right machines.', {
        where: { input: 'known-hosts' },
        cure: howToPin(targets),
    });
}
/**
 * Checks that each target has a pinned key, under the name, alias and port that ssh itself looks for.
 *
 * @param config ssh's configuration file.
 * @throws UserError that names all targets without one.
 */
async function checkHostKeys(targets, config, knownHosts, query) {
    const missing = await (0,_concurrency_js__WEBPACK_IMPORTED_MODULE_1__/* .mapConcurrently */ .X)(targets, 8, async (aliased) => {
        const name = hostKeyName(await settings(aliased, config, query)) ?? aliased.target.address;
        const { code } = await query('ssh-keygen', ['-F', name, '-f', knownHosts], { allow: [0, 1] });
        return code === 0 ? [] : [{ ...aliased, name }];
    });
    const unpinned = missing.flat();
    if (unpinned.length === 0)
        return;
    const names = unpinned.map(({ host, name }) => (host === name ? host : `${host} (${name})`)).join(', ');
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`No host key is pinned for ${names}.`, {
        where: { input: 'known-hosts' },
        cure: howToPin(unpinned.map(({ target }) => target)),
    });
}
/** The name under which ssh looks for a host key, from what `ssh -G` printed; null if that names no host. */
function hostKeyName(printed) {
    const setting = (key) => new RegExp(`^${key} (.*)$`, 'm').exec(printed)?.[1];
    const [port = '22', address] = [setting('port'), setting('hostname')];
    if (address === undefined)
        return setting('hostkeyalias') ?? null;
    return setting('hostkeyalias') ?? (port === '22' ? address : `[${address}]:${port}`);
}
/** The options that ssh will use for a target: lines of a key and a value. */
async function settings({ alias, host, target }, config, query) {
    try {
        return (await query('ssh', ['-F', config, '-G', alias])).stdout;
    }
    catch (error) {
        if (!(error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd) || error.code !== 255)
            throw error;
        const printed = error.stderr.trim().replaceAll(`${config}: `, '').replaceAll(`${config} `, '');
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`Host ${host}: SSH does not accept its options (${target.sshOptions.join(' ')}): ${printed}`, {
            where: { host, input: 'targets' },
            cure: 'Write options as `-o Key=value`, with the names and values of ssh_config(5).',
            cause: error,
        });
    }
}
/** Explains how to get the lines for `targets`. */
function howToPin(targets) {
    const scans = targets.slice(0, 3).map(scan);
    const more = targets.length > scans.length ? ', …' : '';
    return (`Run ${scans.join(', ')}${more} from a network you trust, compare the fingerprint (\`ssh-keygen -lf -\`) with what the ` +
        'machine itself says (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), and write the lines into `known-hosts`.');
}
function scan(target) {
    return `\`ssh-keyscan -t ed25519 ${target.port === null || target.port === 22 ? '' : `-p ${target.port} `}${target.address}\``;
}
function wrong(what, cure) {
    return new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`The known-hosts text ${what}.`, {
        where: { input: 'known-hosts' },
        cure: `${cure}Write each line as \`ssh-keyscan -t ed25519 <address>\` prints it: address, key type, key.`,
    });
}


/***/ }),

/***/ 54696:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   t: () => (/* binding */ phases)
/* harmony export */ });
/** The phases of a host's deployment on the runner's side, in order; a dry run has `predict` in place of `activate`,
 * and a run that takes a reboot has `reboot`. */
const phases = {
    probe: { doing: 'connecting to the target', continuesAlone: false },
    copy: { doing: 'copying the closure', continuesAlone: false },
    check: { doing: 'running the pre-deploy checks', continuesAlone: false },
    stage: { doing: 'bringing the secrets to the target', continuesAlone: false },
    replace: { doing: 'replacing the secrets', continuesAlone: true },
    predict: { doing: 'checking what would change', continuesAlone: false },
    activate: { doing: 'activating', continuesAlone: true },
    reboot: { doing: 'rebooting', continuesAlone: true },
};


/***/ }),

/***/ 61361:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   B4: () => (/* binding */ escalationOf),
/* harmony export */   T1: () => (/* binding */ call),
/* harmony export */   hD: () => (/* binding */ quote)
/* harmony export */ });
/* harmony import */ var _activation_script_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(28299);
/* harmony import */ var _gate_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(97772);
/* harmony import */ var _reply_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(50847);



let script;
/**
 * Calls a verb of the activation script on a target; `target/activation/main.sh` lists them. The script is sent over
 * standard input, except to a gate, which has its own.
 *
 * @throws CommandError when the connection or the script fails.
 * @throws GateRefusal
 */
async function call(remote, verb, args, { privileged = false, fresh = false, onLog, onPhase, onStdout, ...options } = {}) {
    const { command, input } = (0,_gate_js__WEBPACK_IMPORTED_MODULE_1__/* .throughGate */ .zj)(remote.target)
        ? (0,_gate_js__WEBPACK_IMPORTED_MODULE_1__/* .gateRequest */ .tV)(verb, args, remote.order)
        : scriptCall(remote.target, verb, args, privileged);
    const { reply, read } = (0,_reply_js__WEBPACK_IMPORTED_MODULE_2__/* .replyReader */ .w)({ onLog, onPhase });
    const onLine = (line) => {
        onStdout?.(line);
        read(line);
    };
    const more = { ...options, fresh, onStdout: onLine, input };
    try {
        await remote.session.ssh(remote.alias, command, more);
    }
    catch (error) {
        throw (0,_gate_js__WEBPACK_IMPORTED_MODULE_1__/* .explainRefusal */ .GC)(error, remote.target);
    }
    return reply;
}
function scriptCall(target, verb, args, privileged) {
    script ??= (0,_activation_script_js__WEBPACK_IMPORTED_MODULE_0__/* .activationScript */ .s)();
    const escalation = privileged ? escalationOf(target) : [];
    const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
    return { command: words.map(quote).join(' '), input: script };
}
/** The words to put before a command that needs root. */
function escalationOf(target) {
    return target.user === 'root' ? [] : target.privilegeEscalation;
}
/** Quotes a word for any login shell: single quotes mean the same in sh, fish and csh. */
function quote(word) {
    if (/^[A-Za-z0-9_./:@%+,-]+$/.test(word))
        return word;
    return `'${word.replaceAll("'", "'\"'\"'")}'`;
}


/***/ }),

/***/ 50847:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   w: () => (/* binding */ replyReader),
/* harmony export */   y: () => (/* binding */ mostKept)
/* harmony export */ });
/**
 * The most that is kept of what a target prints, whatever it is: lines of a log, values, and characters of each. The longest
 * honest values are lists of units.
 */
const mostKept = { lines: 20_000, values: 200, characters: 64 * 1024 };
/** Collects a reply from lines of standard output. */
function replyReader({ onLog, onPhase } = {}) {
    const reply = { values: new Map(), log: [] };
    const read = (line) => {
        if (line.startsWith(': ')) {
            const text = line.slice(2, 2 + mostKept.characters);
            if (reply.log.length < mostKept.lines)
                reply.log.push(text);
            onLog?.(text);
            return;
        }
        // A target may print a greeting in every session. It contains no known key.
        const at = line.indexOf('=');
        if (at <= 0)
            return;
        const [key, value] = [line.slice(0, at), line.slice(at + 1, at + 1 + mostKept.characters)];
        if (!/^[a-z][a-z0-9.-]{0,60}$/.test(key))
            return;
        if (!reply.values.has(key) && reply.values.size >= mostKept.values)
            return;
        // A status has a key of that name too.
        if (key === 'phase' && !reply.values.has('result'))
            onPhase?.(value);
        reply.values.set(key, value);
    };
    return { reply, read };
}


/***/ }),

/***/ 853:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $W: () => (/* binding */ wrongSecrets),
/* harmony export */   KK: () => (/* binding */ checkSecrets),
/* harmony export */   Um: () => (/* binding */ reads)
/* harmony export */ });
/* unused harmony export variableOf */
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);

/** The variable of the environment that holds the secret which a source calls `name`. */
function variableOf(name) {
    return `FERRY_SECRET_${name}`;
}
/** Whether a mode has to do with secrets of targets. A preview compares those that it can read. */
function sends(mode) {
    return mode !== 'none' && mode !== 'preview';
}
/**
 * Whether this run reads this source. A run for a pull request, or any other event that may run a stranger's code, reads none.
 * Commands are only run for what is then deployed.
 */
function reads({ mode, ownCode }, source) {
    if (mode === 'none' || !ownCode)
        return false;
    return (mode !== 'dry-activate' && mode !== 'preview') || !('command' in source);
}
/**
 * Checks, before anything is built, all secrets that are to be sent.
 *
 * @throws UserError that names everything that is wrong.
 */
function checkSecrets(hosts, reading) {
    const sent = hosts.filter(({ target, buildOnly, secrets }) => target !== null && !buildOnly && secrets.length > 0);
    if (!sends(reading.mode) || sent.length === 0)
        return;
    if (!reading.ownCode && reading.mode !== 'dry-activate') {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`These hosts have secrets, which a run for this event does not read: ${sent.map(({ host }) => host).join(', ')}.`, { cure: 'Deploy them for a push to a branch, or leave them out with `hosts`.' });
    }
    const problems = sent.flatMap(each => problemsOf(each, reading));
    if (problems.length > 0)
        throw wrongSecrets(problems);
}
/** The one error for all that is wrong with secrets. */
function wrongSecrets(problems) {
    const text = problems.map(problem => `\n  ${problem}`).join('');
    return new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`Secrets cannot be sent, and nothing was changed:${text}.`, {
        where: { input: 'source' },
        cure: 'The section "Secrets" of the README says what a secret needs.',
    });
}
function problemsOf({ host, secrets }, reading) {
    const destinations = secrets.map(({ destination }) => destination);
    return secrets.flatMap((secret, index) => {
        const twice = destinations.indexOf(secret.destination) < index ? ['another secret has the same destination'] : [];
        return [...wrongIn(secret), ...missingVariable(secret, reading), ...twice].map(problem => `${host}: ${JSON.stringify(secret.name)}: ${problem}`);
    });
}
function wrongIn({ source, destination, user, group, permissions, action, uploadAt }) {
    const wrong = [];
    const kinds = Object.keys(source).filter(kind => kind !== 'folder');
    if (kinds.length !== 1)
        wrong.push(`its source has ${kinds.join(' and ') || 'nothing'}, not exactly one of them`);
    if (!isDestination(destination)) {
        wrong.push(`its destination ${JSON.stringify(destination)} is not an absolute path of a file without \`.\` and \`..\``);
    }
    if (destination.startsWith('/nix/store/'))
        wrong.push('its destination is in the store, which everybody can read');
    for (const [what, name] of Object.entries({ user, group })) {
        if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/.test(name))
            wrong.push(`${JSON.stringify(name)} is not the name of a ${what}`);
    }
    if (!/^[0-7]{3,4}$/.test(permissions))
        wrong.push(`its permissions ${JSON.stringify(permissions)} are not octal, as 0400`);
    if ('command' in source && (source.command[0] ?? '') === '')
        wrong.push('its command is empty');
    if (action.some(hasControl))
        wrong.push('its action contains a control character');
    if (uploadAt !== 'pre-activation' && uploadAt !== 'post-activation') {
        wrong.push(`uploadAt is ${JSON.stringify(uploadAt)}, not pre-activation or post-activation`);
    }
    return wrong;
}
function isDestination(path) {
    const [first, ...parts] = path.split('/');
    return first === '' && !hasControl(path) && parts.every(part => part !== '' && part !== '.' && part !== '..');
}
function hasControl(text) {
    return /[\p{Cc}]/u.test(text);
}
function missingVariable({ source }, reading) {
    if (!('env' in source) || !reads(reading, source) || source.env in reading.secretVariables)
        return [];
    return [`the variable ${variableOf(source.env)} is not set: set it in the \`env\` of the step`];
}


/***/ }),

/***/ 36233:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  q: () => (/* binding */ readIfThere),
  Z: () => (/* binding */ readSecrets)
});

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/deploy/secrets/check.ts
var check = __webpack_require__(853);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./src/hidden.ts
var src_hidden = __webpack_require__(71555);
;// CONCATENATED MODULE: ./src/deploy/secrets/content.ts


/** The content of a secret. */
class SecretContent extends src_hidden/* Hidden */.j {
    #bytes;
    constructor(bytes) {
        super();
        this.#bytes = bytes;
    }
    /** The content itself, in base64, for the target that needs it. */
    base64() {
        return this.#bytes.toString('base64');
    }
    /** What `compare` in target/activation/secrets-steps.sh answers for a file with this content. */
    digest(key) {
        const inner = (0,external_node_crypto_.createHash)('sha256').update(key).update(this.#bytes).digest('hex');
        return (0,external_node_crypto_.createHash)('sha256').update(key).update(inner).digest('hex');
    }
    /** In hex. */
    sha256() {
        return (0,external_node_crypto_.createHash)('sha256').update(this.#bytes).digest('hex');
    }
    /** An HMAC of a text without NUL and the content, in hex. */
    keyedDigest(key, text) {
        return (0,external_node_crypto_.createHmac)('sha256', key).update(text).update('\0').update(this.#bytes).digest('hex');
    }
    /** The content as text, to be masked in logs; null if it is binary, large, or too short to be distinguished from other text. */
    maskable() {
        const text = this.#bytes.toString('utf8').trim();
        const isText = this.#bytes.length <= 64 * 1024 && !/[\0\uFFFD]/.test(text);
        return isText && text.length > 3 ? text : null;
    }
}

// EXTERNAL MODULE: ./src/deploy/secrets/digest.ts
var digest = __webpack_require__(81541);
;// CONCATENATED MODULE: ./src/deploy/secrets/read.ts







/** Bytes. A secret is held in memory here and on its target. */
const largest = 16 * 1024 * 1024;
/** Milliseconds for a command that prints a secret. */
const commandTime = 120_000;
/** Sources that are read at the same time. */
const atOnce = 8;
/**
 * Reads the secrets of all hosts that are to get some, each source once.
 *
 * @returns by host, in the order of its secrets. Contents are masked in the log.
 * @throws UserError that names all that cannot be read.
 */
async function readSecrets(hosts, reading, context) {
    (0,check/* checkSecrets */.KK)(hosts, reading);
    const problems = [];
    const contents = new Map();
    const bySource = new Map();
    const declared = hosts.flatMap(({ host, secrets }) => secrets.map(secret => ({ host, secret })));
    for (const { secret } of declared) {
        // Texts have no key: they are not read.
        const key = 'text' in secret.source ? `text ${bySource.size}` : JSON.stringify(secret.source);
        bySource.set(key, [...(bySource.get(key) ?? []), secret.source]);
    }
    await (0,concurrency/* mapConcurrently */.X)([...bySource.values()], atOnce, async (sources) => {
        const [source] = sources;
        if (source === undefined)
            return;
        const content = (0,check/* reads */.Um)(reading, source) ? await contentOf(source, reading, context) : null;
        if (typeof content === 'string') {
            const names = declared.filter(({ secret }) => sources.includes(secret.source));
            problems.push(...names.map(({ host, secret }) => `${host}: ${JSON.stringify(secret.name)}: ${content}`));
            return;
        }
        const text = content?.maskable() ?? null;
        if (text !== null)
            context.log.secret(text);
        for (const each of sources)
            contents.set(each, content);
    });
    if (problems.length > 0)
        throw (0,check/* wrongSecrets */.$W)(problems.sort());
    return new Map(hosts.map(({ host, secrets }) => [
        host,
        secrets.map(secret => withDigest(host, secret, contents.get(secret.source) ?? null, reading)),
    ]));
}
function withDigest(host, secret, content, { signingKey }) {
    const digested = content !== null && signingKey !== null;
    return { secret, content, digest: digested ? (0,digest/* newDigest */.Z)({ host, secret, content }, signingKey) : null };
}
/**
 * Reads what a preview can compare: sources that it may read and that are there.
 *
 * @returns the content, masked in the log; null if there is none.
 */
async function readIfThere({ source }, reading, context) {
    if (!(0,check/* reads */.Um)(reading, source) || ('env' in source && !(source.env in reading.secretVariables)))
        return null;
    const content = await contentOf(source, reading, context);
    if (typeof content === 'string')
        return null;
    const text = content.maskable();
    if (text !== null)
        context.log.secret(text);
    return content;
}
/** The content, or why it cannot be read, in words. */
async function contentOf(source, { secretVariables }, context) {
    if ('text' in source)
        return contentOrLimit(Buffer.from(source.text.reveal()));
    if ('env' in source)
        return contentOrLimit(Buffer.from(secretVariables[source.env] ?? ''));
    return 'file' in source ? ofFile(source.file) : ofCommand(source.command, source.folder, context);
}
async function ofFile(file) {
    try {
        const { size: bytes, isFile } = await (0,promises_.stat)(file).then(found => ({ size: found.size, isFile: found.isFile() }));
        if (!isFile)
            return `${file} is not a file`;
        return bytes > largest ? tooLarge(bytes) : contentOrLimit(await (0,promises_.readFile)(file));
    }
    catch (error) {
        const { code } = error;
        return code === 'ENOENT' ? `the file ${file} does not exist` : `the file ${file} cannot be read (${code})`;
    }
}
async function ofCommand([program = '', ...args], folder, { exec, signal }) {
    const chunks = [];
    try {
        await exec(program, args, {
            ...(folder === undefined ? {} : { cwd: folder }),
            timeout: commandTime,
            signal,
            onStdoutChunk: chunk => chunks.push(chunk),
        });
        return contentOrLimit(Buffer.concat(chunks));
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.failure.kind === 'cancelled')
            throw error;
        const { failure, stderr } = error;
        if (failure.kind === 'missing')
            return `the command ${program} is not installed`;
        const last = stderr.trim().split('\n').at(-1) ?? '';
        return `the command ${program} failed${failure.kind === 'exit' ? ` with exit code ${failure.code}` : ''}${last === '' ? '' : `: ${last}`}`;
    }
}
function contentOrLimit(bytes) {
    return bytes.length > largest ? tooLarge(bytes.length) : new SecretContent(bytes);
}
function tooLarge(bytes) {
    return `it has ${(0,amounts/* size */.Ej)(bytes)}, and a secret may have ${(0,amounts/* size */.Ej)(largest)}`;
}


/***/ }),

/***/ 58903:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   EI: () => (/* binding */ reportOf),
/* harmony export */   MC: () => (/* binding */ numbersIn),
/* harmony export */   yc: () => (/* binding */ volatileSentence),
/* harmony export */   zd: () => (/* binding */ secretSentences)
/* harmony export */ });
/** The report of what the target has done, by the numbers that it answered. */
function reportOf(secrets, changed, volatile) {
    const named = (wanted) => secrets.flatMap(({ secret }, index) => (wanted(index + 1) ? [secret.name] : []));
    return {
        changed: named(number => changed.includes(number)),
        unchanged: named(number => !changed.includes(number)),
        volatile: named(number => volatile.includes(number)),
        unknown: [],
    };
}
/** The numbers in an answer of the target, separated by spaces. */
function numbersIn(answer) {
    return (answer ?? '').split(' ').filter(Boolean).map(Number);
}
/** What a report says that a message needs, as sentences that begin with a space; empty if nothing. */
function secretSentences({ changed, volatile }, mode) {
    const dry = mode === 'dry-activate';
    const sent = changed.length === 0 ? '' : ` ${dry ? 'Secrets that would be sent' : 'Secrets sent'}: ${changed.join(', ')}.`;
    return `${sent}${dry || volatile.length === 0 ? '' : ` ${volatileSentence(volatile)}`}`;
}
/** What to do after a reboot. */
function volatileSentence(volatile) {
    return `A reboot removes these secrets, and \`ferry secrets\` sends them again: ${volatile.join(', ')}.`;
}


/***/ }),

/***/ 81903:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  Bu: () => (/* binding */ endLeftSession),
  Rk: () => (/* binding */ isConnectionError),
  qA: () => (/* binding */ localSession),
  fA: () => (/* binding */ openSession)
});

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: external "node:timers/promises"
var external_node_timers_promises_ = __webpack_require__(58500);
;// CONCATENATED MODULE: ./src/deploy/agent.ts




// When ssh-agent is given a command, it ends within 10 s after that command (ssh-agent(1)). This command ends with the
// process whose id it is given, so the key is gone even if Nix Ferry is killed with SIGKILL.
const followParent = 'echo "$SSH_AGENT_PID"; while kill -0 "$1" 2>/dev/null; do sleep 1 >&- 2>&-; done';
/**
 * Starts an ssh-agent with its socket in `directory` and passes it `key` over standard input: the key is never on disk and
 * never passed as an argument.
 *
 * @param limit milliseconds for the agent to start.
 * @throws UserError when ssh-add does not accept the key. @throws CommandError when the agent does not start.
 */
async function startAgent(key, directory, context, limit = 30_000) {
    const socket = (0,external_node_path_.join)(directory, 'agent');
    const { pid, stop } = await launch(socket, context, limit);
    const end = async () => {
        await endAgent(pid);
        await stop();
    };
    try {
        return { socket, pid, publicKey: await addKey(key, socket, context), end };
    }
    catch (error) {
        await end();
        if (!(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
        throw new errors/* UserError */.yo('OpenSSH cannot read the deploy key.', {
            where: { input: 'deploy-key' },
            cure: 'Give the whole text of an unencrypted private key, as `ssh-keygen -t ed25519 -N "" -f deploy-key` writes it.',
            cause: error,
        });
    }
}
/** Starts the agent; `stop` ends the command that keeps it running. */
async function launch(socket, context, limit) {
    const stopped = new AbortController();
    let started = () => undefined;
    const announced = new Promise(resolve => {
        started = resolve;
    });
    const command = context
        .exec('ssh-agent', ['-a', socket, 'sh', '-c', followParent, 'sh', String(process.pid)], {
        onStdout: line => started(Number(line)),
        // It says nothing for as long as the run takes.
        stall: 0,
        signal: stopped.signal,
    })
        .then(() => null)
        .catch((error) => error)
        .finally(() => started(0));
    const slow = setTimeout(() => stopped.abort(), limit);
    const pid = await announced;
    clearTimeout(slow);
    if (pid === 0 && stopped.signal.aborted) {
        throw new errors/* CommandError */.Qd(['ssh-agent'], { kind: 'timeout', milliseconds: limit }, '');
    }
    if (pid === 0)
        throw (await command) ?? new Error('ssh-agent did not start');
    const stop = async () => {
        stopped.abort();
        await command;
    };
    return { pid, stop };
}
/** @returns the public half of the key. */
async function addKey(key, socket, context) {
    // Without a terminal and with an askpass program that fails, ssh-add cannot wait for a passphrase.
    const env = { ...context.environment, SSH_AUTH_SOCK: socket, SSH_ASKPASS: 'false', SSH_ASKPASS_REQUIRE: 'force' };
    await context.exec('ssh-add', ['-q', '-'], { input: key, env, timeout: 20_000 });
    const { stdout } = await context.exec('ssh-add', ['-L'], { env, timeout: 20_000 });
    return stdout.trim().split(' ').slice(0, 2).join(' ');
}
/** Kills an agent and waits until it is gone. It has no state to save, so it is not asked to end: it might be stopped. */
async function endAgent(pid) {
    try {
        process.kill(pid, 'SIGKILL');
    }
    catch {
        return;
    }
    // It ends at once, unless the kernel itself is stuck.
    for (let tries = 0; tries < 1_000 && (await isRunning(pid)); tries++)
        await (0,external_node_timers_promises_.setTimeout)(5);
}
/** False also for a process that has ended but that its parent has not waited for: it has no command line. */
async function isRunning(pid) {
    try {
        process.kill(pid, 0);
    }
    catch {
        return false;
    }
    return (await (0,promises_.readFile)(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'unknown')) !== '';
}

// EXTERNAL MODULE: ./src/deploy/known-hosts.ts
var known_hosts = __webpack_require__(70014);
// EXTERNAL MODULE: ./src/deploy/ssh-config.ts + 1 modules
var ssh_config = __webpack_require__(1913);
;// CONCATENATED MODULE: ./src/deploy/session.ts







const record = 'deploy-session.json';
/** Options of a connection that shares nothing and is tried again soon if it does not come about. */
const alone = ['-o', 'ControlPath=none', '-o', 'ConnectTimeout=10'];
/**
 * Creates the directory of a session and starts its agent.
 *
 * @param key the checked deploy key; null: the user's own agent and keys are used.
 * @param knownHosts the checked text; null: the user's own known_hosts and ssh_config are used.
 * @throws UserError for a target or key that cannot be passed to ssh, and for a target without a pinned host key.
 */
async function openSession(targets, key, knownHosts, context) {
    const directory = await shortDirectory(context.scratch);
    const config = (0,external_node_path_.join)(directory, 'config');
    let agent = null;
    let keyNames;
    const disconnect = () => Promise.all(targets.map(({ alias }) => endMaster(config, alias, context.exec)));
    const close = async () => {
        await disconnect();
        await agent?.end();
        await (0,promises_.rm)(directory, { recursive: true, force: true });
        await (0,promises_.rm)((0,external_node_path_.join)(context.scratch, record), { force: true });
    };
    try {
        if (key !== null)
            agent = await startAgent(key, directory, context);
        await (0,promises_.writeFile)((0,external_node_path_.join)(context.scratch, record), JSON.stringify({ directory, agent: agent?.pid ?? null }));
        keyNames = await writeSessionFiles(directory, targets, agent?.socket ?? null, knownHosts, context);
    }
    catch (error) {
        await close();
        throw explainMissingProgram(error);
    }
    return {
        sshOptions: `-F ${config}`,
        publicKey: agent?.publicKey ?? null,
        keyNames,
        ssh: (alias, command, { fresh = false, ...options } = {}) => context.exec('ssh', ['-F', config, ...(fresh ? alone : []), '-T', alias, command], options),
        disconnect: alias => endMaster(config, alias, context.exec),
        close,
    };
}
/** Writes ssh's files, then checks that each target has a pinned host key. @returns `keyNames` of the session */
async function writeSessionFiles(directory, targets, agent, pinned, { query, log }) {
    const [config = '', knownHosts = '', control = ''] = ['config', 'known_hosts', 'c'].map(name => (0,external_node_path_.join)(directory, name));
    await (0,promises_.mkdir)(control, { mode: 0o700 });
    if (pinned === null) {
        const own = await Promise.all(targets.map(target => withOwnOptions(target, query)));
        await (0,promises_.writeFile)(config, (0,ssh_config/* renderSshConfig */.r4)(own, { agent, knownHosts: null, control }, log.warning));
        const named = own.map(({ alias, target, own: lines }) => [alias, (0,known_hosts/* hostKeyName */.tc)(lines.join('\n')) ?? target.address]);
        return new Map(named);
    }
    await (0,promises_.writeFile)(knownHosts, pinned);
    await (0,promises_.writeFile)(config, (0,ssh_config/* renderSshConfig */.r4)(targets, { agent, knownHosts, control }, log.warning));
    await (0,known_hosts/* checkHostKeys */.hs)(targets, config, knownHosts, query);
    return new Map();
}
/** With what the user's own ssh_config says about the address, which may be a name from there. */
async function withOwnOptions(aliased, query) {
    const { stdout } = await query('ssh', ['-G', '--', (0,ssh_config/* hostName */.Sm)(aliased.target.address, aliased.host)]);
    return { ...aliased, own: (0,ssh_config/* ownOptions */.rG)(stdout) };
}
/** The session of targets that are this machine: commands are run without SSH. */
function localSession({ exec }) {
    return {
        sshOptions: '',
        publicKey: null,
        keyNames: new Map(),
        ssh: (_alias, command, { fresh: _, ...options } = {}) => exec('sh', ['-c', command], options),
        disconnect: async () => undefined,
        close: async () => undefined,
    };
}
function explainMissingProgram(error) {
    if (!(error instanceof errors/* CommandError */.Qd) || error.failure.kind !== 'missing')
        return error;
    return new errors/* UserError */.yo(`\`${error.command[0]}\` is not installed on this machine, but a deployment needs it.`, {
        cure: 'Install the OpenSSH client (on Debian and Ubuntu: `apt-get install openssh-client`).',
        cause: error,
    });
}
/** For the post step: ends what a killed run left behind, as recorded in its scratch directory. Never throws. */
async function endLeftSession(scratch, exec) {
    let left;
    try {
        left = JSON.parse(await (0,promises_.readFile)((0,external_node_path_.join)(scratch, record), 'utf8'));
    }
    catch {
        return;
    }
    const config = (0,external_node_path_.join)(left.directory, 'config');
    const aliases = await (0,promises_.readdir)((0,external_node_path_.join)(left.directory, 'c')).catch(() => []);
    await Promise.all(aliases.map(alias => endMaster(config, alias, exec)));
    if (left.agent !== null) {
        // The number may belong to another process by now.
        const name = await (0,promises_.readFile)(`/proc/${left.agent}/comm`, 'utf8').catch(() => '');
        if (name.trim() === 'ssh-agent')
            await endAgent(left.agent);
    }
    await (0,promises_.rm)(left.directory, { recursive: true, force: true });
    await (0,promises_.rm)((0,external_node_path_.join)(scratch, record), { force: true });
}
/** Ends a shared connection and everything on this machine that uses it. */
async function endMaster(config, alias, exec) {
    await exec('ssh', ['-F', config, '-O', 'exit', alias], { timeout: 5_000 }).catch(() => undefined);
}
// A socket's path has at most 108 bytes (unix(7)), and ssh adds 17 while it creates one; NIX_SSHOPTS is split at spaces, and
// ssh expands `%`. So a long or unusual scratch directory cannot be used.
async function shortDirectory(scratch) {
    const fits = (parent) => parent.length <= 50 && /^[A-Za-z0-9/_.-]+$/.test(parent);
    const parent = [scratch, (0,external_node_os_.tmpdir)(), '/tmp'].find(fits) ?? '/tmp';
    return (0,promises_.mkdtemp)((0,external_node_path_.join)(parent, 'ssh-'));
}
/** True when ssh itself failed, not the command that it ran (ssh(1), EXIT STATUS). */
function isConnectionError(error) {
    return error instanceof errors/* CommandError */.Qd && error.code === 255;
}


/***/ }),

/***/ 1913:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  vw: () => (/* binding */ checkSshTargets),
  Sm: () => (/* binding */ hostName),
  rG: () => (/* binding */ ownOptions),
  r4: () => (/* binding */ renderSshConfig)
});

// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/ssh-config.ts
var ssh_config = __webpack_require__(90420);
;// CONCATENATED MODULE: ./src/deploy/source-options.ts

/**
 * The options of ssh_config(5) that a source may set: addresses, ports, jump hosts, algorithms, time-outs. Others run
 * commands (ProxyCommand, Match, LocalCommand), load code (PKCS11Provider), read files of the runner or let the target use
 * the deploy key (ForwardAgent).
 */
const allowed = new Set([
    ...['AddressFamily', 'BindAddress', 'BindInterface', 'HostKeyAlias', 'Port', 'ProxyJump', 'User'],
    ...['CASignatureAlgorithms', 'Ciphers', 'HostKeyAlgorithms', 'KexAlgorithms', 'MACs', 'PubkeyAcceptedAlgorithms'],
    ...['PubkeyAcceptedKeyTypes', 'RekeyLimit', 'RequiredRSASize'],
    ...['ConnectTimeout', 'ConnectionAttempts', 'ServerAliveCountMax', 'ServerAliveInterval', 'TCPKeepAlive'],
    ...['Compression', 'IPQoS', 'LogLevel'],
]);
const lowerCase = new Set([...allowed].map(name => name.toLowerCase()));
/** Without quotes, `%` and `$`, which ssh expands. */
const plainValue = /^[A-Za-z0-9@.,:+^*_/=[\] -]*$/;
/** Versions of ssh before 9.6 pass the parts of a jump host to a shell unchecked (CVE-2023-51385). */
const jump = '(ssh://)?([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?';
const jumps = new RegExp(`^(none|${jump}(,${jump})*)$`, 'i');
/**
 * Checks the SSH options of a target if they are from the source: anybody who opens a pull request can write these. The
 * input `targets` is part of the workflow, which is reviewed, and may set any option.
 *
 * @param lines the options as lines of ssh_config(5).
 * @returns `lines`.
 * @throws UserError for the first option that a source may not set.
 */
function checkSourceOptions(lines, host, { sshOptions, sshOptionsFrom }) {
    if (sshOptionsFrom === 'targets')
        return lines;
    for (const line of lines) {
        const [, key = '', value = ''] = /^(\S+) ?([\s\S]*)$/.exec(line) ?? [];
        const isPlain = /^ProxyJump$/i.test(key) ? jumps.test(value) : plainValue.test(value);
        if (lowerCase.has(key.toLowerCase()) && isPlain)
            continue;
        const why = lowerCase.has(key.toLowerCase()) ? `the value "${value}" for the SSH option` : 'the SSH option';
        throw new errors/* UserError */.yo(`Host ${host}: the source may not set ${why} ${key}, which could misuse the deploy key.`, {
            where: { host, input: 'targets' },
            cure: 'If you need it, set it in the input `targets`, which is reviewed with the workflow: ' +
                `\`${JSON.stringify({ [host]: { sshOptions } })}\`. A source may set: ${[...allowed].join(', ')}.`,
        });
    }
    return lines;
}

;// CONCATENATED MODULE: ./src/deploy/ssh-config.ts



/**
 * The ssh_config file that Nix Ferry and `nix copy` use, with one block for each target. Each target has an alias, so that
 * names, addresses and options need not survive Nix's splitting of NIX_SSHOPTS.
 *
 * @throws UserError for an address, user, port or option that cannot be passed to ssh.
 */
function renderSshConfig(targets, paths, warn) {
    return (0,ssh_config/* formatSshConfig */.w)({
        knownHosts: paths.knownHosts,
        pinned: paths.agent === null ? [] : [`IdentityAgent ${paths.agent}`],
        hosts: targets.map(({ alias, host, target, own = [] }) => ({
            alias,
            options: [
                ...(own.length > 0 ? [] : [`HostName ${hostName(target.address, host)}`]),
                `User ${user(target.user, host)}`,
                ...(target.port === null ? [] : [`Port ${port(target.port, host)}`]),
                'ControlMaster auto',
                `ControlPath ${paths.control}/%n`,
                'ControlPersist 60',
                ...checkSourceOptions(options(target.sshOptions, host, warn), host, target),
                ...own.filter(option => paths.agent === null || !/^(identity|certificate)/.test(option)),
            ],
        })),
        defaults: paths.agent === null ? [] : ['IdentityFile none'],
    });
}
/** Checks targets before anything is built. @throws UserError as `renderSshConfig` */
function checkSshTargets(targets) {
    const paths = { agent: null, knownHosts: null, control: '' };
    renderSshConfig(targets.map(each => ({ ...each, alias: each.host })), paths, () => undefined);
}
/** What `ssh -G` prints of a user's settings that say where a machine is and how it is reached. */
const ownSettings = /^(hostname|port|identityfile|identitiesonly|certificatefile|identityagent|proxyjump|proxycommand|hostkeyalias|userknownhostsfile|globalknownhostsfile|addressfamily|bindaddress) (?!none$)/;
/** The user's own settings for an address, of those that `ssh -G` printed. */
function ownOptions(printed) {
    return printed.split('\n').filter(line => ownSettings.test(line));
}
function hostName(address, host) {
    const bare = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address;
    // Names and IPv4; IPv6 with or without a zone. ssh expands `%` in HostName.
    if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(bare))
        return bare;
    if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?$/.test(bare))
        return bare.replace('%', '%%');
    throw invalid(host, `"${address}" is neither a host name nor an IP address.`, 'Write it like `web.example.com`, `192.0.2.7` or `2001:db8::7`.');
}
function user(name, host) {
    if (/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(name))
        return name;
    throw invalid(host, `"${name}" is not a valid user name.`, 'Write it like `root` or `deploy`.');
}
function port(number, host) {
    if (Number.isInteger(number) && number >= 1 && number <= 65535)
        return number;
    throw invalid(host, `${number} is not a valid port.`, 'Write a number from 1 to 65535.');
}
/** The flags of ssh(1) with an argument that existing configurations use, as options of ssh_config(5). */
const flags = {
    J: 'ProxyJump',
    b: 'BindAddress',
    c: 'Ciphers',
    i: 'IdentityFile',
    l: 'User',
    m: 'MACs',
    p: 'Port',
};
/** The flags without one. */
const switches = {
    '-4': 'AddressFamily inet',
    '-6': 'AddressFamily inet6',
    '-A': 'ForwardAgent yes',
    '-C': 'Compression yes',
};
/** Flags that make no difference here: X11, terminal, verbosity, quietness. */
const ignored = /^-[aTtXxYvqkn]+$/;
/** Options that would accept any host key, ask a person, or break the sharing of connections. */
const reserved = new Set([
    'batchmode',
    'checkhostip',
    'controlmaster',
    'controlpath',
    'controlpersist',
    'globalknownhostsfile',
    'identityagent',
    'knownhostscommand',
    'stricthostkeychecking',
    'updatehostkeys',
    'userknownhostsfile',
    'verifyhostkeydns',
]);
/** The options of ssh_config(5) for words of a command line, as `["-p", "2222", "-o", "ProxyJump=bastion"]`. */
function options(words, host, warn) {
    const rest = [...words];
    const lines = [];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
        if (ignored.test(word))
            continue;
        const single = switches[word];
        const flag = word.slice(0, 2);
        if (single !== undefined)
            lines.push(single);
        else if (flag === '-o')
            lines.push(...longOption(argumentOf(word, rest, host), host, warn));
        else if (flag.startsWith('-') && flags[flag.slice(1)] !== undefined) {
            const value = oneLine(argumentOf(word, rest, host), host);
            lines.push(`${flags[flag.slice(1)]} ${flag === '-i' ? `"${value.replaceAll('"', '')}"` : value}`);
        }
        else {
            throw invalid(host, `The SSH option "${word}" is not supported.`, 'Write options as `-o Key=value`, with the names of ssh_config(5).');
        }
    }
    return lines;
}
/** The argument of a flag: the rest of its word, or the next word, which is taken from `rest`. */
function argumentOf(word, rest, host) {
    const argument = word.length > 2 ? word.slice(2) : rest.shift();
    if (argument !== undefined)
        return argument;
    throw invalid(host, `The SSH option "${word}" has no argument.`, 'Write it as the next word.');
}
/** The argument of `-o`; nothing for an option that is reserved. */
function longOption(argument, host, warn) {
    const [, key = '', value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)([\s\S]*)$/.exec(argument) ?? [];
    if (key === '')
        throw invalid(host, `The SSH option "-o ${argument}" is invalid.`, 'Write it as `-o Key=value`.');
    if (!reserved.has(key.toLowerCase()))
        return [`${key} ${oneLine(value, host)}`];
    warn(`Host ${host}: the SSH option ${key} is ignored, because Nix Ferry pins host keys and shares connections itself.`);
    return [];
}
function oneLine(value, host) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (!/[\u0000-\u001f]/.test(value))
        return value;
    throw invalid(host, 'An SSH option contains a line break or control character.', 'Write each option on one line.');
}
function invalid(host, message, cure) {
    return new errors/* UserError */.yo(`Host ${host}: ${message}`, { where: { host, input: 'targets' }, cure });
}


/***/ }),

/***/ 28625:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   AI: () => (/* binding */ fieldLines),
/* harmony export */   Hd: () => (/* binding */ valueLines),
/* harmony export */   lF: () => (/* binding */ encode)
/* harmony export */ });
/** The lines in which values travel over standard input: `@ NAME` begins one, its base64 follows, and `.` is the last line. */
function valueLines(values) {
    return `${values.map(([name, base64]) => `@ ${name}\n${inLines(base64)}`).join('')}.\n`;
}
/** Values as one text, whose digest can be signed: a line `NAME BASE64` for each. */
function fieldLines(values) {
    return values.map(([name, base64]) => `${name} ${base64}\n`).join('');
}
function encode(text) {
    return Buffer.from(text).toString('base64');
}
/** Programs that read text may limit the length of a line. */
function inLines(base64) {
    return base64.replaceAll(/.{1,76}/g, '$&\n');
}


/***/ }),

/***/ 71555:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   j: () => (/* binding */ Hidden)
/* harmony export */ });
/* harmony import */ var node_util__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(57975);
/* harmony import */ var node_util__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_util__WEBPACK_IMPORTED_MODULE_0__);

/** A value that is never part of JSON, a message or a log: whatever prints it prints `***`. */
class Hidden {
    toJSON() {
        return '***';
    }
    toString() {
        return '***';
    }
    [node_util__WEBPACK_IMPORTED_MODULE_0__.inspect.custom]() {
        return '***';
    }
}


/***/ }),

/***/ 40383:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   o: () => (/* binding */ inParts)
/* harmony export */ });
/** Store paths that one call gets: keeps its arguments far below Linux's limit of 2 MiB. */
const pathsPerCall = 2_000;
/** Splits store paths (or what describes one each) into parts that can be arguments of one call. */
function inParts(paths) {
    const parts = [];
    for (let first = 0; first < paths.length; first += pathsPerCall)
        parts.push(paths.slice(first, first + pathsPerCall));
    return parts;
}


/***/ }),

/***/ 56754:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Jt: () => (/* binding */ derivationName),
/* harmony export */   cT: () => (/* binding */ systemsOf)
/* harmony export */ });
/* unused harmony export derivationsIn */
/* harmony import */ var _arguments_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(40383);
/* harmony import */ var _version_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(78547);


/** The system that each derivation is built on, by the path of the derivation. */
async function systemsOf(drvPaths, nix) {
    // Renamed in 2.14.
    const show = (0,_version_js__WEBPACK_IMPORTED_MODULE_0__/* .compareVersions */ .Z)(nix.installation.version, '2.14') < 0 ? ['show-derivation'] : ['derivation', 'show'];
    const systems = new Map();
    for (const some of (0,_arguments_js__WEBPACK_IMPORTED_MODULE_1__/* .inParts */ .o)(drvPaths)) {
        const { stdout } = await nix.run('nix', [...show, ...some]);
        for (const [drvPath, { system }] of derivationsIn(stdout))
            systems.set(drvPath, system);
    }
    return systems;
}
/** Reads both forms of `nix derivation show`: keyed by path up to 2.31, later keyed by name inside `derivations`. */
function derivationsIn(json) {
    const parsed = JSON.parse(json);
    const derivations = (parsed.derivations ?? parsed);
    return Object.entries(derivations).map(([path, derivation]) => [
        path.startsWith('/') ? path : `/nix/store/${path}`,
        derivation,
    ]);
}
/** `hello-1.0` for `/nix/store/<hash>-hello-1.0.drv`. */
function derivationName(drvPath) {
    return drvPath.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, '');
}


/***/ }),

/***/ 33468:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ explainNixError),
/* harmony export */   k: () => (/* binding */ hashMismatchIn)
/* harmony export */ });
/** The first hash mismatch in what Nix printed; null if there is none. */
function hashMismatchIn(printed) {
    const pattern = /hash mismatch in fixed-output derivation '([^']+)':\s+specified:\s+(\S+)\s+got:\s+(\S+)/;
    const [, drvPath, specified, got] = pattern.exec(printed) ?? [];
    return drvPath === undefined || specified === undefined || got === undefined ? null : { drvPath, specified, got };
}
const explanations = [
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
        pattern: /(?:[Uu]nrecognized archive format|unsupported format|does not look like a tar archive|file format not recognized)/,
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
        pattern: /(?:cloning builder process|setting up a private mount namespace|unable to start build process|this system does not support the kernel namespaces)[^\n]*/,
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
function explainNixError(printed) {
    for (const { pattern, explain } of explanations) {
        const match = pattern.exec(printed);
        if (match !== null)
            return explain(match);
    }
    return null;
}


/***/ }),

/***/ 93779:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   F: () => (/* binding */ parsePathInfo),
/* harmony export */   a: () => (/* binding */ Nix)
/* harmony export */ });
/* harmony import */ var node_os__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(48161);
/* harmony import */ var node_os__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_os__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _arguments_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(40383);



/**
 * Calls Nix's commands. Every stage uses it, and none depends on the version of Nix.
 *
 * Works with Nix 2.8 and newer. Evaluation sees neither NIX_PATH nor a user's nix.conf.
 */
class Nix {
    installation;
    #context;
    constructor(context, installation) {
        this.#context = context;
        this.installation = installation;
    }
    /** Runs one of Nix's programs with the experimental commands enabled. @throws CommandError */
    run(program, args, options = {}) {
        const command = this.installation.bin === null ? program : (0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(this.installation.bin, program);
        const experimental = ['--extra-experimental-features', 'nix-command flakes'];
        return this.#context.exec(command, [...args, ...experimental], { ...options, env: this.environment(options.env) });
    }
    /** The environment of Nix's commands: that of the run, without what makes evaluation depend on the machine. */
    environment(env = this.#context.environment) {
        return {
            ...env,
            ...this.installation.env,
            NIX_PATH: '',
            NIX_USER_CONF_FILES: '/dev/null',
            NIXPKGS_CONFIG: undefined,
            NIXPKGS_ALLOW_UNFREE: undefined,
            NIXPKGS_ALLOW_BROKEN: undefined,
            NIXPKGS_ALLOW_INSECURE: undefined,
        };
    }
    /** The store of this machine, for the few commands that need its name: `auto` would not be the daemon of the run. */
    get store() {
        return this.environment().NIX_REMOTE || 'auto';
    }
    /** The closure of `paths`, each path once. @throws CommandError if one of them is not valid */
    async closure(paths, store) {
        const from = store === undefined ? [] : ['--store', store];
        const { stdout } = await this.run('nix', ['path-info', '--json', '--recursive', ...from, ...paths]);
        return parsePathInfo(stdout);
    }
    /** Which of `paths` are valid in the local store. */
    async valid(paths) {
        const valid = new Set(paths);
        for (const some of (0,_arguments_js__WEBPACK_IMPORTED_MODULE_2__/* .inParts */ .o)(paths)) {
            const { stdout } = await this.run('nix-store', ['--check-validity', '--print-invalid', ...some]);
            for (const invalid of stdout.split('\n'))
                valid.delete(invalid);
        }
        return valid;
    }
    /** The number of processors that this process may use. */
    get processors() {
        return (0,node_os__WEBPACK_IMPORTED_MODULE_0__.availableParallelism)();
    }
}
/** Reads both forms of `nix path-info --json`: a list (up to 2.18) and an object keyed by path (2.19 and newer). */
function parsePathInfo(json) {
    const parsed = JSON.parse(json);
    const entries = Array.isArray(parsed)
        ? parsed.map(info => [info.path, info])
        : Object.entries(parsed);
    return entries
        .filter((entry) => entry[1] !== null && entry[1].valid !== false)
        .map(([path, info]) => ({
        path,
        narHash: info.narHash,
        narSize: info.narSize,
        references: info.references ?? [],
        signatures: info.signatures ?? [],
        ultimate: info.ultimate ?? false,
    }));
}


/***/ }),

/***/ 91702:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Dt: () => (/* binding */ narInfoName),
/* harmony export */   qq: () => (/* binding */ pack)
/* harmony export */ });
/* unused harmony export equalShares */
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(51455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var _amounts_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(94078);
/* harmony import */ var _concurrency_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(81532);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(83916);
/* harmony import */ var _arguments_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(40383);
/* harmony import */ var _version_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(78547);








/**
 * zstd's level. For 230 MB of compilers and libraries, the sizes at levels 5 and 6 are 1.27 and 1.23 times those of xz
 * (1.30 at Nix's default level), for 2.9 and 3.4 seconds of processor time (2.1). Level 5 is enough for most closures, but
 * not for large compilers (1.30).
 */
const compressionLevel = 6;
/** NAR bytes below which another process costs more than it saves. */
const bytesPerShare = 4 * 1024 * 1024;
/**
 * NAR bytes from which several threads compress one path faster: at this level, zstd gives each of them 8 MiB at a time. On
 * smaller paths Nix's `parallel-compression` takes a quarter more processor time and gains nothing.
 */
const bytesOfLargePath = 16 * 1024 * 1024;
/** A NAR compressed with zstd is rarely smaller than this part of its size; programs come to a third of it. */
const leastRatio = 0.2;
/**
 * Writes paths as a binary cache into a directory.
 *
 * Nix itself packs them, in several processes. Nix 2.11 and newer copies paths in parallel, so one process packs the small
 * paths, each compressed by one thread, and another the large paths, each compressed by all threads. Older versions copy
 * one path after the other, so there are as many processes as processors, and they share the paths. Each process fills a
 * directory of its own. A binary cache must know what its paths refer to, so each directory first gets an entry without a
 * NAR for what other processes pack and for what is not packed; these entries are removed at the end.
 *
 * What is done once per path is synchronous: with hundreds of small files that takes half the time.
 *
 * @throws UserError if the disk has too little space.
 */
async function pack(packing, nix, context) {
    const { paths, directory } = packing;
    await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.mkdir)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, 'nar'), { recursive: true });
    await checkSpace(paths, directory);
    const shares = sharesOf(paths, nix);
    // If one fails, the others end before the caller removes the directory.
    await (0,_concurrency_js__WEBPACK_IMPORTED_MODULE_4__/* .mapConcurrently */ .X)(shares, shares.length, async (share, index) => {
        const own = (0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, `.part-${index}`);
        await packShare(share, { ...packing, directory: own }, nix, context);
        await merge(own, directory);
    });
    if (shares.length === 0)
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.writeFile)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, 'nix-cache-info'), 'StoreDir: /nix/store\n');
}
function sharesOf(paths, nix) {
    // Nix's release notes, 2.11: "`nix copy` now copies the store paths in parallel as much as possible (again)".
    if ((0,_version_js__WEBPACK_IMPORTED_MODULE_5__/* .compareVersions */ .Z)(nix.installation.version, '2.11') < 0) {
        return equalShares(paths, nix.processors).map(share => ({ paths: share, parallel: false }));
    }
    const isLarge = ({ narSize }) => narSize >= bytesOfLargePath;
    const large = { paths: paths.filter(isLarge), parallel: true };
    const small = { paths: paths.filter(path => !isLarge(path)), parallel: false };
    return [large, small].filter(share => share.paths.length > 0);
}
/** Distributes paths over at most `count` shares of about equal NAR size, starting with the largest path. */
function equalShares(paths, count) {
    const total = paths.reduce((sum, { narSize }) => sum + narSize, 0);
    const wanted = Math.max(1, Math.min(count, Math.ceil(total / bytesPerShare)));
    const shares = Array.from({ length: Math.min(wanted, paths.length) }, () => ({ bytes: 0, paths: [] }));
    const bySize = [...paths].sort((a, b) => b.narSize - a.narSize || (a.path < b.path ? -1 : 1));
    for (const path of bySize) {
        const least = shares.reduce((best, share) => (share.bytes < best.bytes ? share : best));
        least.paths.push(path);
        least.bytes += path.narSize;
    }
    return shares.map(share => share.paths);
}
async function packShare({ paths, parallel }, { closure, directory, onPath }, nix, context) {
    await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.mkdir)(directory, { recursive: true });
    const own = new Set(paths.map(({ path }) => path));
    const others = new Set(paths.flatMap(({ references }) => references).filter(path => !own.has(path)));
    for (const path of others)
        (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.writeFileSync)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, narInfoName(path)), placeholder(path, closure.get(path)));
    const store = `file://${directory}?compression=zstd&compression-level=${compressionLevel}&parallel-compression=${parallel}`;
    const onStderr = (line) => {
        const path = /^copying path '(.*)' to /.exec(line)?.[1];
        if (path !== undefined)
            onPath?.(path);
    };
    for (const some of (0,_arguments_js__WEBPACK_IMPORTED_MODULE_6__/* .inParts */ .o)(referencesFirst(paths).map(({ path }) => path))) {
        const args = ['copy', '-v', '--no-recursive', '--to', store, ...some];
        await nix.run('nix', args, { onStderr, signal: context.signal }).catch(error => {
            const full = error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_3__/* .CommandError */ .Qd && /no space left on device/i.test(error.stderr);
            throw full ? new _errors_js__WEBPACK_IMPORTED_MODULE_3__/* .UserError */ .yo('The disk became full while archives were packed.', { cure: freeSpace }) : error;
        });
    }
    for (const path of others)
        (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.unlinkSync)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, narInfoName(path)));
}
/** So that each call of `nix copy` finds what its paths refer to. */
function referencesFirst(paths) {
    const byPath = new Map(paths.map(info => [info.path, info]));
    const sorted = new Set();
    const visiting = new Set();
    const visit = (info) => {
        if (sorted.has(info) || visiting.has(info))
            return;
        visiting.add(info);
        for (const path of info.references) {
            const reference = byPath.get(path);
            if (reference !== undefined)
                visit(reference);
        }
        sorted.add(info);
    };
    for (const info of paths)
        visit(info);
    return [...sorted];
}
/** The name of a path's entry in a binary cache: the hash part of the path. */
function narInfoName(path) {
    return `${(0,node_path__WEBPACK_IMPORTED_MODULE_2__.basename)(path).slice(0, 32)}.narinfo`;
}
/** The shortest entry that Nix accepts. */
function placeholder(path, info) {
    if (info === undefined)
        throw new Error(`${path} is referred to but not in the closure`);
    return `StorePath: ${path}\nURL: nar/absent\nCompression: none\nNarHash: ${info.narHash}\nNarSize: ${info.narSize}\nReferences: \n`;
}
async function merge(from, to) {
    const entries = (await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.readdir)(from)).filter(name => name.endsWith('.narinfo') || name === 'nix-cache-info');
    const nars = (await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.readdir)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(from, 'nar'))).map(name => (0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)('nar', name));
    for (const name of [...nars, ...entries])
        (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.renameSync)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(from, name), (0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(to, name));
    await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.rm)(from, { recursive: true });
}
const freeSpace = 'Free space, write them elsewhere, or use `archive: delta` or `archive: none`.';
async function checkSpace(paths, directory) {
    const { bavail, bsize } = await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.statfs)(directory);
    const free = bavail * bsize;
    const needed = paths.reduce((sum, { narSize }) => sum + narSize, 0) * leastRatio;
    if (free >= needed)
        return;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_3__/* .UserError */ .yo(`${directory} has ${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_7__/* .size */ .Ej)(free)} free; the archives need at least ${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_7__/* .size */ .Ej)(needed)} there.`, {
        cure: freeSpace,
    });
}


/***/ }),

/***/ 19178:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   kc: () => (/* binding */ publicKeyOf),
/* harmony export */   o_: () => (/* binding */ signClosures),
/* harmony export */   sT: () => (/* binding */ signPaths)
/* harmony export */ });
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83916);
/* harmony import */ var _arguments_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(40383);



/**
 * The public key for a secret key, both in Nix's form `name:base64`.
 *
 * @throws UserError if it is not a secret key; the error does not contain it.
 */
async function publicKeyOf(secretKey, nix) {
    const wrong = (why) => new _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .UserError */ .yo(`The signing key ${why}.`, {
        where: { input: 'signing-key' },
        cure: 'Create one with `nix key generate-secret --key-name my-fleet-1` and copy all of it: a name, a colon and 88 characters.',
    });
    const [name, base64, ...rest] = secretKey.trim().split(':');
    if (name === undefined || name === '' || base64 === undefined || rest.length > 0) {
        throw wrong("is not in Nix's form `name:base64`");
    }
    // The secret and the public half of an Ed25519 key, as libsodium stores them.
    if (!/^[A-Za-z0-9+/]{86}==$/.test(base64))
        throw wrong('is not 64 bytes in base64 after the colon');
    const { stdout } = await nix.run('nix', ['key', 'convert-secret-to-public'], { input: secretKey.trim() });
    return stdout.trim();
}
/**
 * Signs the entries of `paths` in the binary cache `directory`.
 */
async function signPaths(directory, paths, secretKey, nix, context) {
    for (const some of (0,_arguments_js__WEBPACK_IMPORTED_MODULE_2__/* .inParts */ .o)(paths)) {
        await sign(['--store', `file://${directory}`, ...some], secretKey, nix, context);
    }
}
/**
 * Signs whole closures in the local store.
 *
 * @throws CommandError if Nix does not let this user add signatures, for example.
 */
async function signClosures(toplevels, secretKey, nix, context) {
    await sign(['--recursive', ...toplevels], secretKey, nix, context);
}
/**
 * Nix reads keys from files, but the key must not be written to a disk, so it is passed through a pipe. Node gives a child
 * a socket as standard input, which cannot be opened by name; `cat` makes it a pipe.
 */
async function sign(args, secretKey, nix, context) {
    const { bin } = nix.installation;
    const command = [bin === null ? 'nix' : (0,node_path__WEBPACK_IMPORTED_MODULE_0__.join)(bin, 'nix'), '--extra-experimental-features', 'nix-command'];
    const words = [...command, 'store', 'sign', '--key-file', '/dev/stdin', ...args];
    await context.exec('sh', ['-c', 'cat | "$@"', 'sh', ...words], {
        input: secretKey.trim(),
        env: nix.environment(),
        signal: context.signal,
    });
}


/***/ }),

/***/ 1127:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Dy: () => (/* binding */ webAddress),
/* harmony export */   IX: () => (/* binding */ isLocal),
/* harmony export */   je: () => (/* binding */ targetName)
/* harmony export */ });
/** Whether the target is the machine that the deployment runs on. */
function isLocal({ address }) {
    return address === 'local';
}
/** Where HTTP checks go that have no host of their own. */
function webAddress(target) {
    return isLocal(target) ? 'localhost' : target.address;
}
/** The target as people write it: `user@address:port`. */
function targetName(target) {
    if (isLocal(target))
        return target.address;
    const { address, port, user } = target;
    if (port === null)
        return `${user}@${address}`;
    return `${user}@${address.includes(':') ? `[${address}]` : address}:${port}`;
}


/***/ }),

/***/ 78223:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  cY: () => (/* reexport */ checkHostName),
  b$: () => (/* reexport */ checkOut),
  om: () => (/* reexport */ plan_repository/* historyOf */.om),
  x5: () => (/* reexport */ locate),
  wu: () => (/* reexport */ mergeBase),
  uK: () => (/* binding */ plan_option),
  FB: () => (/* reexport */ plan_targets/* overridesOf */.FB),
  ae: () => (/* reexport */ plan_targets/* parseTargetSettings */.ae),
  et: () => (/* binding */ plan),
  _M: () => (/* reexport */ plan_repository/* repositoryOf */._M),
  Lt: () => (/* reexport */ select_select),
  qv: () => (/* reexport */ selectedByName),
  $r: () => (/* reexport */ plan_targets/* targetOf */.$r)
});

// EXTERNAL MODULE: ./src/plan/attribute-path.ts
var attribute_path = __webpack_require__(55163);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/plan/evaluation/adapter.ts + 2 modules
var evaluation_adapter = __webpack_require__(54184);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
// EXTERNAL MODULE: ./src/plan/pins/scan.ts
var scan = __webpack_require__(38811);
// EXTERNAL MODULE: ./src/plan/evaluation/places.ts + 1 modules
var places = __webpack_require__(96925);
;// CONCATENATED MODULE: ./src/plan/evaluation/import-cycle.ts




/** A cycle of `imports` among the evaluated files of the repository; null if there is none. */
function importCycle({ files, roots }) {
    const own = new Map();
    for (const file of [...files].sort()) {
        const inside = (0,places/* inRepository */.yJ)({ file }, roots);
        if (inside !== null && (0,external_node_fs_.existsSync)(file))
            own.set(inside.file, (0,external_node_fs_.readFileSync)(file, 'utf8'));
    }
    const finished = new Set();
    const visit = (path) => {
        const last = path.at(-1);
        for (const { to, line } of importsOf(last, own)) {
            const start = path.indexOf(to);
            if (start >= 0)
                return { files: path.slice(start), place: { file: last, line, column: 1 } };
            const cycle = finished.has(to) ? null : visit([...path, to]);
            if (cycle !== null)
                return cycle;
        }
        finished.add(last);
        return null;
    };
    for (const file of own.keys()) {
        const cycle = finished.has(file) ? null : visit([file]);
        if (cycle !== null)
            return cycle;
    }
    return null;
}
/** The files of `own` that the lists `imports` of a file name by relative paths. */
function importsOf(file, own) {
    const text = (own.get(file) ?? '').replace(/#[^\n]*/g, comment => ' '.repeat(comment.length));
    return Array.from(text.matchAll(/\bimports\s*=[^[;]*\[[^\]]*\]/g)).flatMap(list => Array.from(list[0].matchAll(/\.{1,2}\/[\w.+/-]*/g)).flatMap(path => {
        const named = (0,external_node_path_.join)((0,external_node_path_.dirname)(file), path[0]);
        const to = [named, (0,external_node_path_.join)(named, 'default.nix')].find(each => own.has(each));
        return to === undefined ? [] : [{ to, line: (0,scan/* lineOf */.cA)(text, list.index + path.index) }];
    }));
}

;// CONCATENATED MODULE: ./src/plan/evaluation/misread.ts



/** The cause of a failure if the configuration lacks its system, or if a file of another tool was read as a NixOS module. */
function misreadConfiguration(failure) {
    return withoutSystem(failure) ?? networkAsModule(failure);
}
/** nixpkgs' words, since 22.11: nixos/modules/misc/nixpkgs.nix. */
function withoutSystem(failure) {
    if (!/Neither [`']?nixpkgs\.hostPlatform[`']? nor the legacy option/.test(failure.message))
        return null;
    return {
        message: 'The configuration does not define the system of the host.',
        cure: 'Set `nixpkgs.hostPlatform = "x86_64-linux";` in it, which `nixos-generate-config` writes to hardware-configuration.nix, or set the input `system`, which applies to every NixOS evaluation without one.',
        place: (0,places/* placeOf */.$t)(failure),
    };
}
/** The file that defines the unknown option is a network or a hive: sets of hosts, whose names are no options. */
function networkAsModule(failure) {
    const { message, roots } = failure;
    if (!/The option [`'].+?' does not exist/.test(message))
        return null;
    for (const [, path = ''] of message.matchAll(/\bIn [`'](\/[^\s'`]+)'/g)) {
        const inside = (0,places/* inRepository */.yJ)({ file: path }, roots);
        if (inside === null || !path.endsWith('.nix') || !(0,external_node_fs_.existsSync)(path))
            continue;
        const names = topLevelNames((0,external_node_fs_.readFileSync)(path, 'utf8'));
        const isNetwork = names.has('network');
        if (!isNetwork && !names.has('meta'))
            continue;
        const format = isNetwork ? '`format: morph` (or `format: nixops`)' : '`format: colmena`';
        return {
            message: `${inside.file} is ${isNetwork ? 'a network of morph or NixOps' : 'a hive of colmena'}, which defines hosts, but it is used as a NixOS module.`,
            cure: `Write \`source: ${inside.file}\` and ${format}, or import the modules of its hosts instead.`,
            place: { file: inside.file, line: null, column: null },
        };
    }
    return null;
}
/** The names that the outermost set of a Nix file defines. */
function topLevelNames(text) {
    const names = new Set();
    let depth = 0;
    for (const [token] of (0,scan/* codeOf */.$N)(text).matchAll(/[{}()[\]]|(?<![\w.'-])[A-Za-z_][\w'-]*(?=\s*(?:\.|=(?!=)))/g)) {
        if ('{(['.includes(token))
            depth += 1;
        else if ('})]'.includes(token))
            depth -= 1;
        else if (depth === 1)
            names.add(token);
    }
    return names;
}

;// CONCATENATED MODULE: ./src/plan/evaluation/cause.ts






/** The cause of a failure; null if it is not one of these. */
function causeOf(failure, source) {
    const text = failure.message;
    if (/file 'nixos-config' was not found|cannot look up '<nixos-config>'/.test(text))
        return copiedConfiguration(failure);
    if (/string '' doesn't represent an absolute path/i.test(text)) {
        const variable = emptyVariable(failure, source);
        if (variable !== null)
            return variable;
    }
    if (/stack overflow/i.test(text)) {
        const cycle = endlessImports(failure);
        if (cycle !== null)
            return cycle;
    }
    const encoded = encodedFile(failure, source);
    if (encoded !== null)
        return encoded;
    const wanted = missingPath(failure);
    if (wanted !== null)
        return missingFile(wanted, failure, source);
    return forbiddenFile(failure) ?? misreadConfiguration(failure);
}
/** A file of the target in /etc/nixos, which the machine that evaluates may not even look for. */
function forbiddenFile(failure) {
    // Nix names the first part of the path that may not be read.
    if (!/access to (?:(?:absolute|canonical) )?path '\/etc(?:\/nixos[^']*)?' is forbidden/.test(failure.message))
        return null;
    let wanted = null;
    (0,places/* findInOwn */.Z$)(failure, text => {
        const found = /\/etc\/nixos\/[\w.+/-]+/.exec(text);
        wanted ??= found?.[0] ?? null;
        return found?.index;
    });
    return wanted === null ? null : ofMachine(wanted, failure);
}
/** Only `system.copySystemConfiguration` of nixpkgs' modules reads <nixos-config> (nixos/modules/system/activation/top-level.nix). */
function copiedConfiguration(failure) {
    const place = (0,places/* findInOwn */.Z$)(failure, text => /copySystemConfiguration\s*=\s*(?:lib\.mk\w+\s+)?true/.exec(text)?.index);
    if (place === null)
        return null;
    return {
        message: '`system.copySystemConfiguration = true` copies the configuration.nix of the machine that evaluates, which has none.',
        cure: 'Remove it; with `include-source`, archives and targets have the configuration.',
        place,
    };
}
/** `builtins.getEnv` returns an empty text in pure and in restricted evaluations. */
function emptyVariable(failure, { root }) {
    const pattern = /\bgetEnv\s+("[^"\n]*")/;
    const near = (0,places/* placeOf */.$t)(failure);
    const text = near === null ? '' : (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(root, near.file), 'utf8');
    const inFile = pattern.exec(text);
    const place = near !== null && inFile !== null
        ? { file: near.file, line: (0,scan/* lineOf */.cA)(text, inFile.index), column: 1 }
        : (0,places/* findInOwn */.Z$)(failure, other => pattern.exec(other)?.index);
    if (place === null)
        return null;
    const [, name] = pattern.exec(inFile === null ? (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(root, place.file), 'utf8') : text) ?? [];
    return {
        message: `builtins.getEnv ${name} (${place.file}:${place.line}) is empty, because an evaluation does not read the environment.`,
        cure: 'Write the value into a file of the repository; a secret belongs on the target, not in its configuration.',
        place,
    };
}
function endlessImports(failure) {
    const cycle = importCycle(failure);
    if (cycle === null)
        return null;
    const { files, place } = cycle;
    if (files.length === 1)
        return { message: `${place.file} imports itself.`, cure: 'Remove the import, or correct its path.', place };
    return {
        message: `${place.file} imports ${files.join(', which imports ')}.`,
        cure: 'Remove one of the imports.',
        place,
    };
}
/** A pointer of Git LFS or a file of git-crypt that was evaluated, or that the place of the error reads. */
function encodedFile(failure, { root, repository }) {
    const place = (0,places/* placeOf */.$t)(failure);
    const read = place === null || !(0,external_node_fs_.existsSync)((0,external_node_path_.join)(root, place.file)) ? '' : (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(root, place.file), 'utf8');
    const from = place === null ? root : (0,external_node_path_.dirname)((0,external_node_path_.join)(root, place.file));
    const reads = (file) => referenceTo((0,external_node_path_.join)(root, file), from, read) !== null;
    const found = repository?.encoded.find(({ file }) => place?.file === file || failure.message.includes(`/${file}'`) || reads(file));
    if (found === undefined)
        return null;
    const { file, by } = found;
    return by === 'Git LFS'
        ? {
            message: `${file} is kept in Git LFS, and the checkout has only a pointer to it.`,
            cure: 'Set `lfs: true` of actions/checkout, or run `git lfs pull`.',
            place,
        }
        : {
            message: `${file} is encrypted by git-crypt.`,
            cure: 'Run `git-crypt unlock` before this step, or do not evaluate its content: what is evaluated can be read by everyone on the target.',
            place,
        };
}
/** The path that Nix did not find, as it names it. */
function missingPath({ message }) {
    const match = /path '([^']+)' does not exist/i.exec(message) ??
        /(?:getting status of|opening file|reading directory) '([^']+)': No such file or directory/.exec(message) ??
        /Path '([^']+)' (?:in the repository|does not exist in Git repository)/.exec(message) ??
        /file '([^']+)' does not exist/i.exec(message);
    return match?.[1]?.replace(/^«[^»]*»\//, '') ?? null;
}
function missingFile(wanted, failure, { root, repository }) {
    const inside = (0,external_node_path_.isAbsolute)(wanted) ? (0,places/* inRepository */.yJ)({ file: wanted }, failure.roots) : { file: wanted };
    if (inside === null)
        return wanted.startsWith('/etc/nixos/') ? ofMachine(wanted, failure) : null;
    const { file } = inside;
    const importer = (0,places/* findInOwn */.Z$)(failure, (text, folder) => referenceTo((0,external_node_path_.join)(root, file), (0,external_node_path_.join)(root, folder), text));
    const place = importer ?? (0,places/* placeOf */.$t)(failure);
    const by = importer === null ? '' : `, which ${importer.file}:${importer.line} reads,`;
    const submodule = repository?.submodules.find(({ path, checkedOut }) => !checkedOut && (file === path || file.startsWith(`${path}/`)));
    if (submodule !== undefined) {
        return {
            message: `${file}${by} is in the submodule ${submodule.path}, which is not checked out.`,
            cure: 'Set `submodules: true` of actions/checkout, or run `git submodule update --init --recursive`.',
            place,
        };
    }
    if (repository !== null && (0,external_node_fs_.existsSync)((0,external_node_path_.join)(root, file))) {
        return {
            message: `${file}${by} is not tracked by Git, and Nix sees only tracked files of a flake.`,
            cure: `Run \`git add ${file}\` and commit it.`,
            place,
        };
    }
    const how = file.endsWith('hardware-configuration.nix')
        ? ' `nixos-generate-config --show-hardware-config` prints it on the machine.'
        : '';
    return repository === null
        ? { message: `${file}${by} does not exist.`, cure: `Create it, or correct the path.${how}`, place }
        : { message: `${file}${by} is not in the repository.`, cure: `Commit it, or correct the path.${how}`, place };
}
function ofMachine(wanted, failure) {
    const importer = (0,places/* findInOwn */.Z$)(failure, text => {
        const at = text.indexOf(wanted);
        return at < 0 ? undefined : at;
    });
    const by = importer === null ? '' : `, which ${importer.file}:${importer.line} reads,`;
    return {
        message: `${wanted}${by} is a file of the target, and the configuration is not evaluated there.`,
        cure: 'Commit a copy of it, and write its path relative to the file that reads it.',
        place: importer ?? (0,places/* placeOf */.$t)(failure),
    };
}
/** The offset of a relative path to `file` in the text of a Nix file in `folder`, both absolute; null if there is none. */
function referenceTo(file, folder, text) {
    for (const match of text.matchAll(/\.{1,2}\/[\w.+/-]*/g)) {
        const path = (0,external_node_path_.resolve)(folder, match[0]);
        if (path === file || (0,external_node_path_.join)(path, 'default.nix') === file)
            return match.index;
    }
    return null;
}

;// CONCATENATED MODULE: ./src/plan/evaluation/diagnose.ts




/** Characters of a trace that the plan keeps. */
const traceLength = 16 * 1024;
const memoryCure = 'Nothing is known to be wrong with the configuration: use a machine with more memory, or raise the limit of the container. One host of a current NixOS needs about 400 MB.';
/** The failure of one host, as the plan reports it. */
function evaluationFailure(host, failure, source) {
    const { message, place } = meaning(failure, source);
    return {
        host,
        message,
        trace: bothEnds(failure.printed),
        file: place?.file ?? null,
        line: place?.line ?? null,
        column: place?.column ?? null,
    };
}
/** The error for a failure that no single host caused: the source as a whole cannot be evaluated. */
function sourceFailure(failure, fallback, source) {
    const { message, place } = meaning(failure, source);
    return new errors/* UserError */.yo(message, { where: place === null ? fallback : known(place), cause: failure.printed });
}
/** A place without what is not known of it. */
function known({ file, line, column }) {
    return { file, ...(line === null ? {} : { line }), ...(column === null ? {} : { column }) };
}
/** What failed, what that means and what to do, if it is known; otherwise Nix's message. */
function meaning(failure, source) {
    if (failure.kind === 'memory') {
        // The configuration may be right: nothing of it is the place of the error.
        return { message: `${sentence(failure.message)} ${memoryCure}`, place: null };
    }
    const cause = causeOf(failure, source);
    if (cause !== null)
        return { message: `${cause.message} ${cause.cure}`, place: cause.place };
    const place = (0,places/* placeOf */.$t)(failure);
    const known = (0,explain/* explainNixError */.L)(failure.printed);
    const text = sentence((0,places/* shortPaths */.PM)(failure.message, failure.roots));
    if (known !== null)
        return { message: `${text} It means that ${known.message}. ${known.cure}`, place };
    return { message: place === null ? `${text}${context(failure)}` : text, place };
}
/** For an error that occurs inside nixpkgs: where, and which option leads there. */
function context(failure) {
    const option = (0,places/* optionOf */.XD)(failure);
    const isNews = option !== null && option !== 'system.build.toplevel' && !failure.message.includes(`\`${option}'`);
    const [place] = failure.places;
    const at = place === undefined ? null : (0,places/* shortPaths */.PM)(place.file, failure.roots);
    const parts = [
        ...(place === undefined || at === null || at.startsWith('/') ? [] : [`It occurs at ${at}:${place.line}`]),
        ...(!isNews ? [] : [`the option ${option} leads to it`]),
    ];
    if (parts.length === 0)
        return '';
    const joined = parts.join('; ');
    return ` ${joined.charAt(0).toUpperCase()}${joined.slice(1)}.`;
}
/** Where the trace is too long, its beginning and its end, one of which is the error. */
function bothEnds(printed) {
    if (printed.length <= traceLength)
        return printed;
    const half = traceLength / 2 - 2;
    return `${printed.slice(0, half)}\n…\n${printed.slice(-half)}`;
}
/** Nix's message as a sentence: with a capital letter and a full stop. */
function sentence(message) {
    const text = message
        .replace(/^error: /, '')
        // It is not an option of ours.
        .replace(" (use '--impure' to override)", '')
        // Newer versions of Nix wrap the error of a download.
        .replace(/^Failed to open archive \(Source threw exception: error: ([\s\S]*)\)$/, '$1')
        .trim();
    const once = withoutRepeatedItems(text);
    const cut = once.length > 2_000 ? `${once.slice(0, 2_000)}…` : once;
    const first = cut.charAt(0).toUpperCase() + cut.slice(1);
    return /[.!?…:'"`]$/.test(first) ? first : `${first}.`;
}
/** A module that is imported under two names has its assertions twice. */
function withoutRepeatedItems(text) {
    const [intro = '', ...items] = text.split(/\n(?=- )/);
    return [intro, ...new Set(items.map(item => item.trimEnd()))].join('\n');
}

// EXTERNAL MODULE: ./src/plan/evaluation/flake-reference.ts
var flake_reference = __webpack_require__(55395);
;// CONCATENATED MODULE: ./src/plan/pins/problems.ts







const tarballCure = 'Write the URL of a commit and its hash: `fetchTarball { url = "https://github.com/NixOS/nixpkgs/archive/<commit>.tar.gz"; sha256 = "…"; }` (`nix-prefetch-url --unpack <url>` prints it), or pin it with npins.';
const pathCure = 'Pin nixpkgs in the repository (npins, niv, a flake, or `fetchTarball` with `sha256`) and import that instead, or set the input `nixpkgs` to a pin.';
/** For a search path: NixOS passes the path of its modules to each module. */
function searchPathCure(path) {
    const [, module] = /^nixpkgs\/nixos\/modules\/(.+)$/.exec(path) ?? [];
    const [name] = path.split('/');
    if (name !== 'nixpkgs')
        return `Pin ${name} in the repository (npins, niv, or \`fetchTarball\` with \`sha256\`) and import that instead.`;
    if (module === undefined)
        return pathCure;
    return `Write \`"\${modulesPath}/${module}"\` instead, with \`modulesPath\` among the module's arguments. Or set the input \`nixpkgs\` to a pin.`;
}
const cures = {
    fetchTarball: tarballCure,
    fetchurl: 'Add `sha256`.',
    fetchGit: 'Add `rev`, the commit in 40 hex digits.',
    fetchMercurial: 'Add `rev`.',
    fetchTree: 'Add `rev` and `narHash`.',
    getFlake: 'Add the commit and the hash, `?rev=…&narHash=…`, or make it an input of a locked flake.',
};
/** Files of the repository that were evaluated, relative to its root. */
function ownFiles({ source, roots, files }) {
    const own = new Set();
    for (const file of files) {
        const inside = (0,places/* inRepository */.yJ)({ file }, roots);
        if (inside !== null && (0,external_node_fs_.existsSync)((0,external_node_path_.join)(source.root, inside.file)))
            own.add(inside.file);
    }
    return [...own].sort();
}
/**
 * What is not pinned: what failures report, and what the evaluated files of the repository contain. Nix does not always report
 * a place; the place of such a problem is the file that contains it or else the file that the evaluation started from.
 *
 * @param main relative to the repository's root.
 */
function problemsIn(evidence, failures, main) {
    const inFiles = unpinnedIn(evidence);
    const reported = failures
        .flatMap(failure => pinProblemOf(failure) ?? [])
        .filter(({ what, file }) => !inFiles.some(other => other.what === what && (file ?? other.file) === other.file))
        .map(problem => ({ ...problem, file: problem.file ?? main }));
    const problems = [...reported, ...inFiles];
    return problems.filter((one, index) => problems.findIndex(other => isSame(one, other)) === index);
}
/** Several hosts may fail for one reason. */
function isSame(one, other) {
    return one.what === other.what && one.file === other.file && one.line === other.line;
}
/** Fetches without a hash in the evaluated files of the repository and, if they may be used at all, search paths. */
function unpinnedIn(evidence) {
    const { root, inputs } = evidence.source;
    const isPinned = (path) => evidence.hasNixpkgs && /^<nixpkgs[/>]/.test(path);
    return ownFiles(evidence).flatMap(file => {
        const text = (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(root, file), 'utf8');
        const paths = inputs.nixpkgsPin === 'warn' ? (0,scan/* searchPaths */.z)(text).filter(({ what }) => !isPinned(what)) : [];
        return [
            ...(0,scan/* unpinnedFetches */.cb)(text).map(({ at, what }) => ({
                what: `${what} without ${what === 'fetchTarball' || what === 'fetchurl' ? 'a hash' : 'a revision'}`,
                file,
                line: (0,scan/* lineOf */.cA)(text, at),
                cure: cures[what] ?? tarballCure,
            })),
            ...paths.map(({ at, what }) => ({
                what,
                file,
                line: (0,scan/* lineOf */.cA)(text, at),
                cure: searchPathCure(what.slice(1, -1)),
            })),
        ];
    });
}
/** The problem if an evaluation failed because something is not pinned; null for another failure. */
function pinProblemOf(failure) {
    const place = (0,places/* placeOf */.$t)(failure);
    const at = { file: place?.file ?? null, line: place?.line ?? null };
    const path = /file '([^']+)' was not found in the Nix search path/.exec(failure.message) ??
        /cannot look up '<([^']+)>' in pure evaluation mode/.exec(failure.message);
    // `causeOf` explains <nixos-config>, which is not a pin.
    if (path !== null && path[1] !== 'nixos-config')
        return { what: `<${path[1]}>`, ...at, cure: searchPathCure(path[1] ?? '') };
    if (/<nixpkgs> of the machine would be used/.test(failure.message)) {
        return { what: failure.message.replace(/^error: /, ''), ...at, cure: pathCure };
    }
    const fetch = /in pure evaluation mode, '(fetch\w+)' (?:requires|will not fetch)/.exec(failure.message);
    if (fetch?.[1] !== undefined)
        return { what: `${fetch[1]} without a hash`, ...at, cure: cures[fetch[1]] ?? tarballCure };
    if (/'getFlake' on unlocked flake reference|cannot call 'fetchTree'.*unlocked/.test(failure.message)) {
        return { what: 'a flake reference that is not locked', ...at, cure: cures.getFlake ?? '' };
    }
    const input = (0,flake_reference/* unlockedInput */.Qr)(failure.message);
    if (input === null)
        return null;
    return {
        what: input === '' ? 'a flake input that flake.lock does not lock' : `the flake input ${input}, which is not locked`,
        file: null,
        line: null,
        cure: 'Run `nix flake lock` and commit flake.lock.',
    };
}
/** One error for all problems, with the place of the first. */
function pinError(problems) {
    const [first, ...more] = problems;
    const also = more.slice(0, 5).map(({ what, file, line }) => `${what} (${file ?? '?'}:${line ?? '?'})`);
    return new errors/* UserError */.yo(`Not pinned: ${first.what}.${also.length === 0 ? '' : ` Also: ${[...new Set(also)].join(', ')}.`}`, {
        where: first.file === null
            ? { input: first.input ?? 'source' }
            : { file: first.file, ...(first.line === null ? {} : { line: first.line }) },
        cure: `${first.cure} (\`nixpkgs-pin: warn\` allows it.)`,
    });
}
/** Logs a warning for each problem, at its place. */
function warnOfPins(problems, context) {
    for (const { what, file, line, cure } of problems) {
        context.log.warning(`Not pinned: ${what}. ${cure}`, {
            ...(file === null ? {} : { file }),
            ...(line === null ? {} : { line }),
        });
    }
}
/** The error for a source that cannot be evaluated as a whole. @param main relative to the repository's root. */
function sourceError(failure, main, source) {
    if (source.inputs.nixpkgsPin === 'error') {
        // What is not pinned is mostly the cause of the failure.
        const problems = problemsIn({ source, roots: failure.roots, files: failure.files, hasNixpkgs: false }, [failure], main);
        if (problems.length > 0)
            return pinError(problems);
    }
    return sourceFailure(failure, { file: main }, source);
}

// EXTERNAL MODULE: ./src/plan/repository.ts
var plan_repository = __webpack_require__(73787);
;// CONCATENATED MODULE: ./src/plan/evaluation/source-evaluation.ts
/** Without a prototype: a host may have the name `constructor`. */
function emptyRecords() {
    return { answers: Object.create(null), deployments: Object.create(null), pins: Object.create(null) };
}
/** The evaluation with further records, which replace older ones of the same name. */
function extended(evaluation, more) {
    const { answers, deployments, pins } = emptyRecords();
    return {
        ...evaluation,
        answers: Object.assign(answers, evaluation.answers, more.answers),
        deployments: Object.assign(deployments, evaluation.deployments, more.deployments),
        pins: Object.assign(pins, evaluation.pins, more.pins),
    };
}

// EXTERNAL MODULE: ./src/plan/formats/index.ts + 8 modules
var formats = __webpack_require__(65911);
// EXTERNAL MODULE: ./src/hidden.ts
var src_hidden = __webpack_require__(71555);
;// CONCATENATED MODULE: ./src/plan/secret-text.ts

/** The text of a secret that a source defines inline. */
class SecretText extends src_hidden/* Hidden */.j {
    #text;
    constructor(text) {
        super();
        this.#text = text;
    }
    /** The text itself, for the target that needs it. */
    reveal() {
        return this.#text;
    }
}

;// CONCATENATED MODULE: ./src/plan/cache/serialize.ts



/** Reads what `serialize` returned; null for anything else. */
function deserialize(text) {
    let kept;
    try {
        kept = JSON.parse(text);
    }
    catch {
        return null;
    }
    if (!isSourceEvaluation(kept))
        return null;
    const records = emptyRecords();
    for (const [name, record] of Object.entries(records))
        Object.assign(record, kept[name]);
    return { ...kept, ...records };
}
/** The evaluation as text, without the hosts that have the text of a secret in their configuration. */
function serialize(evaluation) {
    const hasNoSecret = (deployment) => !containsSecret(deployment);
    return JSON.stringify({
        ...evaluation,
        answers: Object.fromEntries(Object.entries(evaluation.answers).filter(([, answer]) => hasNoSecret(answer.deployment))),
        deployments: Object.fromEntries(Object.entries(evaluation.deployments).filter(([, one]) => hasNoSecret(one))),
    });
}
/** Whether a value contains the text of a secret, at any depth. */
function containsSecret(value) {
    if (typeof value !== 'object' || value === null)
        return false;
    return value instanceof SecretText || Object.values(value).some(containsSecret);
}
function isSourceEvaluation(kept) {
    if (!isRecord(kept))
        return false;
    const { format, detected, main, names, notes, answers, deployments, pins } = kept;
    return (formats/* formatNames */.E.includes(format) &&
        isText(detected, null) &&
        isText(main) &&
        areTexts(names) &&
        [notes, answers, deployments, pins].every(isRecord) &&
        Object.entries(answers).every(([name, answer]) => names.includes(name) && isEvaluatedHost(name, answer)) &&
        Object.keys(deployments).every(name => names.includes(name)) &&
        Object.values(pins).every(isPin));
}
function isEvaluatedHost(host, answer) {
    if (!isRecord(answer))
        return false;
    const { name, system, drvPath, output, nixpkgs, nix, wrapper } = answer;
    return (name === host &&
        [system, drvPath, output].every(value => isText(value)) &&
        storePath.test(`${output}`) &&
        storePath.test(`${drvPath}`) &&
        `${drvPath}`.endsWith('.drv') &&
        isText(nixpkgs, null) &&
        isText(wrapper, null) &&
        (nix === null || (isRecord(nix) && areTexts(nix.substituters) && areTexts(nix.trustedPublicKeys))));
}
const storePath = /^\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$/;
function isPin(pin) {
    return isRecord(pin) && isText(pin.revision, null) && isText(pin.narHash, null) && isText(pin.by);
}
function isRecord(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isText(value, or) {
    return typeof value === 'string' || value === or;
}
function areTexts(value) {
    return Array.isArray(value) && value.every(each => typeof each === 'string');
}

;// CONCATENATED MODULE: ./src/plan/cache/actions-cache.ts





/** Version of an entry's format; increase it when older entries can no longer be read. */
const entryVersion = 1;
/**
 * Plans in the Actions cache, with their derivations, because a new machine has none. A plan says which machines to connect to
 * and what to run there, so an entry is used only if it was authenticated with the secret; Nix checks the derivations, whose
 * paths depend on their contents. If anything fails, a warning is logged and the hosts are evaluated.
 */
class ActionsCacheStore {
    #shared;
    #nix;
    #context;
    constructor(shared, nix, context) {
        this.#shared = shared;
        this.#nix = nix;
        this.#context = context;
    }
    async read(names) {
        const { port } = this.#shared;
        const { log, signal } = this.#context;
        try {
            await (0,promises_.rm)(port.directory, { recursive: true, force: true });
            const prefixes = names.map(name => this.#prefixOf(name));
            const key = await port.restore(prefixes[0] ?? '', prefixes);
            if (key === null)
                return null;
            const evaluation = this.#authenticated(await (0,promises_.readFile)((0,external_node_path_.join)(port.directory, 'plan.json'), 'utf8'), names);
            const drvPaths = derivationsOf(evaluation);
            if (drvPaths.length > 0)
                await this.#copy('--from', this.#binaryCache, ...drvPaths);
            log.info(`Restored the plan of ${drvPaths.length} hosts from the cache, ${key}.`);
            return evaluation;
        }
        catch (error) {
            if (signal.aborted)
                throw error;
            log.warning(`The cached plan is not used: ${(0,errors/* explain */.WE)(error)}`);
            return null;
        }
    }
    async write(name, evaluation) {
        const { port, runInBackground } = this.#shared;
        if (port.trusted)
            runInBackground(this.#save(name, evaluation));
        else
            this.#context.log.info('The plan is not cached: other runs must not use what this run evaluates.');
    }
    async #save(name, evaluation) {
        const { port } = this.#shared;
        const { log, signal } = this.#context;
        try {
            const text = serialize(evaluation);
            const hosts = deserialize(text);
            if (hosts === null)
                throw new Error('it cannot be read back');
            await (0,promises_.rm)(port.directory, { recursive: true, force: true });
            await (0,promises_.mkdir)(port.directory, { recursive: true });
            const drvPaths = derivationsOf(hosts);
            if (drvPaths.length === 0)
                return;
            await this.#copy('--to', `${this.#binaryCache}?compression=none`, ...drvPaths);
            const entry = { name, text, mac: this.#mac('plan', name, text) };
            await (0,promises_.writeFile)((0,external_node_path_.join)(port.directory, 'plan.json'), JSON.stringify(entry));
            const names = JSON.stringify(Object.keys(hosts.answers).sort());
            const key = `${this.#prefixOf(name)}${(0,external_node_crypto_.createHash)('sha256').update(names).digest('hex').slice(0, 16)}`;
            if (await port.save(key))
                log.info(`Cached the plan of ${drvPaths.length} hosts, ${key}.`);
            else
                log.warning(`The plan is not cached. If it has an entry already: \`gh cache delete ${key}\`.`);
        }
        catch (error) {
            if (!signal.aborted)
                log.warning(`The plan is not cached: ${(0,errors/* explain */.WE)(error)}`);
        }
    }
    /** Other secrets have other entries, because an entry cannot be overwritten. */
    #prefixOf(name) {
        return `nix-ferry-plan-${entryVersion}-${this.#mac('key').slice(0, 8)}-${name.slice(0, 32)}-`;
    }
    #mac(...words) {
        return (0,external_node_crypto_.createHmac)('sha256', this.#shared.secret.trim()).update(JSON.stringify(words)).digest('hex');
    }
    /** @throws UserError for an entry that is not a plan, has another name or was not made with the secret. */
    #authenticated(json, names) {
        let entry;
        try {
            entry = { ...JSON.parse(json) };
        }
        catch {
            throw new errors/* UserError */.yo('its entry is damaged.');
        }
        const [name, text, mac] = [entry.name, entry.text, entry.mac].map(String);
        const digest = (word) => (0,external_node_crypto_.createHash)('sha256').update(word).digest();
        if (!(0,external_node_crypto_.timingSafeEqual)(digest(mac), digest(this.#mac('plan', name, text))) || !names.includes(name)) {
            throw new errors/* UserError */.yo('its entry was not made with `signing-key`, or for another source.');
        }
        const evaluation = deserialize(text);
        if (evaluation === null)
            throw new errors/* UserError */.yo('its entry has another format.');
        return evaluation;
    }
    get #binaryCache() {
        return `file://${(0,external_node_path_.join)(this.#shared.port.directory, 'derivations')}`;
    }
    async #copy(...args) {
        await this.#nix.run('nix', ['copy', '--derivation', ...args], { signal: this.#context.signal });
    }
}
function derivationsOf({ answers }) {
    return [...new Set(Object.values(answers).map(({ drvPath }) => drvPath))];
}

;// CONCATENATED MODULE: ./src/plan/cache/plan-store.ts



/** Evaluations as files of one directory. */
function directoryStore(directory) {
    const fileOf = (name) => (0,external_node_path_.join)(directory, `${name}.json`);
    return {
        async read(names) {
            for (const name of names) {
                const text = await (0,promises_.readFile)(fileOf(name), 'utf8').catch(() => null);
                if (text !== null)
                    return deserialize(text);
            }
            return null;
        },
        async write(name, evaluation) {
            const file = fileOf(name);
            await (0,promises_.mkdir)(directory, { recursive: true });
            await (0,promises_.writeFile)(`${file}.${process.pid}`, serialize(evaluation), { mode: 0o600 });
            await (0,promises_.rename)(`${file}.${process.pid}`, file);
        },
    };
}

;// CONCATENATED MODULE: ./src/plan/cache/plan-cache.ts










/** The metadata of its commit that a flake can read. */
const commitAttributes = '\\b(rev|shortRev|dirtyRev|revCount|lastModified|lastModifiedDate|sourceInfo)\\b';
/**
 * The cache for a source; null if its state has no name: outside Git, with uncommitted changes, or if no cache is configured.
 *
 * An evaluation is named after everything that it depends on: the files of the source (Git's tree of its folder; that of the
 * whole repository if files outside of the folder may have been read), our adapters, the version of Nix, the kind of machine,
 * and the inputs.
 */
async function planCache(config, source) {
    const place = config.planCache;
    const { repository, nix, context } = source;
    if (place === null || repository === null || repository.dirty || repository.commit === null)
        return null;
    const git = (0,plan_repository/* gitIn */.uM)(source.root, context.query);
    const names = await namesOf(repository.commit, source, config, git);
    if (names === null)
        return null;
    const store = typeof place === 'string' ? directoryStore(place) : new ActionsCacheStore(place, nix, context);
    return {
        read: () => store.read([names.folder, names.repository]),
        async write(evaluation, evidence) {
            const scope = await scopeOf(evidence, git);
            if (scope !== null)
                await store.write(names[scope], evaluation);
        },
    };
}
async function namesOf(commit, source, config, git) {
    const folder = (0,external_node_path_.relative)(source.root, (0,external_node_path_.resolve)(source.folder));
    const [trees, usesCommit, hidden] = await Promise.all([
        git('rev-parse', `${commit}:${folder}`, `${commit}:`),
        git('grep', '-qE', commitAttributes, commit, '--', '*.nix'),
        namesUntracked(commit, git),
    ]);
    if (trees === null || hidden)
        return null;
    const [folderTree, rootTree] = trees.trim().split('\n');
    const inputs = JSON.stringify([
        'plan 2',
        source.nix.installation.version,
        await adaptersDigest(),
        (0,external_node_os_.arch)(),
        folder,
        config.format,
        config.attribute,
        source.files,
        source.inputs.arguments,
        config.nixpkgs,
        config.nixpkgsPin,
        config.system,
        // A flake that reads its commit is different in every commit.
        usesCommit === null ? null : commit,
    ]);
    const nameOf = (scope, tree) => (0,external_node_crypto_.createHash)('sha256').update(`${scope} ${tree} ${inputs}`).digest('hex');
    return { folder: nameOf('source', folderTree), repository: nameOf('repository', rootTree) };
}
/** What the evaluation depends on; null if it depends on more than the repository. */
async function scopeOf(evidence, git) {
    const { folder: absolute, root, inputs } = evidence.source;
    if (inputs.nixpkgsPin === 'warn' || inputs.allowedPaths.length > 0 || readsOther(evidence))
        return null;
    const own = ownFiles(evidence);
    const tracked = new Set(((await git('ls-files', '-z')) ?? '').split('\0'));
    if (own.some(path => !tracked.has(path)))
        return null;
    const texts = await Promise.all(own.map(path => (0,promises_.readFile)((0,external_node_path_.join)(root, path), 'utf8')));
    if (texts.some(scan/* readsMachine */.Pe))
        return null;
    const folder = (0,external_node_path_.relative)(root, (0,external_node_path_.resolve)(absolute));
    if (folder === '')
        return 'folder';
    const entries = await git('ls-files', '-s', '--', absolute);
    const hasLinks = entries === null || /^120000 /m.test(entries);
    const staysInside = own.every((path, index) => {
        const inside = (0,external_node_path_.relative)(folder, (0,external_node_path_.dirname)(path)).split('/').filter(Boolean);
        return inside[0] !== '..' && !(0,scan/* reachesOut */.kz)(texts[index] ?? '', inside.length);
    });
    return staysInside && !hasLinks ? 'folder' : 'repository';
}
/** Whether the repository's Nix files contain the name of an existing file that Git does not track. */
async function namesUntracked(commit, git) {
    const others = ((await git('ls-files', '--others', '--directory', '-z')) ?? '').split('\0').filter(Boolean);
    // The end of a path, as written in Nix.
    const patterns = others.flatMap(path => ['-e', `/${(0,external_node_path_.basename)(path)}`]);
    return patterns.length > 0 && (await git('grep', '-qF', ...patterns, commit, '--', '*.nix')) !== null;
}
/** Whether files were evaluated that are neither in the repository nor in the store nor ours. */
function readsOther({ files, roots }) {
    const known = ['/nix/store', (0,evaluation_adapter/* nixFolder */.cV)(), ...roots];
    return [...files].some(file => file.startsWith('/') && !known.some(folder => file.startsWith(`${folder}/`)));
}
async function adaptersDigest() {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    for (const name of (await (0,promises_.readdir)((0,evaluation_adapter/* nixFolder */.cV)())).sort()) {
        if (name.endsWith('.nix'))
            hash.update(`${name}\0${await (0,promises_.readFile)((0,external_node_path_.join)((0,evaluation_adapter/* nixFolder */.cV)(), name), 'utf8')}\0`);
    }
    return hash.digest('hex');
}

// EXTERNAL MODULE: ./src/nearest.ts
var nearest = __webpack_require__(37909);
// EXTERNAL MODULE: ./src/plan/targets.ts + 1 modules
var plan_targets = __webpack_require__(51897);
;// CONCATENATED MODULE: ./src/plan/host.ts






/** Reads the input `targets`. @throws UserError for a host that is not one of `names`. */
function readTargets(targets, names) {
    return Object.fromEntries(Object.entries(targets).map(([host, value]) => {
        if (!names.includes(host))
            throw unknownHost(host, names, 'targets');
        return [host, (0,plan_targets/* parseTargetSettings */.ae)(value, `targets.${host}`)];
    }));
}
/** The error for a host that does not exist, with the most similar name and all known names. */
function unknownHost(host, names, input) {
    const meant = (0,nearest/* nearest */.p)(host, names);
    return new errors/* UserError */.yo(`There is no host ${JSON.stringify(host)}.`, {
        where: { input },
        cure: `${meant === null ? '' : `Did you mean ${JSON.stringify(meant)}? `}Known hosts: ${names.join(', ')}.`,
    });
}
/** A host's target: the settings of the input `targets` override those of the source. */
function targetSettingsOf(fromSource, host, targets) {
    const own = fromSource === null || fromSource === undefined
        ? {}
        : (0,plan_targets/* parseTargetSettings */.ae)(fromSource, `the target of ${JSON.stringify(host)}`, 'source');
    const both = (0,plan_targets/* layer */.qd)(own, targets[host] ?? {});
    return { ...both, tags: both.tags ?? [] };
}
/**
 * A source's settings for a target, valid in every checkout: files of secrets inside the repository become relative to the
 * source's folder. Texts of secrets become SecretText.
 *
 * @param roots folders with the contents of the repository's root; the first is the work tree.
 */
function portable(settings, source, roots) {
    const { secrets } = (settings ?? {});
    if (!Array.isArray(secrets))
        return settings ?? null;
    const moved = secrets.map(secret => {
        if ('text' in secret.source)
            return { ...secret, source: { text: new SecretText(String(secret.source.text)) } };
        if (!('file' in secret.source))
            return secret;
        const inside = (0,places/* inRepository */.yJ)({ file: secret.source.file }, roots);
        if (!(0,external_node_path_.isAbsolute)(secret.source.file) || inside === null)
            return secret;
        return { ...secret, source: { file: (0,external_node_path_.relative)(source, (0,external_node_path_.join)(roots[0] ?? source, inside.file)) } };
    });
    return { ...settings, secrets: moved };
}
/** A host of the plan. @param folder the source's folder, which relative files of secrets start from. */
function hostOf(evaluated, nixpkgs, targets, folder) {
    const settings = targetSettingsOf(evaluated.deployment, evaluated.name, targets);
    const problem = (0,plan_targets/* unusable */._P)(settings);
    return {
        name: evaluated.name,
        system: evaluated.system,
        toplevel: { drvPath: evaluated.drvPath, outPath: evaluated.output },
        target: problem === null ? (0,plan_targets/* targetOf */.$r)(settings) : null,
        unusable: problem,
        tags: settings.tags,
        buildOnly: settings.address === false,
        healthChecks: { cmd: [], http: [], ...settings.healthChecks },
        preDeployChecks: { cmd: [], http: [], ...settings.preDeployChecks },
        secrets: (settings.secrets ?? []).map(secret => ({ ...secret, source: sourceIn(folder, secret.source) })),
        overrides: (0,plan_targets/* overridesOf */.FB)(settings),
        nixpkgs,
        nix: evaluated.nix,
    };
}
/** Where a secret is read, independent of the current directory. */
function sourceIn(folder, source) {
    if ('file' in source)
        return { file: (0,external_node_path_.resolve)(folder, source.file) };
    return 'command' in source ? { command: source.command, folder } : source;
}

;// CONCATENATED MODULE: ./src/plan/pins/folders.ts

/** The folders from `folder` up to `root`, which contains it; both included. */
function foldersUpTo(root, folder) {
    return folder === root || folder === (0,external_node_path_.dirname)(folder) ? [folder] : [folder, ...foldersUpTo(root, (0,external_node_path_.dirname)(folder))];
}

;// CONCATENATED MODULE: ./src/plan/pins/pin.ts






/**
 * How each nixpkgs is pinned. What is not pinned is an error, or a warning if `nixpkgs-pin` is `warn`.
 *
 * @param paths the nixpkgs that hosts are built from.
 * @param failures of hosts.
 * @param main the file that the evaluation started from, relative to the repository's root.
 * @returns path → pin. @throws UserError for everything that is not pinned, with the place of the first.
 */
async function checkNixpkgsPins(paths, failures, main, evidence) {
    const { inputs, context } = evidence.source;
    const problems = problemsIn(evidence, failures, main);
    const pins = {};
    for (const path of new Set(paths)) {
        const pin = await pinOf(path, evidence);
        if (pin !== null)
            pins[path] = pin;
        else if (problems.length === 0)
            problems.push(withoutHash(path, evidence));
    }
    if (problems.length > 0 && inputs.nixpkgsPin === 'error')
        throw pinError(problems);
    warnOfPins(problems, context);
    return pins;
}
function withoutHash(path, evidence) {
    if (evidence.source.inputs.nixpkgs === path) {
        return {
            what: `the input nixpkgs, ${path}, whose hash is nowhere in the repository`,
            input: 'nixpkgs',
            file: null,
            line: null,
            cure: `Write it with its hash: \`path:${path}?narHash=sha256-…\` (\`nix hash path ${path}\` prints it).`,
        };
    }
    return {
        what: `the nixpkgs at ${path}, whose hash is nowhere in the repository`,
        file: ownFiles(evidence)[0] ?? null,
        line: null,
        cure: 'Fetch it by its hash: a flake, npins, niv, or `fetchTarball` with `sha256`.',
    };
}
/**
 * How the nixpkgs at a path is pinned: by the repository's own commit, or by a hash in the repository.
 *
 * It looks for the hash itself, however the pin is written, so that it finds npins, niv, flakes, `fetchTarball` and
 * everything else that fetches by hash.
 */
async function pinOf(path, evidence) {
    const { repository, inputs, nix } = evidence.source;
    const inside = (0,places/* inRepository */.yJ)({ file: (0,external_node_path_.join)(path, 'x') }, evidence.roots);
    if (inside !== null) {
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
    const { nixpkgs } = inputs;
    if (nixpkgs?.includes('narHash=') && decodeURIComponent(nixpkgs).includes(narHash)) {
        return { revision: /\b[0-9a-f]{40}\b/.exec(nixpkgs)?.[0] ?? null, narHash, by: 'the input nixpkgs' };
    }
    const base32 = (await nix.run('nix-hash', ['--type', 'sha256', '--to-base32', narHash])).stdout.trim();
    return pinInFiles(narHash, base32, evidence);
}
/** The place in the repository's files that contains the hash, in any of its three encodings, or a revision to fetch. */
function pinInFiles(narHash, base32, evidence) {
    const base64 = narHash.replace('sha256-', '');
    const hashes = [base64, base32, Buffer.from(base64, 'base64').toString('hex')];
    let byRevision = null;
    for (const file of filesWithPins(evidence)) {
        const text = (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(evidence.source.root, file), 'utf8');
        const at = hashes.map(hash => text.indexOf(hash)).find(index => index >= 0);
        if (at !== undefined)
            return { revision: revisionNear(text, at), narHash, by: placeIn(file, text, at) };
        const git = /\b(?:fetchGit|fetchTree|getFlake)\b[\s\S]{0,400}?\b([0-9a-f]{40})\b/.exec(text);
        if (byRevision === null && file.endsWith('.nix') && git?.[1] !== undefined) {
            byRevision = { revision: git[1], narHash, by: placeIn(file, text, git.index) };
        }
    }
    return byRevision;
}
function placeIn(file, text, at) {
    return file.endsWith('.nix') ? `${file}:${(0,scan/* lineOf */.cA)(text, at)}` : file;
}
async function narHashOf(path, nix) {
    const [info] = await nix.closure([path]).catch(() => []);
    return info?.narHash ?? null;
}
/** Evaluated files, and the lock files next to them or above the source. */
function filesWithPins(evidence) {
    const { root, folder: source } = evidence.source;
    const own = ownFiles(evidence);
    const above = foldersUpTo(root, (0,external_node_path_.resolve)(source)).map(folder => (0,external_node_path_.relative)(root, folder));
    const folders = new Set([...above, ...own.map(file => (0,external_node_path_.dirname)(file))]);
    const locks = [...folders].flatMap(folder => {
        const path = (0,external_node_path_.join)(root, folder);
        if (!(0,external_node_fs_.existsSync)(path))
            return [];
        return (0,external_node_fs_.readdirSync)(path)
            .filter(name => /\.(?:lock|json|toml)$/.test((0,external_node_path_.basename)(name)))
            .map(name => (0,external_node_path_.join)(folder, name));
    });
    return [...new Set([...locks, ...own])];
}
/** The revision nearest to a hash: in the same entry of a lock file, or in the URL next to it. */
function revisionNear(text, at) {
    const { start, end } = bracesAround(text, at);
    // A URL may use a variable that is defined before the fetch.
    const isWhole = !/\$\{|\binherit\b|\brev\s*;/.test(text.slice(start, end));
    let best = null;
    for (const match of text.matchAll(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g)) {
        if (isWhole && (match.index < start || match.index > end))
            continue;
        const distance = Math.abs(match.index - at);
        if (distance < 1_000 && (best === null || distance < best.distance))
            best = { revision: match[0], distance };
    }
    return best?.revision ?? null;
}
/** The innermost `{ … }` around an offset, or the whole text. */
function bracesAround(text, at) {
    let depth = 0;
    let start = at;
    for (; start >= 0 && depth <= 0; start--)
        depth += text[start] === '{' ? 1 : text[start] === '}' ? -1 : 0;
    let end = at;
    for (depth = 0; end < text.length && depth <= 0; end++)
        depth += text[end] === '}' ? 1 : text[end] === '{' ? -1 : 0;
    return { start: start + 1, end };
}
/** Logs which nixpkgs the hosts are built from, and how it is pinned. */
function logPins(hosts, log) {
    const hostsOf = new Map();
    for (const { name, nixpkgs } of hosts) {
        if (nixpkgs === null)
            continue;
        const version = [nixpkgs.revision, nixpkgs.narHash].filter(each => each !== null).join(', ') || 'without a commit';
        const what = `nixpkgs ${version}, pinned by ${nixpkgs.by}`;
        hostsOf.set(what, [...(hostsOf.get(what) ?? []), name]);
    }
    for (const [what, names] of hostsOf)
        log.info(`${what}: ${names.join(', ')}`);
}

// EXTERNAL MODULE: ./src/nix/derivation.ts
var derivation = __webpack_require__(56754);
;// CONCATENATED MODULE: ./src/plan/wrapper.ts


/** Maximum depth of a toplevel in the package around it: a link farm in a link farm has depth three. */
const depth = 4;
const toplevel = /^\/nix\/store\/[a-z0-9]{32}-(nixos-system-.+)\.drv$/;
/**
 * Finds the toplevel inside a package that contains one, as deploy-rs' profiles and packages with a switch script do, by the
 * references of its derivation. A host that is not a package is returned unchanged, and a toplevel is the package itself.
 *
 * @throws UserError if the package contains no NixOS system, or several.
 */
async function unwrapToplevel(host, nix) {
    if (host.wrapper === null)
        return host;
    // A toplevel contains those of its specialisations.
    const itself = toplevelsIn([host.wrapper]);
    const toplevels = itself.length > 0 ? itself : await toplevelsInside(host.wrapper, nix);
    if (toplevels.includes(host.drvPath))
        return host;
    const [drvPath, other] = toplevels;
    if (drvPath === undefined) {
        throw new errors/* UserError */.yo(`${JSON.stringify(host.name)} is a package that contains no NixOS system.`, {
            where: { host: host.name },
            cure: 'Write config.system.build.toplevel, or a package that links to one; in deploy-rs, `activate.nixos self.nixosConfigurations.<name>`.',
        });
    }
    if (other !== undefined) {
        throw new errors/* UserError */.yo(`${JSON.stringify(host.name)} is a package that contains several NixOS systems: ${toplevels.join(', ')}.`, {
            where: { host: host.name },
            cure: 'Write the attribute of one of them.',
        });
    }
    const { stdout } = await nix.run('nix-store', ['--query', '--outputs', drvPath]);
    const system = (await (0,derivation/* systemsOf */.cT)([drvPath], nix)).get(drvPath) ?? 'unknown';
    return { ...host, drvPath, output: stdout.trim(), system };
}
async function toplevelsInside(wrapper, nix) {
    let level = [wrapper];
    const seen = new Set(level);
    for (let i = 0; i < depth && level.length > 0; i++) {
        const { stdout } = await nix.run('nix-store', ['--query', '--references', ...level]);
        const references = [...new Set(stdout.split('\n').filter(path => path.endsWith('.drv') && !seen.has(path)))];
        const toplevels = toplevelsIn(references);
        if (toplevels.length > 0)
            return toplevels.sort();
        for (const path of references)
            seen.add(path);
        level = references;
    }
    return [];
}
/** deploy-rs names its scripts after the toplevel: `nixos-system-web-25.05-activate-rs` is not one. */
function toplevelsIn(drvPaths) {
    const named = drvPaths.flatMap(path => {
        const [, name] = toplevel.exec(path) ?? [];
        return name === undefined ? [] : [{ path, name }];
    });
    return named.filter(({ name }) => !named.some(other => name.startsWith(`${other.name}-`))).map(({ path }) => path);
}

;// CONCATENATED MODULE: ./src/plan/complete.ts






/**
 * Adds the targets and tags of `hosts`, and the complete evaluation of those that `selection` selects.
 *
 * @throws UserError if a nixpkgs is not pinned, unless `nixpkgs-pin` is `warn`.
 */
async function addTagged(hosts, selection, evaluation, opened) {
    opened.source.context.log.info(`Reading the tags of ${hosts.length} hosts.`);
    return added(await opened.evaluateTagged(hosts, selection), evaluation, opened);
}
/**
 * Adds the complete evaluation of `hosts`; the derivations are in the store afterwards.
 *
 * @throws UserError if a nixpkgs is not pinned, unless `nixpkgs-pin` is `warn`.
 */
async function addHosts(hosts, evaluation, opened) {
    return added(await opened.evaluate(hosts), evaluation, opened);
}
async function added(results, evaluation, opened) {
    const known = results.flatMap(result => ('answer' in result ? result.answer : (result.before ?? [])));
    const failed = results.flatMap(result => ('failure' in result ? [result] : []));
    const pins = await checkNixpkgsPins(known.flatMap(({ nixpkgs }) => nixpkgs ?? []), failed.map(({ failure }) => failure), evaluation.main, opened.evidence);
    const failures = failed.map(({ host, failure }) => evaluationFailure(host, failure, opened.source));
    const answers = {};
    const deployments = {};
    for (const host of known) {
        try {
            const deployment = portableDeployment(host, opened);
            if (isWhole(host))
                answers[host.name] = { ...(await unwrapToplevel(host, opened.source.nix)), deployment };
            deployments[host.name] = deployment;
        }
        catch (error) {
            failures.push(hostFailure(host.name, error, evaluation.main));
        }
    }
    return { evaluation: extended(evaluation, { answers, deployments, pins }), failures };
}
function isWhole(host) {
    return host.drvPath !== undefined;
}
/** The failure for an error in what the source defines for a host. @throws `error` if it is not a UserError. */
function hostFailure(host, error, main) {
    if (!(error instanceof errors/* UserError */.yo))
        throw error;
    return { host, message: (0,errors/* explain */.WE)(error), trace: '', file: main, line: null, column: null };
}
function portableDeployment({ deployment }, { source, evidence }) {
    return portable(deployment, source.folder, evidence.roots);
}

// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
;// CONCATENATED MODULE: ./src/plan/evaluation/memory.ts



/** Where Linux says which cgroup a process is in, and where cgroups are mounted. */
const proc = { cgroup: '/proc/self/cgroup', mountinfo: '/proc/self/mountinfo' };
/** The files of one version of cgroups: the limit, what is used, and the statistics with the part that is only a cache. */
const versions = [
    {
        type: 'cgroup2',
        controller: '',
        limit: 'memory.max',
        used: 'memory.current',
        cache: /^(?:in)?active_file (\d+)$/gm,
    },
    {
        type: 'cgroup',
        controller: 'memory',
        limit: 'memory.limit_in_bytes',
        used: 'memory.usage_in_bytes',
        cache: /^total_(?:in)?active_file (\d+)$/gm,
    },
];
/**
 * Bytes that this process and its children may still use: the machine's free memory or, in a container with a limit, what is
 * left of that. The kernel ends processes beyond a limit, however much memory the machine has.
 */
async function availableMemory() {
    const [cgroups, mounts] = await Promise.all([textOf(proc.cgroup), textOf(proc.mountinfo)]);
    const left = await Promise.all(versions.map(async (version) => {
        const folders = foldersOf(version, cgroups, mounts);
        return Promise.all(folders.map(folder => leftIn(folder, version)));
    }));
    return Math.max(0, Math.min((0,external_node_os_.freemem)(), ...left.flat()));
}
/**
 * The folders of the process' cgroup and of those that contain it, as far as they are mounted.
 *
 * @param cgroups lines `<id>:<controllers>:<path>`, cgroups(7). @param mounts of proc_pid_mountinfo(5).
 */
function foldersOf({ type, controller }, cgroups, mounts) {
    const own = cgroups.split('\n').map(line => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
    const path = own.find(([, controllers]) => controllers?.split(',').includes(controller))?.[2];
    for (const line of path === undefined ? [] : mounts.split('\n')) {
        const [before = '', after = ''] = line.split(' - ');
        const [, , , root = '', point = ''] = before.split(' ');
        const [found, , options = ''] = after.split(' ');
        if (found !== type || (controller !== '' && !options.split(',').includes(controller)))
            continue;
        // A container may see the mount of its own cgroup only, and the path of that on the machine.
        const inside = (0,external_node_path_.relative)(root, path ?? '');
        return upTo(point, inside.startsWith('..') ? point : (0,external_node_path_.join)(point, inside));
    }
    return [];
}
/** The folders from `folder` up to `top`, both included. */
function upTo(top, folder) {
    return folder === top || folder === (0,external_node_path_.dirname)(folder) ? [folder] : [folder, ...upTo(top, (0,external_node_path_.dirname)(folder))];
}
/** Bytes that are left of a cgroup's limit; infinite without one. Cached files are given up if memory is short. */
async function leftIn(folder, { limit, used, cache }) {
    const [most, now, statistics] = await Promise.all([limit, used, 'memory.stat'].map(file => textOf((0,external_node_path_.join)(folder, file))));
    const bytes = Number.parseInt(most ?? '', 10);
    if (Number.isNaN(bytes))
        return Number.POSITIVE_INFINITY;
    const cached = Array.from((statistics ?? '').matchAll(cache), ([, amount]) => Number(amount));
    return bytes - (Number.parseInt(now ?? '', 10) || 0) + cached.reduce((sum, amount) => sum + amount, 0);
}
/** Empty for a file that does not exist, for example on macOS. */
function textOf(file) {
    return (0,promises_.readFile)(file, 'utf8').catch(() => '');
}

;// CONCATENATED MODULE: ./src/plan/evaluation/evaluate.ts



/** The least memory with which an evaluator is useful; a host takes 50 MB (nixpkgs 17.09) to 400 MB (25.05) of it. */
const leastMemory = 768 * 1024 * 1024;
/** The part of the available memory that the heaps of evaluators may take: they need more than their heaps, and so do we. */
const heapShare = 0.8;
/** With fewer hosts, another evaluator costs more than it saves: each one reads nixpkgs' libraries and packages again. */
const leastHosts = 2;
/** The number of evaluators for `hosts` hosts. */
function processes(hosts, processors, jobs, memory) {
    const most = Math.min(jobs ?? processors, Math.floor(memory / leastMemory), Math.ceil(hosts / leastHosts));
    return Math.max(1, most);
}
/** Splits `items` into `count` lists of nearly equal length, each in order. */
function deal(items, count) {
    return Array.from({ length: Math.min(count, items.length) }, (_, hand) => items.filter((_item, index) => index % count === hand));
}
/**
 * Evaluates the names of the hosts. A single host is evaluated as a whole at the same time: its name may be part of its
 * configuration, which would otherwise be evaluated twice.
 *
 * @throws `options.errorFor` if Nix fails before the names are known.
 */
async function evaluateNames(adapter, options) {
    const heap = await memoryFor(options.budget);
    const onEvent = progressOf('hosts', options.context);
    const result = await (0,evaluation_adapter/* callAdapter */.O4)({ ...adapter, heap }, { attribute: 'opened' }, options, onEvent);
    const { opened: names, failure, begun, files } = result;
    if (names !== null && (failure === null || begun !== null)) {
        return { ...names, sole: names.names.length === 1 ? result : null, files };
    }
    throw failure === null ? new Error('an adapter has reported no names') : options.errorFor(failure);
}
async function memoryFor({ memory }) {
    return memory ?? heapShare * (await availableMemory());
}
/**
 * Evaluates hosts in as many evaluators as processors, memory and the number of hosts justify. If a host fails, the others are
 * not affected: the answers before it are kept, and the remaining hosts are evaluated by a new evaluator.
 *
 * @param sole what `evaluateNames` returned for the only host.
 * @throws `options.errorFor` if Nix fails before it has begun with any host.
 */
async function evaluateHosts(adapter, { attribute, hosts, ...more }, options, sole = null) {
    const { budget, nix, context } = options;
    const memory = await memoryFor(budget);
    const count = processes(hosts.length, nix.processors, budget.jobs, memory);
    const files = new Set();
    const warnings = new Map();
    const results = new Map();
    const outOfMemory = [];
    let known = sole;
    const onEvent = progressOf(attribute, context);
    const run = async (names, heap, last) => {
        let queue = { rest: names, most: names.length };
        while (queue.rest.length > 0) {
            const call = { ...more, attribute, hosts: queue.rest.slice(0, queue.most) };
            const result = known ?? (await (0,evaluation_adapter/* callAdapter */.O4)({ ...adapter, heap }, call, options, onEvent));
            known = null;
            for (const file of result.files)
                files.add(file);
            for (const [text, its] of result.warnings) {
                // Before it begins with a host, an evaluator evaluates what hosts have in common, or the name of its only host.
                const whose = its.size > 0 ? its : call.hosts;
                warnings.set(text, [...new Set([...(warnings.get(text) ?? []), ...whose])]);
            }
            for (const answer of result.answers)
                results.set(answer.name, { host: answer.name, answer });
            const { failure, begun: culprit } = result;
            if (failure !== null && culprit === null)
                throw options.errorFor(failure);
            const done = culprit === null ? call.hosts.length : call.hosts.indexOf(culprit);
            queue = after(queue, done, failure, names.length);
            // A host that is still in the queue is evaluated again.
            if (failure === null || culprit === null || queue.rest[0] === culprit)
                continue;
            if (failure.kind === 'memory' && !last) {
                outOfMemory.push(culprit);
                continue;
            }
            // The reason is reported once for all hosts that have it.
            context.progress({ host: culprit, stage: 'plan', state: 'failed', text: 'not evaluated' });
            const before = result.answers.findLast(({ name }) => name === culprit);
            results.set(culprit, { host: culprit, failure, before });
        }
    };
    const hands = deal(hosts, count);
    await (0,concurrency/* mapConcurrently */.X)(hands, hands.length, hand => run(hand, memory / count, false));
    // Each of them alone with all of the memory.
    for (const host of outOfMemory)
        await run([host], memory, true);
    for (const [text, its] of warnings)
        context.log.warning(`Evaluating ${its.join(', ')}: ${text}`);
    return { hosts: hosts.flatMap(host => results.get(host) ?? []), files };
}
/**
 * The queue after an evaluator has ended. It keeps all that it has evaluated: if it ran out of memory after some hosts, the
 * next host begins a new one, and no evaluator gets more hosts than fitted into this one.
 *
 * @param done the hosts that it has evaluated. @param all the length of the queue at first.
 */
function after({ rest, most }, done, failure, all) {
    if (failure === null)
        return { rest: rest.slice(done), most };
    if (failure.kind !== 'memory')
        return { rest: rest.slice(done + 1), most };
    if (done > 0)
        return { rest: rest.slice(done), most: done };
    // It is too large for an evaluator by itself, which says nothing about the others.
    return { rest: rest.slice(1), most: all };
}
/** Hosts whose tags are read may not be selected: one of them is evaluated only if it is begun a second time. */
function progressOf(attribute, { progress }) {
    const known = new Set();
    const shown = new Set();
    return event => {
        if ('opened' in event)
            return;
        const host = 'begun' in event ? event.begun : event.answer.name;
        if ('begun' in event && (attribute === 'hosts' || known.has(host))) {
            shown.add(host);
            progress({ host, stage: 'plan', state: 'running', text: 'evaluating' });
        }
        else if ('answer' in event && shown.has(host)) {
            progress({ host, stage: 'plan', state: 'done', text: 'evaluated' });
        }
        else
            known.add(host);
    };
}

// EXTERNAL MODULE: ./src/plan/formats/adapter.ts
var formats_adapter = __webpack_require__(79451);
;// CONCATENATED MODULE: ./src/plan/formats/elsewhere.ts


/** Folders below a source that are looked at. */
const elsewhere_depth = 3;
/** Names of files that `source` may name although they are not found by themselves. */
const alsoUsual = ['colmena.nix', 'hosts.nix', 'machines.nix', 'deploy.nix'];
/**
 * Files in and below a folder that `source` could have meant, for an error: those with a usual name, or else all Nix files of
 * the folder itself. Relative to the folder, at most five, those nearest to it first.
 */
function elsewhere(folder, usual) {
    const names = [...usual, ...alsoUsual];
    const found = [];
    let level = [''];
    for (let i = 0; i < elsewhere_depth && level.length > 0; i++) {
        const next = [];
        for (const below of level) {
            const entries = (0,external_node_fs_.readdirSync)((0,external_node_path_.join)(folder, below), { withFileTypes: true });
            for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
                const path = (0,external_node_path_.join)(below, entry.name);
                if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
                    next.push(path);
                else if (names.includes(entry.name))
                    found.push(path);
            }
        }
        level = next;
    }
    const others = found.length > 0 ? found : (0,external_node_fs_.readdirSync)(folder).filter(name => name.endsWith('.nix'));
    return others.slice(0, 5);
}

;// CONCATENATED MODULE: ./src/plan/formats/detect.ts








/**
 * Detects the format of a source.
 *
 * @throws UserError if no format matches, or more than one.
 */
async function detect(source) {
    const { folder, files } = source;
    const candidates = files.length > 0 ? await amongFiles(source) : await inFolder(source);
    const [first, second] = candidates;
    if (first === undefined)
        throw files.length > 0 ? unknownFiles(files) : nothingFound(folder);
    if (second !== undefined)
        throw ambiguous(first, second);
    return first;
}
/** Looks for the usual files. The files of generic formats count only if there are no others. */
async function inFolder(source) {
    const has = (file) => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(source.folder, file));
    const specific = formats/* formatNames */.E.filter(format => formats/* formats */.F[format].generic !== true);
    const flakes = has('flake.nix') ? await inFlake('flake.nix', source) : [];
    const others = [];
    for (const file of new Set(specific.flatMap(format => formats/* formats */.F[format].mainFiles))) {
        if (!has(file))
            continue;
        const owners = specific.filter(format => formats/* formats */.F[format].mainFiles.includes(file));
        const found = owners.length > 1 ? bySigns(file, owners, await outlineOf(file, source)) : named(file, owners);
        // The output `colmena` of a flake mostly comes from hive.nix.
        others.push(...found.filter(({ format }) => !flakes.some(flake => flake.format === format)));
    }
    const [flake] = flakes;
    const read = flake === undefined || others.length === 0 ? new Set() : await filesOf(flake, source);
    const candidates = [...flakes, ...others.filter(({ main }) => !read.has(main))];
    if (candidates.length > 0)
        return candidates;
    for (const format of formats/* formatNames */.E) {
        const { generic, mainFiles, find } = formats/* formats */.F[format];
        const existing = find?.(source.folder) ?? mainFiles.filter(has);
        const [main] = existing;
        if (generic !== true || main === undefined)
            continue;
        // Hosts in folders of their own are one source; other files are alternatives.
        const mains = find === undefined ? existing : [main];
        return mains.map(file => ({
            format,
            main: file,
            why: find === undefined || existing.length === 1 ? `${file} exists` : `${existing.join(', ')} exist`,
        }));
    }
    return [];
}
/** The files that the evaluation of a candidate reads to know its hosts, relative to the source's folder. */
async function filesOf({ format, main }, source) {
    const adapter = await formats/* formats */.F[format].adapter(main, source);
    const { value, failure, files } = await (0,evaluation_adapter/* callAdapter */.O4)(adapter, { attribute: 'names' }, source);
    const roots = failure?.roots ?? [...adapter.roots, value.root];
    const folder = (0,external_node_path_.relative)(source.root, source.folder);
    return new Set([...files].flatMap(file => {
        const inside = (0,places/* inRepository */.yJ)({ file }, roots);
        return inside === null ? [] : [(0,external_node_path_.relative)(folder, inside.file)];
    }));
}
/** Looks at the files that the input `source` names: at their names and, if those are not usual ones, at their contents. */
async function amongFiles(source) {
    const { files } = source;
    const [main = '', ...others] = files;
    if (others.length === 0 && (0,formats_adapter/* isFlake */.G5)(main))
        return inFlake(main, source);
    const accepting = formats/* formatNames */.E.filter(format => others.length === 0 || formats/* formats */.F[format].severalFiles === true);
    const owners = accepting.filter(format => files.every(file => formats/* formats */.F[format].mainFiles.includes((0,external_node_path_.basename)(file))));
    if (owners.length === 1)
        return named(main, owners);
    const outlines = await Promise.all(files.map(file => outlineOf(file, source)));
    const matching = accepting.filter(format => outlines.some(outline => signsOf(format, outline) !== null));
    if (others.length === 0)
        return outlines.flatMap(outline => bySigns(main, matching, outline));
    const why = `several files are named, and ${matching.join(' or ')} merges them`;
    return matching.map(format => ({ format, main, why }));
}
function named(main, owners) {
    return owners.map(format => ({ format, main, why: main }));
}
/** The formats that a flake has outputs of; `nixosConfigurations` counts only if there is no other. */
async function inFlake(main, source) {
    const { names } = await (0,formats_adapter/* namesOf */.eZ)(await (0,formats_adapter/* flakeAdapter */.BS)('outputs', source), source, main);
    const candidates = formats/* formatNames */.E.flatMap(format => {
        const output = formats/* formats */.F[format].flakeOutputs?.find(name => names.includes(name));
        return output === undefined ? [] : [{ format, main, why: `flake.nix has the output ${output}` }];
    });
    const specific = candidates.filter(({ format }) => formats/* formats */.F[format].generic !== true);
    if (specific.length > 0)
        return specific;
    if (candidates.length > 0)
        return candidates;
    throw new errors/* UserError */.yo('flake.nix has no output that defines hosts.', {
        where: { file: main },
        cure: `Add nixosConfigurations (or deploy, colmenaHive). Its outputs: ${names.join(', ') || 'none'}.`,
    });
}
/** The formats of `among` that a file shows signs of; if it shows none, all of them that it can be. */
function bySigns(main, among, outline) {
    const signs = among.map(format => ({ format, words: signsOf(format, outline) ?? [] }));
    const shown = signs.filter(({ words }) => words.length > 0);
    if (shown.length === 0)
        return among.map(format => ({ format, main, why: `${main} exists` }));
    return shown.map(({ format, words }) => ({ format, main, why: `${main} has ${words.join(', ')}` }));
}
function signsOf(format, outline) {
    return formats/* formats */.F[format].signs?.(outline) ?? null;
}
async function outlineOf(file, source) {
    const adapter = (0,formats_adapter/* fileAdapter */.uV)('network', source, { file: (0,external_node_path_.join)(source.folder, file) });
    const { names, notes } = await (0,formats_adapter/* namesOf */.eZ)(adapter, source, file);
    const { isFunction, top } = notes;
    return { name: (0,external_node_path_.basename)(file), isFunction, attributes: top, network: names };
}
function unknownFiles(files) {
    return new errors/* UserError */.yo(`The format of ${files.join(' and ')} could not be detected.`, {
        where: { input: 'format' },
        cure: 'Write `format: configuration` for a NixOS configuration, or the name of its format.',
    });
}
function nothingFound(folder) {
    const usual = [...new Set(formats/* formatNames */.E.flatMap(format => formats/* formats */.F[format].mainFiles))];
    const meant = elsewhere(folder, ['flake.nix', ...usual]);
    return new errors/* UserError */.yo(`No NixOS configuration was found in ${folder}.`, {
        where: { input: 'source' },
        cure: [
            ...(meant.length === 0 ? [] : [`It contains ${meant.join(', ')}: write for example \`source: ${meant[0]}\`.`]),
            `Set \`source\` to a folder that contains flake.nix, ${usual.join(', ')}, or to a file.`,
        ].join(' '),
    });
}
function ambiguous(one, other) {
    if (one.format === other.format) {
        return new errors/* UserError */.yo(`Both ${one.main} and ${other.main} could be the ${one.format} to start from.`, {
            where: { input: 'source' },
            cure: 'Set `source` to one of the files.',
        });
    }
    return new errors/* UserError */.yo(`The format could be ${one.format} (${one.why}) or ${other.format} (${other.why}).`, {
        where: { input: 'format' },
        cure: `Write \`format: ${one.format}\` or \`format: ${other.format}\`.`,
    });
}

;// CONCATENATED MODULE: ./src/plan/formats/choose.ts





/**
 * Finds out how a source is evaluated, and detects its format if the input `format` is `auto`.
 *
 * @throws UserError if the format cannot be detected, and for files or arguments that the format does not accept.
 */
async function chooseFormat(source, wanted) {
    const { format, main, why } = wanted === 'auto' ? await detect(source) : { format: wanted, main: mainFile(wanted, source), why: null };
    checkAccepted(format, source);
    return { format, detected: why, adapter: await formats/* formats */.F[format].adapter(main, source), main };
}
/** The main file of a source in this format. @throws UserError if it has none. */
function mainFile(format, { folder, files }) {
    const { mainFiles, flakeOutputs, find } = formats/* formats */.F[format];
    const usual = flakeOutputs === undefined ? mainFiles : [...mainFiles, 'flake.nix'];
    const existing = find?.(folder) ?? usual.filter(name => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, name)));
    const [main] = files.length > 0 ? files : existing;
    if (main !== undefined)
        return main;
    throw new errors/* UserError */.yo(`There is no ${usual.join(' and no ')} in ${folder}.`, {
        where: { input: 'source' },
        cure: `Set \`source\` to the folder of the ${format} configuration, or to its file.`,
    });
}
function checkAccepted(format, { files, inputs }) {
    const { severalFiles = false, arguments: takesArguments = false, attribute = false } = formats/* formats */.F[format];
    if (inputs.attribute !== null && !attribute) {
        throw new errors/* UserError */.yo(`${format} has no use for an attribute, but ${JSON.stringify(inputs.attribute)} is given.`, {
            where: { input: 'attribute' },
            cure: 'Remove it, and select hosts with `hosts`; only `format: expression` starts from an attribute.',
        });
    }
    if (files.length > 1 && !severalFiles) {
        throw new errors/* UserError */.yo(`${format} starts from one file, but \`source\` names ${files.join(', ')}.`, {
            where: { input: 'source' },
            cure: 'Name only the file to start from.',
        });
    }
    const [name] = Object.keys(inputs.arguments);
    if (name !== undefined && !takesArguments) {
        const taking = formats/* formatNames */.E.filter(other => formats/* formats */.F[other].arguments === true);
        throw new errors/* UserError */.yo(`${format} takes no arguments, but ${JSON.stringify(name)} is given.`, {
            where: { input: 'arguments' },
            cure: `Remove it; only these formats take arguments: ${taking.join(', ')}.`,
        });
    }
}

;// CONCATENATED MODULE: ./src/plan/host-name.ts

/** Begins with a letter, digit or `_`, and contains no control characters, white space other than blanks, or quotes. */
const valid = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.@+:/ -]{0,254}$/u;
/**
 * Checks a name before it is printed or becomes part of a file's name: it is from a repository or an archive, and could be
 * made to look like something else, such as a command for the runner.
 *
 * @param where the file that the name is from.
 * @throws UserError if it cannot be the name of a host.
 */
function checkHostName(name, where) {
    if (valid.test(name))
        return;
    throw new errors/* UserError */.yo(`${JSON.stringify(name)} cannot be the name of a host.`, {
        where: { file: where },
        cure: 'Use letters, digits and `_`, and after the first character also `.`, `-`, `@`, `+`, `:`, `/` and blanks.',
    });
}

;// CONCATENATED MODULE: ./src/plan/inline-secrets.ts

/** The option of an inline secret's text, in colmena and NixOps: `deployment.keys.NAME.text`. */
const textOption = ['deployment', 'keys', null, 'text'];
/**
 * The value of an option without the texts of inline secrets in it. What is printed on a runner is in its log.
 *
 * @param names the path of the option.
 * @throws UserError if the option is such a text, or is inside one.
 */
function withoutSecretTexts(value, names, host) {
    const leads = textOption.every((name, index) => names[index] === undefined || name === null || name === names[index]);
    if (!leads || value === null)
        return value;
    if (names.length < textOption.length)
        return hide(value, textOption.slice(names.length));
    throw new errors/* UserError */.yo(`${names.join('.')} is the text of a secret, which is not printed.`, {
        where: { host },
        cure: `To see it, evaluate it with your own tool, such as \`colmena eval -E '{ nodes, ... }: nodes.${host}.config.${names.join('.')}'\` or \`nix eval\`.`,
    });
}
/** @param path from the value to the texts; null: each attribute. */
function hide(value, [name, ...rest]) {
    if (name === undefined)
        return value === null ? null : '***';
    if (typeof value !== 'object' || value === null || Array.isArray(value))
        return value;
    const entries = Object.entries(value).map(([key, inner]) => [
        key,
        name === null || name === key ? hide(inner, rest) : inner,
    ]);
    return Object.fromEntries(entries);
}

;// CONCATENATED MODULE: ./src/plan/pins/nixpkgs.ts








/**
 * Adds <nixpkgs> to the adapter of a source that is not a flake: the input `nixpkgs`, a pin next to or above the source if its
 * format does not name a nixpkgs itself, or with `nixpkgs-pin: warn` the machine's.
 *
 * @returns the adapter, and the Nix files that were evaluated to find the pin.
 * @throws UserError if the pin is invalid, if there are several, or if there is none and the format requires one.
 */
async function withNixpkgs(choice, source) {
    const { adapter } = choice;
    if ('reference' in adapter.request)
        return { adapter, files: new Set() };
    const { entries, folder, files } = await searchPathOf(choice, source);
    const request = folder === null ? adapter.request : { ...adapter.request, nixpkgs: folder };
    return { adapter: { ...adapter, request, ...(entries === undefined ? {} : { searchPath: entries }) }, files };
}
async function searchPathOf({ adapter, format, main }, source) {
    const { inputs } = source;
    const { pinNearby } = formats/* formats */.F[format];
    const pin = inputs.nixpkgs ?? (pinNearby === undefined ? null : pinOfFolder((0,external_node_path_.dirname)(main), source, pinNearby));
    if (pin !== null) {
        const { folder, files } = await folderOf(readNixpkgs(pin, source.folder), adapter, source);
        return { entries: [`nixpkgs=${folder}`], folder, files };
    }
    const none = { folder: null, files: new Set() };
    if (inputs.nixpkgsPin === 'warn')
        return { ...none, entries: machineSearchPath(inputs.nixPath) };
    if (pinNearby !== 'required')
        return none;
    throw pinError([
        {
            what: `${main} does not name a nixpkgs, and none is pinned next to it or above it`,
            file: main,
            line: null,
            cure: 'Run `npins init` next to it, or set the input `nixpkgs` to a pin, for example `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
        },
    ]);
}
/**
 * The pin next to or above a source.
 *
 * @param start the folder of its main file, relative to that of the source.
 * @throws UserError if there are several and the source cannot choose one itself.
 */
function pinOfFolder(start, { folder, root }, need) {
    const [first, second] = pinsAround((0,external_node_path_.join)(folder, start), root).map(path => (0,external_node_path_.relative)(folder, path));
    if (second === undefined)
        return first ?? null;
    if (need === 'optional')
        return null;
    throw new errors/* UserError */.yo(`Both ${first} and ${second} pin a nixpkgs.`, {
        where: { input: 'nixpkgs' },
        cure: `Write \`nixpkgs: ${first}\` or \`nixpkgs: ${second}\`.`,
    });
}
async function folderOf(given, adapter, source) {
    if (typeof given === 'string')
        return { folder: given, files: new Set() };
    // The input `nixpkgs` may name a file outside of the repository; npins and niv read files next to it.
    const near = (0,external_node_path_.isAbsolute)(given.path) ? [(0,external_node_path_.dirname)(given.path)] : [];
    const readable = [...(adapter.readable ?? []), ...near];
    const pinAdapter = { ...adapter, file: 'pin', request: { ...given }, readable };
    const { value, failure, files } = await (0,evaluation_adapter/* callAdapter */.O4)(pinAdapter, { attribute: 'names' }, source);
    if (failure !== null)
        throw source.errorFor(failure, (0,external_node_path_.relative)(source.folder, given.path));
    return { folder: value.root, files };
}
/** The entries of NIX_PATH; a colon in a URL does not separate entries. Without NIX_PATH, Nix's default for channels. */
function machineSearchPath(nixPath) {
    if (nixPath !== null)
        return nixPath.split(/:(?!\/\/)/).filter(entry => entry !== '');
    return [
        `${(0,external_node_os_.homedir)()}/.nix-defexpr/channels`,
        'nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixpkgs',
        '/nix/var/nix/profiles/per-user/root/channels',
    ];
}
/**
 * Reads the input `nixpkgs`: a path in the source (a file of npins or niv, flake.lock, a file that evaluates to a path, a
 * folder), or a locked flake reference.
 *
 * @returns how to find the folder of nixpkgs, or the folder itself. @throws UserError if it is none of these.
 */
function readNixpkgs(text, source) {
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
        throw new errors/* UserError */.yo(`The input nixpkgs, ${JSON.stringify(text)}, has no hash.`, {
            where: { input: 'nixpkgs' },
            cure: 'Add the commit and the hash: `github:NixOS/nixpkgs/<commit>?narHash=sha256-…` (`nix flake prefetch --json` prints it).',
        });
    }
    throw new errors/* UserError */.yo(`The input nixpkgs is ${JSON.stringify(text)}, which does not exist.`, {
        where: { input: 'nixpkgs' },
        cure: 'Write a file or folder of the source (npins, nix/sources.nix, flake.lock, nixpkgs.nix), or a locked flake reference, for example `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
    });
}
/** Pins in a folder, under the names that their tools use, or in the nearest folder above it that has any. */
function pinsAround(start, root) {
    for (const folder of foldersUpTo(root, start)) {
        const names = ['npins', 'nix/sources.nix', 'flake.lock', 'nixpkgs.nix', 'nixpkgs'];
        const existing = names.filter(name => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, name === 'npins' ? 'npins/default.nix' : name)));
        if (existing.length > 0)
            return existing.map(name => (0,external_node_path_.join)(folder, name));
    }
    return [];
}

;// CONCATENATED MODULE: ./src/plan/opened-source.ts















/** The source that a configuration names. Nothing is evaluated yet. */
async function sourceOf(config, nix, context) {
    const folder = config.source;
    const repository = await (0,plan_repository/* repositoryOf */._M)(folder, context);
    const root = repository?.root ?? folder;
    const { attribute, arguments: given = {}, system, nixpkgs, nixpkgsPin, nixPath = null, allowedPaths = [] } = config;
    const source = {
        folder,
        files: config.files ?? [],
        repository,
        root,
        inputs: { attribute, arguments: given, system, nixpkgs, nixpkgsPin, nixPath, allowedPaths },
        nix,
        context,
        errorFor: (failure, main) => sourceError(failure, (0,external_node_path_.relative)(root, (0,external_node_path_.join)(folder, main)), source),
    };
    return source;
}
/** A source whose format and host names are known: its hosts can be evaluated. */
class OpenedSource {
    /** Without any host. */
    evaluation;
    source;
    #main;
    #adapter;
    #budget;
    #files;
    #sole;
    constructor(source, evaluation, opened) {
        this.source = source;
        this.evaluation = evaluation;
        this.#main = opened.main;
        this.#adapter = opened.adapter;
        this.#budget = opened.budget;
        this.#files = opened.files;
        this.#sole = opened.sole;
    }
    /**
     * Chooses the format of a source and evaluates the names of its hosts.
     *
     * @param what `hosts`: hosts will be evaluated next, so that a single one may be evaluated already.
     * @throws UserError if the source as a whole cannot be evaluated.
     */
    static async open(source, config, what) {
        const choice = await chooseFormat(source, config.format);
        const { format, detected, main } = choice;
        logFormat(format, detected, source.context);
        const { adapter, files: pinFiles } = await withNixpkgs(choice, source);
        const budget = { jobs: config.jobs ?? null, memory: config.memory ?? null };
        const { names, root, notes, files, sole } = what === 'hosts'
            ? await evaluateNames(adapter, optionsFor(source, main, budget))
            : { ...(await (0,formats_adapter/* namesOf */.eZ)(adapter, source, main)), sole: null };
        const fromRoot = (0,external_node_path_.relative)(source.root, (0,external_node_path_.join)(source.folder, main));
        if (names.length === 0)
            throw noHost(fromRoot, formats/* formats */.F[format].notHosts?.(names, notes) ?? null);
        for (const name of names)
            checkHostName(name, fromRoot);
        const roots = [...new Set([...adapter.roots, root])];
        return new OpenedSource(source, { format, detected, main: fromRoot, names, notes, ...emptyRecords() }, {
            main,
            adapter: { ...adapter, roots },
            budget,
            files: new Set([...pinFiles, ...files]),
            sole,
        });
    }
    /** What has been evaluated so far. */
    get evidence() {
        const { roots, request } = this.#adapter;
        return { source: this.source, roots, files: this.#files, hasNixpkgs: 'nixpkgs' in request };
    }
    /** Evaluates hosts. @throws UserError for a failure that no host caused. */
    async evaluate(hosts) {
        const sole = hosts.length === this.evaluation.names.length ? this.#sole : null;
        this.#sole = null;
        return this.#evaluated(await evaluateHosts(this.#adapter, { attribute: 'hosts', hosts }, this.#options, sole));
    }
    /** Evaluates the targets of hosts, and the whole hosts that `selection` selects. @throws as `evaluate` does. */
    async evaluateTagged(hosts, selection) {
        const call = { attribute: 'tagged', hosts, selection };
        return this.#evaluated(await evaluateHosts(this.#adapter, call, this.#options));
    }
    get #options() {
        return optionsFor(this.source, this.#main, this.#budget);
    }
    #evaluated({ hosts, files }) {
        for (const file of files)
            this.#files.add(file);
        return hosts;
    }
    /** The value of an option of a host. @throws UserError for a host or option that does not exist, and for a failure. */
    async option(host, optionPath, names) {
        if (!this.evaluation.names.includes(host))
            throw unknownHost(host, this.evaluation.names, 'host');
        const call = { attribute: 'option', hosts: [host], option: names };
        const { value, failure } = await (0,evaluation_adapter/* callAdapter */.O4)(this.#adapter, call, this.source);
        if (failure !== null)
            throw this.source.errorFor(failure, this.#main);
        const result = value;
        if (result.found)
            return withoutSecretTexts(result.value, names, host);
        if (result.known !== null)
            throw unknownOption(optionPath, result.missing ?? '', result.known, host);
        throw new errors/* UserError */.yo(`${JSON.stringify(host)} is defined by a derivation, which has no options.`, {
            where: { host },
            cure: 'Set `attribute` to the whole evaluation instead of its toplevel.',
        });
    }
}
/** @param main the file that the evaluation starts from. */
function optionsFor({ nix, context, errorFor }, main, budget) {
    return { nix, context, budget, errorFor: failure => errorFor(failure, main) };
}
/** Logs a detected format. It is called before the evaluation, which may fail because the format is not the intended one. */
function logFormat(format, detected, { log }) {
    if (detected !== null)
        log.info(`Format: ${format} (${detected}).`);
}
/** A run without hosts would succeed and do nothing. @param others what the source defines instead, as a sentence. */
function noHost(file, others) {
    return new errors/* UserError */.yo(`${file} defines no host.`, {
        where: { file },
        cure: `${others === null ? '' : `${others} `}Define one, or set \`source\` and \`format\` to where the hosts are.`,
    });
}
function unknownOption(path, missing, known, host) {
    const meant = (0,nearest/* nearest */.p)(missing, known);
    const names = meant === null ? known : [meant, ...known.filter(name => name !== meant)];
    const listed = names.length > 12 ? `${names.slice(0, 12).join(', ')}, …` : names.join(', ');
    return new errors/* UserError */.yo(`${JSON.stringify(host)} has no option ${path}: ${JSON.stringify(missing)} does not exist.`, {
        where: { host },
        cure: known.length === 0
            ? 'The part before it is a value.'
            : `${meant === null ? '' : `Did you mean ${meant}? `}Known: ${listed}.`,
    });
}

;// CONCATENATED MODULE: ./src/plan/select.ts


/** True if the selection depends on the hosts' tags. */
function needsTags(selectors) {
    return selectors.some(selector => pattern(selector).startsWith('@'));
}
/**
 * The hosts that match the selectors, in the order of `names`.
 *
 * A selector is a name, a glob (`*` any characters, `?` one character), `@tag` (also a glob), or one of these after `!`, which
 * excludes. If all selectors exclude, they exclude from all hosts. An exact name has priority, so that a host whose name
 * contains `*`, `@` or `!` can be selected.
 *
 * @param tags returns the tags of a host; called only if `needsTags` is true.
 * @throws UserError if a selector matches no host, with the known ones and the most similar, and if no host is left.
 */
function select_select(names, selectors, tags) {
    const matches = (selector) => {
        if (names.includes(selector))
            return new Set([selector]);
        const matching = selector.startsWith('@')
            ? names.filter(name => tags(name).some(tag => glob(selector.slice(1)).test(tag)))
            : names.filter(name => glob(selector).test(name));
        if (matching.length === 0)
            throw unknown(selector, names, tags);
        return new Set(matching);
    };
    const excludes = (selector) => selector.startsWith('!') && !names.includes(selector);
    const included = selectors.filter(selector => !excludes(selector)).map(matches);
    const excluded = selectors.filter(excludes).map(selector => matches(selector.slice(1)));
    const selected = names.filter(name => (included.length === 0 || included.some(set => set.has(name))) && !excluded.some(set => set.has(name)));
    if (selected.length > 0 || names.length === 0)
        return selected;
    throw new errors/* UserError */.yo(`The selection ${JSON.stringify(selectors.join(', '))} contains no host.`, {
        where: { input: 'hosts' },
        cure: 'Select at least one host, or leave `hosts` empty for all hosts.',
    });
}
/** Whether the selectors select a name of which no tags are known: those for tags are taken to match no host. */
function selectedByName(name, selectors) {
    const matches = (selector) => selector === name || (!selector.startsWith('@') && glob(selector).test(name));
    const included = selectors.filter(selector => !selector.startsWith('!'));
    const excluded = selectors.filter(selector => selector.startsWith('!')).map(selector => selector.slice(1));
    return (included.length === 0 || included.some(matches)) && !excluded.some(matches);
}
/** What `select` would select, as far as it can be said before the tags are known. @param tags of the input `targets`. */
function tagSelection(names, selectors, tags) {
    const excludes = (selector) => selector.startsWith('!') && !names.includes(selector);
    const isTag = (text) => text.startsWith('@') && !names.includes(text);
    const included = selectors.filter(selector => !excludes(selector));
    const excluded = selectors.filter(excludes).map(selector => selector.slice(1));
    const named = (texts, name) => texts.some(text => text === name || (!isTag(text) && !names.includes(text) && glob(text).test(name)));
    const expressions = (texts) => texts.filter(isTag).map(text => globSource(text.slice(1), /[\\^$.*+?()[{|]/));
    return {
        included: expressions(included),
        excluded: expressions(excluded),
        hosts: Object.fromEntries(names.map(name => [
            name,
            {
                included: included.length === 0 || named(included, name),
                excluded: named(excluded, name),
                tags: tags(name),
            },
        ])),
    };
}
/** Sorted by the first of these tags that each host has, hosts without any of them last, as morph's `ordering.tags` does. */
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
    return new RegExp(`^${globSource(text, /[\\^$.*+?()[\]{}|/]/)}$`, 'su');
}
/** The text of a regular expression for a glob. @param special characters that need a backslash. */
function globSource(text, special) {
    const parts = Array.from(text, char => {
        if (char === '*')
            return '.*';
        return char === '?' ? '.' : char.replace(special, '\\$&');
    });
    return parts.join('');
}
function unknown(selector, names, tags) {
    const isTag = selector.startsWith('@');
    const known = isTag ? [...new Set(names.flatMap(name => tags(name)))].sort().map(tag => `@${tag}`) : [...names];
    const kind = isTag ? 'tag' : 'host';
    const isGlob = /[*?]/.test(selector);
    const words = selector.split(/\s+/).filter(word => word !== '');
    const meant = isGlob ? null : (0,nearest/* nearest */.p)(selector, known);
    const text = JSON.stringify(selector);
    return new errors/* UserError */.yo(isGlob ? `No ${kind} matches ${text}.` : `There is no ${kind} ${text}.`, {
        where: { input: 'hosts' },
        cure: [
            ...(words.length > 1 && words.every(word => known.includes(word))
                ? [`Separate names by commas: ${words.join(', ')}.`]
                : []),
            ...(meant === null ? [] : [`Did you mean ${JSON.stringify(meant)}?`]),
            known.length === 0 ? `The source has no ${kind}s.` : `Known ${kind}s: ${known.map(show).join(', ')}.`,
        ].join(' '),
    });
}
function show(name) {
    return /^@?[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}

;// CONCATENATED MODULE: ./src/plan/checkout.ts




/** Milliseconds for Git to fetch one commit, or the submodules of one. */
const fetchLimit = 600_000;
/** The reference that a commit has in the user's repository while it is fetched. */
const reference = 'refs/nix-ferry/base';
/**
 * Checks out another revision of a repository into an empty directory. The user's work tree is not touched; a commit that its
 * repository lacks, as a clone without history does, is fetched from the remote `origin`.
 *
 * @param directory is made. The checkout is inside, in a folder of the repository's own name, which may be part of store paths.
 * @returns the checkout's folder and its commit.
 * @throws UserError if there is no such revision, or if it cannot be fetched.
 */
async function checkOut(revision, repository, directory, surroundings) {
    const own = (0,plan_repository/* gitIn */.uM)(repository.root, surroundings.query);
    const commit = (await find(revision.name, own)) ?? (await fetchFromOrigin(revision, repository, own, surroundings));
    const root = (0,external_node_path_.join)(directory, (0,external_node_path_.basename)(repository.root));
    await copyCommit(repository.root, commit, root, surroundings);
    await own('update-ref', '-d', reference);
    const origin = (await own('remote', 'get-url', 'origin'))?.trim() ?? null;
    if (origin !== null)
        await running(root, surroundings)('remote', 'add', 'origin', origin);
    const submodules = repository.submodules.filter(({ checkedOut }) => checkedOut).map(({ path }) => path);
    if (submodules.length > 0) {
        await checkOutSubmodules(submodules, repository.root, root, surroundings).catch(error => {
            throw new errors/* UserError */.yo(`The submodules of ${revision.name} cannot be fetched: ${reason(error)}.`, { cause: error });
        });
    }
    return { root, commit };
}
/** Makes a repository that has only this commit of another one, and checks it out. */
async function copyCommit(from, commit, to, surroundings) {
    await (0,promises_.mkdir)(to, { recursive: true });
    const run = running(to, surroundings);
    await run('init', '--quiet');
    // By its hash, from a repository without history too: protocol 2 serves any commit that is there.
    await run('-c', 'protocol.version=2', 'fetch', '--quiet', '--no-tags', '--depth=1', from, commit);
    await run('-c', 'advice.detachedHead=false', 'checkout', '--quiet', '--detach', commit);
}
/** Submodules whose commit the user's clone has are taken from there; the others are fetched from their own addresses. */
async function checkOutSubmodules(paths, from, root, surroundings) {
    const run = running(root, surroundings);
    await run('submodule', '--quiet', 'init');
    for (const path of paths) {
        // Null for a submodule inside another one, and for one that this revision does not have.
        const commit = (await (0,plan_repository/* gitIn */.uM)(root, surroundings.query)('rev-parse', '--verify', '--quiet', `HEAD:${path}`))?.trim();
        const there = (0,plan_repository/* gitIn */.uM)((0,external_node_path_.join)(from, path), surroundings.query);
        if (!commit || (await there('cat-file', '-e', `${commit}^{commit}`)) === null)
            continue;
        await copyCommit((0,external_node_path_.join)(from, path), commit, (0,external_node_path_.join)(root, path), surroundings);
    }
    await run('submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1');
}
/** The commit of a revision that the repository has; null if it has none. */
async function find(name, git) {
    for (const each of [name, `origin/${name}`]) {
        // For the hash of a commit that is missing, Git would repeat it; with `^{commit}` it looks.
        const found = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${each}^{commit}`);
        if (found !== null && found.trim() !== '')
            return found.trim();
    }
    return null;
}
async function fetchFromOrigin({ name, input }, { root, shallow }, own, surroundings) {
    // A complete clone stays complete.
    const depth = shallow ? ['--depth=1'] : [];
    const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--recurse-submodules=no', ...depth];
    try {
        await running(root, surroundings)('fetch', ...options, '--', 'origin', `+${name}:${reference}`);
    }
    catch (error) {
        const what = input === null ? `the base of the pull request, ${name},` : `'${name}'`;
        throw new errors/* UserError */.yo(`This clone does not have ${what} and Git cannot fetch it: ${reason(error)}.`, {
            ...(input === null ? {} : { where: { input } }),
            cure: input === null
                ? 'Set `fetch-depth: 2` for actions/checkout, which then fetches the base too.'
                : 'Write a commit, branch or tag of this repository.',
            cause: error,
        });
    }
    return (await own('rev-parse', '--verify', `${reference}^{commit}`))?.trim() ?? name;
}
/** Runs Git, which asks nobody for a password. @throws CommandError */
function running(folder, { exec, environment, signal }) {
    const env = { ...environment, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };
    return (...args) => exec('git', ['-C', folder, ...args], { env, signal, timeout: fetchLimit });
}
function reason(error) {
    if (!(error instanceof errors/* CommandError */.Qd))
        return String(error);
    const lines = error.stderr.split('\n').filter(line => line.trim() !== '');
    const fatal = lines.find(line => line.startsWith('fatal: ')) ?? lines[0] ?? error.message;
    return fatal.replace(/^fatal: /, '').replace(/\.$/, '');
}
/**
 * The commit into which a merge commit has merged another one: what `refs/pull/N/merge` of GitHub, which actions/checkout checks
 * out, was made from. Null if `HEAD` is no such merge. It is read from the commit itself, because a clone without history has no
 * parents.
 */
async function mergeBase(root, merged, { query }) {
    const commit = (await (0,plan_repository/* gitIn */.uM)(root, query)('cat-file', 'commit', 'HEAD')) ?? '';
    const header = commit.slice(0, commit.indexOf('\n\n'));
    const [into, other, ...more] = Array.from(header.matchAll(/^parent ([0-9a-f]+)$/gm), ([, hash]) => hash ?? '');
    return other === merged && more.length === 0 && into !== undefined ? into : null;
}

;// CONCATENATED MODULE: ./src/plan/locate.ts



const cure = 'Set `source` to the folder that contains the configuration, or to its files, separated by commas or newlines.';
/**
 * Reads the input `source`: a folder, or one or several Nix files. It does not need Nix, so it can be called before the set-up.
 *
 * @throws UserError for a path that does not exist, for a folder together with other paths, and for a file that is named twice.
 */
function locate(text) {
    // A path may contain a comma.
    const named = (0,external_node_fs_.existsSync)(text.trim()) ? [text.trim()] : text.split(/[,\n]/).map(word => word.trim());
    const paths = named.filter(word => word !== '').map(word => (0,external_node_path_.resolve)(word));
    const [first = (0,external_node_path_.resolve)('.'), ...others] = paths;
    for (const path of paths) {
        if (!(0,external_node_fs_.existsSync)(path))
            throw wrong(`There is no ${path.endsWith('.nix') ? 'file' : 'folder'} ${path}.`);
    }
    const folder = paths.find(path => (0,external_node_fs_.statSync)(path).isDirectory());
    if (folder !== undefined && others.length > 0) {
        const other = paths.find(path => path !== folder);
        throw wrong(`The folder ${folder} is named ${other === undefined ? 'twice' : `together with ${other}`}.`);
    }
    const twice = paths.find((path, index) => paths.indexOf(path) < index);
    if (twice !== undefined)
        throw wrong(`The file ${twice} is named twice.`);
    if (paths.length === 0 || folder !== undefined)
        return { source: first, files: [] };
    const source = paths.map(path => (0,external_node_path_.dirname)(path)).reduce(common);
    return { source, files: paths.map(path => (0,external_node_path_.relative)(source, path)) };
}
/** The deepest folder that contains both. */
function common(a, b) {
    return (0,external_node_path_.relative)(a, b).split(external_node_path_.sep)[0] === '..' ? common((0,external_node_path_.dirname)(a), b) : a;
}
function wrong(message) {
    return new errors/* UserError */.yo(message, { where: { input: 'source' }, cure });
}

;// CONCATENATED MODULE: ./src/plan/index.ts














/**
 * Plans a fleet: detects the source's format, evaluates the selected hosts and finds out where each of them runs.
 *
 * Every host's derivation is instantiated: its .drv file exists in the store afterwards.
 *
 * @throws UserError for a source that cannot be evaluated as a whole, a selector or target without a host, and a nixpkgs that
 *   is not pinned, unless `nixpkgsPin` is `warn`.
 */
async function plan(config, nix, context) {
    const source = await sourceOf(config, nix, context);
    const cache = await planCache(config, source);
    const tags = config.only === undefined && needsTags(config.hosts);
    const open = once(() => OpenedSource.open(source, config, tags ? 'names' : 'hosts'));
    const cached = (await cache?.read()) ?? null;
    if (cached !== null)
        logFormat(cached.format, cached.detected, context);
    const known = cached ?? (await open()).evaluation;
    const { only } = config;
    const targets = readTargets(only === undefined ? config.targets : {}, known.names);
    const tagged = tags ? await readTags(known, config.hosts, targets, open) : withoutTags(known);
    const selected = only === undefined
        ? select_select(known.names, config.hosts, host => tagged.tags.get(host) ?? [])
        : known.names.filter(name => only.includes(name));
    const completed = await evaluateMissing(selected, tagged, open, nix);
    if (completed.added)
        await cache?.write(completed.evaluation, (await open()).evidence);
    const planned = hostsOf(selected, completed, targets, config.source);
    logPlan(completed.evaluation, selected, planned.hosts, context);
    return {
        format: known.format,
        detected: known.detected,
        source: config.source,
        commit: source.repository?.commit ?? null,
        dirty: source.repository?.dirty ?? false,
        names: known.names,
        hosts: inOrder(planned.hosts, formats/* formats */.F[known.format].tagOrder?.(known.notes) ?? []),
        failures: planned.failures,
    };
}
/**
 * The final value of an option of one host, as far as JSON can represent it: a function as a word, a derivation as its path.
 *
 * @throws UserError for a host or an option that does not exist, and for a failure of the evaluation.
 */
async function plan_option(config, host, optionPath, nix, context) {
    const opened = await OpenedSource.open(await sourceOf(config, nix, context), config, 'names');
    return opened.option(host, optionPath, (0,attribute_path/* attributePath */.i)(optionPath));
}
function once(make) {
    let made = null;
    return () => {
        made ??= make();
        return made;
    };
}
function withoutTags(known) {
    return { evaluation: known, failures: [], tags: new Map(), added: false };
}
/**
 * Each host's tags; the hosts that they select are evaluated at the same time. A host whose tags cannot be evaluated is a
 * failure, since it may have been selected.
 */
async function readTags(known, selectors, targets, open) {
    const missing = known.names.filter(name => !(name in known.deployments));
    const tagsGiven = (host) => targets[host]?.tags ?? null;
    const { evaluation, failures } = missing.length === 0
        ? withoutTags(known)
        : await addTagged(missing, tagSelection(known.names, selectors, tagsGiven), known, await open());
    const tags = new Map();
    const wrong = [];
    for (const [name, deployment] of Object.entries(evaluation.deployments)) {
        try {
            tags.set(name, targetSettingsOf(deployment, name, targets).tags);
        }
        catch (error) {
            wrong.push(hostFailure(name, error, evaluation.main));
        }
    }
    return { evaluation, failures: [...failures, ...wrong], tags, added: missing.length > 0 };
}
/** Evaluates those of `hosts` whose derivation is not known, or no longer in the store. */
async function evaluateMissing(hosts, { evaluation: known, failures, added: tagged }, open, nix) {
    const failed = new Set(failures.map(({ host }) => host));
    const missing = (await withoutDerivation(hosts, known, nix)).filter(host => !failed.has(host));
    if (missing.length === 0)
        return { evaluation: known, failures, added: tagged };
    const added = await addHosts(missing, known, await open());
    return { evaluation: added.evaluation, failures: [...failures, ...added.failures], added: true };
}
async function withoutDerivation(hosts, known, nix) {
    const drvPathOf = (host) => known.answers[host]?.drvPath;
    const valid = await nix.valid(hosts.flatMap(host => drvPathOf(host) ?? []));
    return hosts.filter(host => !valid.has(drvPathOf(host) ?? ''));
}
/** The selected hosts of the plan, without those that failed, and the failures with those found here. */
function hostsOf(selected, { evaluation, failures }, targets, folder) {
    const hosts = [];
    const wrong = [];
    for (const name of selected) {
        const evaluated = evaluation.answers[name];
        if (evaluated === undefined || failures.some(({ host }) => host === name))
            continue;
        try {
            hosts.push(hostOf(evaluated, evaluation.pins[evaluated.nixpkgs ?? ''] ?? null, targets, folder));
        }
        catch (error) {
            wrong.push(hostFailure(name, error, evaluation.main));
        }
    }
    return { hosts, failures: [...failures, ...wrong] };
}
/** Masks the text of secrets, and logs settings that are not used and the nixpkgs that the hosts are built from. */
function logPlan({ format, names, notes }, selected, hosts, { log }) {
    for (const { source } of hosts.flatMap(({ secrets }) => secrets))
        if ('text' in source)
            log.secret(source.text.reveal());
    const notHosts = formats/* formats */.F[format].notHosts?.(names, notes) ?? null;
    if (notHosts !== null)
        log.warning(notHosts);
    for (const host of selected) {
        const leftOut = formats/* formats */.F[format].leftOut?.(host, notes) ?? null;
        if (leftOut !== null)
            log.warning(leftOut, { host });
    }
    logPins(hosts, log);
}


/***/ }),

/***/ 86812:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   J: () => (/* binding */ readAnswer),
/* harmony export */   d: () => (/* binding */ AnswerError)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_zlib__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(38522);
/* harmony import */ var node_zlib__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_zlib__WEBPACK_IMPORTED_MODULE_1__);


/** Why an answer is not a description. */
class AnswerError extends Error {
}
/** The most that an answer may become when it is decompressed, in bytes. */
const largest = 256 * 1024 * 1024;
const emptyHash = (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHash)('sha256').digest('hex');
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
        return (0,node_zlib__WEBPACK_IMPORTED_MODULE_1__.gunzipSync)(Buffer.from(base64, 'base64'), { maxOutputLength: largest }).toString();
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
            secrets: this.#secrets(),
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
    #secrets() {
        return this.#all('secret').map(words => {
            const [salt, rest] = cut(words);
            const [digest, destination] = cut(rest);
            return { salt, digest: digest === '-' ? null : digest, destination };
        });
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


/***/ }),

/***/ 25927:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   N: () => (/* binding */ describeScript),
/* harmony export */   f: () => (/* binding */ describeTarget)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _assets_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(25462);
/* harmony import */ var _deploy_gate_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(97772);
/* harmony import */ var _answer_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(86812);




let script;
/**
 * The script with which a machine describes itself, as one text: what a key that may only describe runs as its forced
 * command.
 */
function describeScript() {
    const files = ['target/activation/boot-loader.sh', 'target/activation/look.sh', 'target/describe.sh'];
    return files.map(file => (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)((0,_assets_js__WEBPACK_IMPORTED_MODULE_1__/* .asset */ .L)(file), 'utf8')).join('');
}
/**
 * Has a target describe itself, over one connection and without root. The script is sent over standard input, except
 * to a gate, which has its own. Nothing is written on the target.
 *
 * @returns null if the target does not run NixOS.
 * @throws CommandError if there is no connection; GateRefusal; AnswerError if what comes back is no description.
 */
async function describeTarget({ session, alias, target }, signal) {
    if ((0,_deploy_gate_js__WEBPACK_IMPORTED_MODULE_2__/* .throughGate */ .zj)(target)) {
        const answer = session.ssh(alias, (0,_deploy_gate_js__WEBPACK_IMPORTED_MODULE_2__/* .gateCommand */ .BT)('describe'), { signal, timeout: 120_000 });
        return (0,_answer_js__WEBPACK_IMPORTED_MODULE_3__/* .readAnswer */ .J)((await answer.catch(error => Promise.reject((0,_deploy_gate_js__WEBPACK_IMPORTED_MODULE_2__/* .explainRefusal */ .GC)(error, target)))).stdout);
    }
    script ??= describeScript();
    const command = `sh -c 'self=$(cat) && eval "$self"' nix-ferry describe`;
    const { stdout } = await session.ssh(alias, command, { input: script, signal, timeout: 120_000 });
    return (0,_answer_js__WEBPACK_IMPORTED_MODULE_3__/* .readAnswer */ .J)(stdout);
}


/***/ }),

/***/ 58287:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  UF: () => (/* reexport */ changesSincePreview),
  te: () => (/* reexport */ compareWithBase),
  mw: () => (/* reexport */ preview/* isFailedPreview */.mw),
  fq: () => (/* reexport */ needsBase),
  VH: () => (/* binding */ preview_preview),
  zo: () => (/* reexport */ withoutTargets),
  ev: () => (/* reexport */ preview/* wouldChange */.ev)
});

// UNUSED EXPORTS: describeScript

// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
// EXTERNAL MODULE: ./src/deploy/failure.ts
var failure = __webpack_require__(34457);
// EXTERNAL MODULE: ./src/deploy/gate.ts
var gate = __webpack_require__(97772);
// EXTERNAL MODULE: ./src/deploy/index.ts + 21 modules
var deploy = __webpack_require__(29208);
// EXTERNAL MODULE: ./src/deploy/secrets/read.ts + 1 modules
var read = __webpack_require__(36233);
// EXTERNAL MODULE: ./src/deploy/session.ts + 1 modules
var deploy_session = __webpack_require__(81903);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/plan/fleet.ts
var fleet = __webpack_require__(1127);
// EXTERNAL MODULE: ./src/preview/answer.ts
var answer = __webpack_require__(86812);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
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

// EXTERNAL MODULE: ./src/preview/change.ts + 9 modules
var preview_change = __webpack_require__(42024);
// EXTERNAL MODULE: ./src/preview/describe.ts
var describe = __webpack_require__(25927);
// EXTERNAL MODULE: ./src/preview/secrets.ts
var preview_secrets = __webpack_require__(7729);
;// CONCATENATED MODULE: ./src/preview/base.ts



/** Reasons for which the base takes the place of the target. A target that runs no NixOS yet has nothing to compare. */
const replaced = ['build-only', 'no-target', 'no-key', 'unreachable'];
/** Whether a host is compared with the base, after what was learnt of its target. */
function needsBase(preview, compare) {
    if (compare === 'target' || preview.known)
        return false;
    return compare === 'base' ? preview.why !== 'not-built' : replaced.includes(preview.why);
}
/** The result for each host if no target is asked. */
function withoutTargets(built) {
    return built.map(({ ok, host: { name: host } }) => ok
        ? { host, known: false, why: 'no-base', message: 'It was not compared.' }
        : { host, known: false, why: 'not-built', message: 'It was not built.' });
}
/**
 * Compares hosts with the system that the base builds for them. Nothing is known there of what runs: the change says "if
 * running" of units.
 *
 * @param previews one per host that was built, in the same order; those that do not need the base are returned as they are.
 * @returns also the hosts that only the base defines.
 */
async function compareWithBase(previews, built, base, compare) {
    const compared = [];
    // One after the other, because the description of a system takes memory.
    for (const preview of previews) {
        const after = built.find((one) => one.ok && one.host.name === preview.host);
        const needed = after !== undefined && needsBase(preview, compare);
        compared.push(needed ? await compareOne(preview, after, base) : preview);
    }
    const removed = base.removed.map((host) => {
        return { host, known: false, why: 'removed', message: 'The base defines it, and this commit does not.' };
    });
    return [...compared, ...removed];
}
async function compareOne(preview, after, base) {
    const { host } = preview;
    const unknown = (why, message) => ({ host, known: false, why, message });
    if (!base.names.includes(host))
        return unknown('new', 'The base does not define it.');
    const before = base.built.find(one => one.host.name === host);
    if (before === undefined) {
        const message = base.failures.find(failure => failure.host === host)?.message ?? 'it was not evaluated.';
        return unknown('no-base', `The base cannot be evaluated: ${message}`);
    }
    if (!before.ok)
        return unknown('no-base', `The system of the base was not built: ${before.failure.message}`);
    const system = await base_describe(after);
    const change = {
        ...(0,preview_change/* changeBetween */.Vz)(before.toplevel === after.toplevel ? system : await base_describe(before), system),
        secrets: (0,preview_secrets/* compareSecrets */.j$)({ secrets: before.host.secrets, folder: base.folders.before }, { secrets: after.host.secrets, folder: base.folders.after }),
    };
    const instead = preview.known || preview.why === 'no-base' ? null : preview.message;
    return { host, known: true, comparedWith: 'base', base: base.commit, change, instead };
}
function base_describe({ toplevel, closure }) {
    return describeBuilt(toplevel, closure);
}

// EXTERNAL MODULE: ./src/preview/preview.ts
var preview = __webpack_require__(14156);
;// CONCATENATED MODULE: ./src/preview/since-preview.ts



/** Milliseconds for fetching the systems that were previewed: the deployment waits for it. */
const patience = 120_000;
/**
 * What differs between the systems that were previewed and those that will be deployed. The previewed ones are in the store if
 * this machine or its cache has built them, or they are fetched from a substituter; they are never built.
 *
 * @returns the changes by host; a host is missing if one of its systems is not available. It never throws.
 */
async function changesSincePreview(differing, nix, context) {
    const changes = {};
    if (differing.length === 0)
        return changes;
    try {
        const paths = [...new Set(differing.flatMap(({ previewed, built }) => [previewed, built]))];
        const valid = await fetched(paths, nix, context);
        for (const { host, previewed, built } of differing) {
            if (!valid.has(previewed) || !valid.has(built))
                continue;
            const [before, after] = await Promise.all([previewed, built].map(path => described(path, nix)));
            if (before !== undefined && after !== undefined)
                changes[host] = (0,preview_change/* changeBetween */.Vz)(before, after);
        }
    }
    catch (error) {
        context.log.debug(`What differs from the preview is not known: ${(0,errors/* explain */.WE)(error)}`);
    }
    return changes;
}
async function fetched(paths, nix, { signal, log }) {
    const present = await nix.valid(paths);
    // A derivation would be built. Whoever can push a branch can write its preview.
    const missing = paths.filter(path => !present.has(path) && !path.endsWith('.drv'));
    if (missing.length === 0)
        return present;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    // A store path that is no derivation can only be substituted.
    await nix.run('nix-store', ['--realise', '--keep-going', ...missing], { signal: limited }).catch((error) => {
        log.debug(`Systems that were previewed are not in a cache: ${(0,errors/* explain */.WE)(error)}`);
    });
    return nix.valid(paths);
}
async function described(toplevel, nix) {
    return describeBuilt(toplevel, await nix.closure([toplevel]));
}

;// CONCATENATED MODULE: ./src/preview/index.ts

















/**
 * Compares each system that was built with the one that its target runs. Targets describe themselves; nothing is copied to
 * them, nothing of the source runs there, and nothing on them changes.
 *
 * @returns one entry per host, in the same order.
 * @throws UserError before a target is asked: no pinned host keys, an invalid key, an address that ssh does not accept.
 */
async function preview_preview(built, config, context) {
    const asked = built.filter((one) => one.ok && whyNotAsked(one.host, config) === null);
    const targets = (0,deploy/* aliasTargets */.PK)(asked.map(({ host }) => ({ host: host.name, target: host.target })));
    const answers = await withSession(targets, config, context, session => (0,concurrency/* mapConcurrently */.X)(targets, config.parallel, target => ask(target, session(target), context)));
    const machines = new Map(answers.map(answer => [answer.host, answer]));
    const previews = [];
    // One after the other, because the description of a system takes memory.
    for (const one of built)
        previews.push(await compare(one, machines.get(one.host.name), config, context));
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
    const { host, alias } = active;
    const show = (state, text) => context.progress({ host, stage: 'preview', state, text });
    show('running', 'asking its target');
    const answer = await (0,describe/* describeTarget */.f)({ session, alias, target: active.target }, context.signal).then((machine) => machine === null ? { host, why: 'first', message: 'Its target does not run NixOS yet.' } : { host, machine }, (error) => ({ host, ...whyUnanswered(error, active, session) }));
    const failed = 'why' in answer && answer.why !== 'first';
    show(failed ? 'failed' : 'done', 'why' in answer ? answer.message : 'compared with its target');
    return answer;
}
function whyUnanswered(error, { target, alias }, session) {
    if ((0,deploy_session/* isConnectionError */.Rk)(error)) {
        const access = { publicKey: session.publicKey, keyName: session.keyNames.get(alias) ?? null };
        const { outcome, message } = (0,failure/* connectionFailure */.D)(error, target, 'probe', access);
        return { why: outcome === 'unreachable' || outcome === 'refused' ? outcome : 'failed', message };
    }
    if (error instanceof gate/* GateRefusal */.I)
        return { why: 'refused', message: error.message };
    const why = error instanceof answer/* AnswerError */.d ? error.message : `Its target could not describe itself: ${(0,errors/* explain */.WE)(error)}`;
    return { why: 'failed', message: why };
}
async function compare(one, answer, config, context) {
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
    const { secrets } = one.host;
    const contents = await Promise.all(secrets.map(secret => (0,read/* readIfThere */.q)(secret, config, context)));
    const change = {
        ...(0,preview_change/* changeOf */.C2)(answer.machine, await describeBuilt(one.toplevel, one.closure)),
        secrets: (0,preview_secrets/* compareWithKept */.Mf)({ host, secrets, contents }, answer.machine.secrets, config.signingKey),
    };
    return { host, known: true, comparedWith: 'target', change, machine: { kernel, bootId, profile, boot } };
}


/***/ }),

/***/ 90420:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   w: () => (/* binding */ formatSshConfig)
/* harmony export */ });
/** The text of the file. ssh uses the first value that it finds for an option, so the pinned ones come first. */
function formatSshConfig({ knownHosts, pinned = [], hosts, defaults = [] }) {
    return [
        'StrictHostKeyChecking yes',
        ...(knownHosts === null ? [] : [`UserKnownHostsFile ${knownHosts}`, 'GlobalKnownHostsFile /dev/null']),
        'VerifyHostKeyDNS no',
        'UpdateHostKeys no',
        'CheckHostIP no',
        'BatchMode yes',
        ...pinned,
        '',
        ...hosts.flatMap(block),
        '',
        ...block({
            alias: '*',
            options: [
                ...defaults,
                'ConnectTimeout 15',
                'ServerAliveInterval 10',
                'ServerAliveCountMax 3',
                'ForwardAgent no',
                'ForwardX11 no',
                'RequestTTY no',
                'LogLevel ERROR',
            ],
        }),
        '',
        // For jump hosts; ssh ignores a file that does not exist.
        ...(knownHosts === null ? ['Include ~/.ssh/config', 'Include /etc/ssh/ssh_config', ''] : []),
    ].join('\n');
}
function block({ alias, options }) {
    return [`Host ${alias}`, ...options.map(option => `  ${option}`)];
}


/***/ })

};
