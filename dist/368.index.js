export const id = 368;
export const ids = [368];
export const modules = {

/***/ 27368:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  optionOf: () => (/* binding */ optionOf),
  run: () => (/* binding */ run)
});

// EXTERNAL MODULE: ./src/archive/index.ts + 12 modules
var archive = __webpack_require__(14624);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/nix/derivation.ts
var derivation = __webpack_require__(56754);
// EXTERNAL MODULE: ./src/nix/log.ts
var log = __webpack_require__(1773);
// EXTERNAL MODULE: ./src/setup/systems.ts
var systems = __webpack_require__(65807);
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

// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
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
    /** Bytes that were downloaded until now. */
    get downloadedBytes() {
        return sum([...this.#downloads.values()].map(each => each.done));
    }
    /** "120 MiB of 340 MiB"; null if nothing is downloaded. */
    downloads() {
        const all = [...this.#downloads.values()];
        const done = this.downloadedBytes;
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

;// CONCATENATED MODULE: ./src/build/work.ts
/** Stores that are no substituters: this machine, and builders from which the results are copied. */
const notSubstituters = /^(local|daemon|auto|unix|ssh|ssh-ng)($|:)/;
/** Records from Nix's log when each build and each fetch began and ended. */
class WorkRecorder {
    #now;
    #open = new Map();
    #ended = [];
    constructor(now = Date.now) {
        this.#now = now;
    }
    see(event) {
        const from = this.#now();
        if (event.kind === 'build-start') {
            const where = event.machine === '' ? null : event.machine;
            this.#open.set(event.id, { kind: 'built', path: event.drvPath, where, from });
        }
        if (event.kind === 'copy-start' && !notSubstituters.test(event.source)) {
            this.#open.set(event.id, { kind: 'fetched', path: event.path, where: event.source, from });
        }
        const open = event.kind === 'stop' ? this.#open.get(event.id) : undefined;
        if (event.kind !== 'stop' || open === undefined)
            return;
        this.#open.delete(event.id);
        this.#ended.push({ ...open, to: from });
    }
    /** The derivations that were built. */
    get builds() {
        return this.#ended.filter(({ kind }) => kind === 'built').map(({ path }) => path);
    }
    /**
     * @param systems derivation → system, of those that are not built for this machine's own system.
     * @param failed whether a derivation failed.
     * @param local the system of this machine.
     */
    items(systems, failed, local) {
        return this.#ended.map(item => {
            const system = systems.get(item.path) ?? null;
            return {
                ...item,
                system: system === local ? null : system,
                emulated: system !== null && item.where === null && isForeign(system, local),
                failed: item.kind === 'built' && failed(item.path),
            };
        });
    }
}
/** Systems besides its own whose programs a processor runs. */
const related = {
    'x86_64-linux': /^i686-linux$/,
    'aarch64-linux': /^armv[67]l-linux$/,
};
function isForeign(system, local) {
    return system !== local && system !== 'builtin' && !(related[local]?.test(system) ?? false);
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
    #work = new WorkRecorder();
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
        this.#work.see(event);
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
    /** The derivations that were built. */
    get builds() {
        return this.#work.builds;
    }
    /** What was done until now. For the parameters, see `WorkRecorder.items`. */
    work(systems, local) {
        const items = this.#work.items(systems, drvPath => this.#failed.has(drvPath), local);
        return { items, downloadedBytes: this.#counts.downloadedBytes };
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
 * @throws CommandError if Nix cannot be started or is ended.
 */
async function build(fleet, limits, nix, context) {
    const { hosts } = fleet;
    if (hosts.length === 0)
        return { built: [], work: { items: [], downloadedBytes: 0 } };
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
    const built = hosts.map((host) => {
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
    return { built, work: watch.work(await foreignSystems(hosts, watch.builds, nix, context), (0,systems/* localSystem */.T1)()) };
}
/** The systems of what was built, if some of it may be for another system than this machine's. It is only reported. */
async function foreignSystems(hosts, builds, nix, { log }) {
    if (builds.length === 0 || hosts.every(({ system }) => system === (0,systems/* localSystem */.T1)()))
        return new Map();
    return (0,derivation/* systemsOf */.cT)(builds, nix).catch((error) => {
        log.debug(`The systems of what was built are not known: ${error.message}`);
        return new Map();
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

// EXTERNAL MODULE: ./src/plan/index.ts + 28 modules
var plan = __webpack_require__(78223);
// EXTERNAL MODULE: ./src/time-limits.ts
var time_limits = __webpack_require__(54343);
;// CONCATENATED MODULE: ./src/base.ts







/**
 * Checks, before anything is evaluated, that a preview that compares only with the base has one.
 *
 * @throws UserError if neither an input nor the event names it.
 */
function checkBase({ deploy, preview }, pull) {
    if (deploy.mode !== 'preview' || preview.compare !== 'base' || preview.base !== null)
        return;
    if (pull !== null && (pull.head !== null || pull.base !== null))
        return;
    throw new errors/* UserError */.yo('`compare: base` needs a base, and this run is not for a pull request.', {
        where: { input: 'compare' },
        cure: 'Set `base` to a commit, branch or tag.',
    });
}
/**
 * Evaluates and builds, at the base commit, the hosts that were planned, from a clean checkout. Hosts whose system is the same
 * are not built again, and those that only the base defines are not evaluated.
 *
 * @returns null if there is no base to compare with.
 * @throws UserError if the base cannot be found, fetched or evaluated.
 */
async function buildBase(compared, config, builder) {
    const { fleet, planConfig, pull, hosts = fleet.hosts.map(({ name }) => name) } = compared;
    const context = await quiet(builder.context);
    const repository = await (0,plan/* repositoryOf */._M)(fleet.source, context);
    const revision = repository === null ? null : await revisionOf(config.preview.base, repository.root, pull, context);
    if (repository === null || revision === null) {
        if (config.preview.base === null)
            return null;
        throw new errors/* UserError */.yo(`${fleet.source} is not in a Git repository, so it has no base.`, { where: { input: 'base' } });
    }
    const { root, commit } = await (0,plan/* checkOut */.b$)(revision, repository, (0,external_node_path_.join)(context.scratch, 'checkout'), context);
    const source = (0,external_node_path_.join)(root, (0,external_node_path_.relative)(repository.root, fleet.source));
    const { files = [] } = planConfig;
    // A folder or a file that this change adds.
    const missing = [source, ...files.map(file => (0,external_node_path_.join)(source, file))].some(path => !(0,external_node_fs_.existsSync)(path));
    const folders = { before: source, after: fleet.source };
    if (missing)
        return { commit, folders, names: [], built: [], failures: [], removed: [] };
    const baseConfig = { ...planConfig, source, only: hosts };
    const planned = await (0,time_limits/* inTime */.RN)(context, 'plan-timeout', config.plan.planTimeout, async (limited) => (0,plan/* plan */.et)(baseConfig, await builder.nixFor({ ...fleet, hosts: [] }, limited), limited));
    const nix = await builder.nixFor(planned, context);
    const { built } = await build(planned, config.build, nix, context);
    return {
        commit,
        folders,
        names: planned.names,
        built,
        failures: planned.failures,
        removed: planned.names.filter(name => !fleet.names.includes(name) && (0,plan/* selectedByName */.qv)(name, config.plan.hosts)),
    };
}
/**
 * What a pull request would be merged into, if no input says otherwise: the commit that GitHub merged it with, if that merge is
 * checked out, because the base of the event may be older.
 */
async function revisionOf(input, root, pull, context) {
    if (input !== null)
        return { name: input, input: 'base' };
    if (pull === null)
        return null;
    const name = (pull.head === null ? null : await (0,plan/* mergeBase */.wu)(root, pull.head, context)) ?? pull.base;
    return name === null ? null : { name, input: null };
}
/** A context with its own directory, in which nothing is said twice: of each host, only what takes time is shown. */
async function quiet(context) {
    const scratch = (0,external_node_path_.join)(context.scratch, 'base');
    await (0,promises_.mkdir)(scratch, { recursive: true });
    const { log } = context;
    const hide = (message) => log.debug(`base: ${message}`);
    return {
        ...context,
        scratch,
        log: { ...log, info: hide, notice: hide, warning: hide, error: hide },
        progress: event => {
            if (!('host' in event) || event.state !== 'running')
                return;
            context.progress({ ...event, stage: 'preview', text: `the base: ${event.text}` });
        },
    };
}

// EXTERNAL MODULE: ./src/deploy/index.ts + 21 modules
var deploy = __webpack_require__(29208);
// EXTERNAL MODULE: ./src/exec.ts
var exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/nix/index.ts
var nix = __webpack_require__(93779);
// EXTERNAL MODULE: ./src/preview/index.ts + 4 modules
var preview = __webpack_require__(58287);
;// CONCATENATED MODULE: ./src/preview-run.ts



/**
 * The results of the preview stage: each host is compared with its target or with the base, as the input `compare` says.
 *
 * @throws UserError as `preview`, and if the input `base` names no revision.
 */
async function previewAll(built, compared, config, builder) {
    const { compare } = config.preview;
    const asked = compare === 'base' ? (0,preview/* withoutTargets */.zo)(built) : await (0,preview/* preview */.VH)(built, config.deploy, builder.context);
    const hosts = asked.filter(each => (0,preview/* needsBase */.fq)(each, compare)).map(({ host }) => host);
    if (hosts.length === 0)
        return asked;
    try {
        const base = await buildBase({ ...compared, hosts }, config, builder);
        return base === null ? asked : await (0,preview/* compareWithBase */.te)(asked, built, base, compare);
    }
    catch (error) {
        if (isWrongInput(error) || builder.context.signal.aborted)
            throw error;
        const message = `The base cannot be compared: ${(0,errors/* explain */.WE)(error)}`;
        builder.context.log.warning(message);
        // With the reason why the target was not asked.
        return asked.map(each => {
            if (each.known || !(0,preview/* needsBase */.fq)(each, compare))
                return each;
            return { ...each, message: each.why === 'no-base' ? message : `${each.message} ${message}` };
        });
    }
}
/** A base that is broken must not fail the pull request that repairs it. A wrong input, or a defect of ours, must. */
function isWrongInput(error) {
    return error instanceof errors/* UserError */.yo ? error.where?.input === 'base' : !(error instanceof errors/* CommandError */.Qd);
}

;// CONCATENATED MODULE: ./src/require-preview.ts

/**
 * Compares what would be deployed with what the preview of its pull request has shown.
 *
 * @param find asks GitHub; null: there is nobody to ask.
 * @param onFound is called with what was shown and the hosts that differ from it, before anything is refused.
 * @returns what was shown; null if that is not known.
 * @throws UserError if a preview is required and a host has none of its system.
 */
async function checkPreviewed({ toplevels, required }, find, { log }, onFound = async () => undefined) {
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
    if (found !== null)
        await onFound(found, differingFrom(found, toplevels));
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
/** The hosts that were previewed with other systems. The newest of these counts. */
function differingFrom({ toplevels: shown }, toplevels) {
    return toplevels.flatMap(([host, built]) => {
        const previewed = shown[host]?.at(-1);
        return previewed === undefined || shown[host]?.includes(built) ? [] : [{ host, previewed, built }];
    });
}

;// CONCATENATED MODULE: ./src/saving.ts
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

// EXTERNAL MODULE: ./src/setup/index.ts + 19 modules
var setup = __webpack_require__(72228);
;// CONCATENATED MODULE: ./src/timeline.ts
/** Records, from the progress of a run, when each stage worked, and on which host. */
class Timeline {
    #now;
    #open = new Map();
    #ended = [];
    constructor(now = Date.now) {
        this.#now = now;
    }
    /** The same context, whose progress is recorded too. */
    watch(context) {
        return {
            ...context,
            progress: event => {
                this.see(event);
                context.progress(event);
            },
        };
    }
    see(event) {
        const { stage, state } = event;
        const host = 'host' in event ? event.host : null;
        const key = JSON.stringify([stage, host]);
        const open = this.#open.get(key);
        if (state === 'running') {
            if (open === undefined)
                this.#open.set(key, { stage, host, from: this.#now() });
            return;
        }
        if (open === undefined)
            return;
        this.#open.delete(key);
        this.#ended.push({ ...open, to: this.#now(), failed: state === 'failed' });
    }
    /** What has ended, in this order. */
    spans() {
        return [...this.#ended];
    }
}

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
    const timeline = new Timeline();
    const context = timeline.watch(limited(surroundings, config));
    const run = {
        ...{ mode: config.deploy.mode, fleet: null, built: [], archives: [], previews: [], previewed: null, outcomes: [] },
        ...{ work: null, timings: {}, timeline: [], address: ports.deployer.run, error: null },
    };
    const saving = new Saving();
    try {
        (0,deploy/* checkKeys */.L)(config.deploy);
        checkBase(config, ports.pull);
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
    run.timeline = timeline.spans();
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
    const [{ built, work }, prepared] = await timed(run, 'build', context, async () => {
        const prepared = await (0,setup/* prepareSystems */.qr)(setUp, toBuild, context, ports.setup);
        return [await build(fleet, config.build, nixOf(prepared, context), context), prepared];
    });
    run.built = built;
    run.work = work;
    saving.add((0,setup/* saveStoreCache */.rN)(prepared, toBuild, toplevelsOf(built), context, ports.setup));
    const nix = nixOf(prepared, context);
    const origin = await originOf(fleet, ports, context);
    if (stages.includes('archive') && config.archive.archive !== 'none') {
        const from = { source: fleet.source, origin };
        run.archives = await timed(run, 'archive', context, () => archiveAll(built, from, nix, request));
    }
    if (stages.includes('deploy') && config.deploy.mode === 'preview') {
        const compared = { fleet, planConfig: { ...planConfig, planCache: null }, pull: ports.pull };
        run.previews = await timed(run, 'preview', context, () => previewOf(built, compared, prepared, request));
    }
    else if (stages.includes('deploy') && config.deploy.mode !== 'none') {
        const deployments = (0,deploy/* deploymentsOfBuilt */.OL)(built, origin);
        await recallPreview(deployments, nix, request, run);
        const outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
        run.outcomes = [...outcomes, ...(0,deploy/* outcomesOfUnbuilt */._r)(built, config.deploy.mode)];
    }
}
function archiveAll(built, { source, origin }, nix, { config, ports, context }) {
    const { directory, artifacts } = ports.archives;
    const provenance = { ...origin, run: ports.deployer.run, producer: version/* producer */.x };
    return (0,archive/* archive */.rD)(built, { ...config.archive, directory, source, provenance }, nix, context, artifacts);
}
function previewOf(built, compared, prepared, { config, ports, context }) {
    const { cache: _, ...setupPorts } = ports.setup;
    const nixFor = async (base, limited) => nixOf(await (0,setup/* prepareSystems */.qr)(prepared, cachedFleet(base), limited, setupPorts), limited);
    const deploy = { ...config.deploy, ...ports.deployer };
    return previewAll(built, compared, { ...config, deploy }, { nixFor, context });
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
    const archives = await timed(run, 'archive', context, () => (0,archive/* takeArchives */.X1)(from, config.fetch, ports.archives, { nix, importing }, context));
    run.archives = archives;
    const deployments = (0,deploy/* deploymentsOfArchives */.dC)(archives, config.fetch.targets);
    (0,deploy/* checkTargets */.VJ)({ ...config.deploy, ...ports.deployer }, deployments);
    if (config.deploy.mode !== 'none') {
        await recallPreview(deployments, nix, request, run);
        run.outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
    }
}
/** Before a deployment that changes targets, compares it with what its pull request has shown, if an input asks for that. */
async function recallPreview(deployments, nix, { config: { deploy, report }, ports, context }, run) {
    const required = deploy.requirePreview;
    if (deploy.mode === 'dry-activate' || !(required || report.comment))
        return;
    const toplevels = deployments.map(({ host, toplevel }) => [host, toplevel]);
    await checkPreviewed({ toplevels, required }, ports.previewed, context, async (found, differing) => {
        run.previewed = { ...found, changes: await (0,preview/* changesSincePreview */.UF)(differing, nix, context) };
    });
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
async function setUpFor({ step, config, ports, context }) {
    const builds = step !== 'plan';
    const setUp = await (0,setup/* setup */.mj)({ ...config.setup, ...ports.machine, builds }, context, ports.setup);
    // If the set-up is a separate step, no plan follows that shows which systems are needed.
    const emulates = step === 'setup' && config.setup.emulate === 'always';
    return emulates ? (0,setup/* emulateOther */.E$)(setUp, context, ports.setup) : setUp;
}
function nixOf(setUp, context) {
    return new nix/* Nix */.a(context, setUp.nix);
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
