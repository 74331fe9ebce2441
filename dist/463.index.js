export const id = 463;
export const ids = [463];
export const modules = {

/***/ 80807:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   A6: () => (/* binding */ eventOf),
/* harmony export */   WM: () => (/* binding */ isCommit),
/* harmony export */   _n: () => (/* binding */ pullRequestOf)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);

/**
 * The payload of the event that started this run; empty if there is none. Its form is that of GitHub's webhooks
 * (docs.github.com, "Webhook events and payloads").
 */
function eventOf({ GITHUB_EVENT_PATH }) {
    if (GITHUB_EVENT_PATH === undefined)
        return {};
    try {
        const payload = JSON.parse((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(GITHUB_EVENT_PATH, 'utf8'));
        return typeof payload === 'object' && payload !== null ? payload : {};
    }
    catch {
        return {};
    }
}
/** The pull request of an event; null if the event is another one. */
function pullRequestOf(event) {
    const pull = event.pull_request;
    if (typeof pull?.number !== 'number')
        return null;
    return { number: pull.number, head: commitOf(pull.head?.sha), base: commitOf(pull.base?.sha) };
}
function commitOf(hash) {
    return isCommit(hash) ? hash : null;
}
/** Whether a value is the whole hash of a commit, SHA-1 or SHA-256. */
function isCommit(hash) {
    return typeof hash === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash);
}


/***/ }),

/***/ 45463:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openContext: () => (/* binding */ openContext),
  portsOf: () => (/* binding */ portsOf),
  queryWithin: () => (/* binding */ queryWithin)
});

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./node_modules/@actions/exec/lib/exec.js + 1 modules
var exec = __webpack_require__(41955);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/time-limits.ts
var time_limits = __webpack_require__(54343);
// EXTERNAL MODULE: ./src/github.ts
var src_github = __webpack_require__(69248);
;// CONCATENATED MODULE: ./src/trusted-events.ts
/**
 * Events that only people with write access can trigger and that run the repository's own code. What other events build
 * must not reach later runs: pull requests, but also comments, after which many workflows check out a pull request.
 */
const trustedEvents = [
    'push',
    'schedule',
    'workflow_dispatch',
    'repository_dispatch',
    'release',
];

;// CONCATENATED MODULE: ./src/archive/check-run.ts



/** Checks a run before its artifacts are used; see ArtifactStore.checkRun. */
async function checkRun(run, { api, repository, token, ref }) {
    const github = await (0,src_github/* openGitHub */.o)({ api, token: token ?? '' });
    const { data } = await github.rest.actions.getWorkflowRun({ ...(0,src_github/* ownerAndRepo */.H)(repository ?? ''), run_id: run });
    const refuse = (why, cure) => {
        throw new errors/* UserError */.yo(`The archives of run ${run} are refused: ${why}.`, { where: { input: 'from' }, cure });
    };
    const head = data.head_repository?.full_name ?? 'an unknown repository';
    if (head !== repository)
        refuse(`it ran the code of ${head}`, 'Deploy only what a run of this repository has built.');
    if (!trustedEvents.includes(data.event)) {
        const others = trustedEvents.join(', ');
        refuse(`its event is ${data.event}`, `Deploy the archives of a run whose event is one of ${others}.`);
    }
    if (data.head_branch !== ref) {
        const cure = `Start this workflow on ${data.head_branch}, or give a run of ${ref}.`;
        refuse(`it ran on ${data.head_branch}, and this run is on ${ref}`, cure);
    }
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
;// CONCATENATED MODULE: ./src/archive/earlier.ts






/** Milliseconds: an artifact that expires sooner is not referred to, because a later job may wait for an approval. */
const leastLifetime = 24 * 60 * 60 * 1000;
/** Seconds for saving or restoring a record, which has some hundred bytes. */
const requestLimit = 30;
/** A record is too small to cancel its transfer. */
const never = new AbortController().signal;
/**
 * Remembers artifacts between the runs of a repository, as small entries of the Actions cache that are authenticated with
 * the signing key, as plans are. If anything fails, the archive is uploaded again.
 *
 * @param list the artifacts of this run.
 */
function earlierArtifacts(access, list, log) {
    return {
        async recall(key) {
            if (access.token === null || access.secret === null)
                return null;
            try {
                const file = recordFile(key);
                const { restoreCache } = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
                // The newest record for the key; see `remember`.
                const restored = restoreCache([recordName(key)], `${key}-`, [`${key}-`]);
                if ((await (0,time_limits/* within */.ux)(requestLimit, restored, never)) === undefined)
                    return null;
                const recorded = authenticated(await (0,promises_.readFile)(file, 'utf8'), key, access.secret);
                await (0,promises_.rm)(file, { force: true });
                if (recorded === null) {
                    log.warning(`The record of an earlier artifact for ${key} was not made with \`signing-key\` and is not used.`);
                    return null;
                }
                if (recorded.run !== access.run)
                    return (await exists(recorded, access)) ? recorded : null;
                // Later jobs use the newest artifact of a name, which another attempt of this run may have made for another closure.
                return (await list()).some(({ id }) => id === recorded.id) ? { ...recorded, run: null } : null;
            }
            catch (error) {
                log.debug(`No earlier artifact for ${key}: ${error}`);
                return null;
            }
        },
        async remember(key, artifact) {
            if (access.token === null || access.run === null || access.secret === null)
                return;
            const file = recordFile(key);
            try {
                await (0,promises_.mkdir)((0,external_node_path_.dirname)(file), { recursive: true });
                const text = JSON.stringify({ ...artifact, run: access.run });
                await (0,promises_.writeFile)(file, JSON.stringify({ text, mac: mac(key, text, access.secret) }));
                const { saveCache } = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
                // Entries cannot be replaced, so a later artifact for the same key gets a separate entry.
                await (0,time_limits/* within */.ux)(requestLimit, saveCache([recordName(key)], `${key}-${artifact.id}`), never);
            }
            catch (error) {
                log.debug(`The artifact for ${key} was not recorded: ${error}`);
            }
            finally {
                await (0,promises_.rm)(file, { force: true });
            }
        },
    };
}
function mac(key, text, secret) {
    return (0,external_node_crypto_.createHmac)('sha256', secret.trim())
        .update(JSON.stringify(['artifact', key, text]))
        .digest('hex');
}
/**
 * The artifact of a record that was made with `secret` for `key`; null for any other: write access to the cache must not be
 * enough to choose what is deployed.
 */
function authenticated(json, key, secret) {
    const entry = JSON.parse(json);
    const [made, expected] = [Buffer.from(String(entry.mac)), Buffer.from(mac(key, String(entry.text), secret))];
    if (made.length !== expected.length || !(0,external_node_crypto_.timingSafeEqual)(made, expected))
        return null;
    return JSON.parse(String(entry.text));
}
/** Asks GitHub itself, because @actions/artifact lists expired artifacts too. @throws if GitHub has no such artifact */
async function exists({ id, digest }, { api, repository, token }) {
    if (repository === null || token === null)
        return false;
    const github = await (0,src_github/* openGitHub */.o)({ api, token });
    const { data } = await github.rest.actions.getArtifact({ ...(0,src_github/* ownerAndRepo */.H)(repository), artifact_id: id });
    const end = data.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(data.expires_at);
    return !data.expired && end - Date.now() > leastLifetime && data.digest === digest;
}
/** With `~`, so that the cache's version, a hash of this text, is the same for every user's home. */
function recordName(key) {
    return `~/.cache/nix-ferry/artifacts/${key}.json`;
}
function recordFile(key) {
    return recordName(key).replace('~', (0,external_node_os_.homedir)());
}

;// CONCATENATED MODULE: ./src/archive/upload.ts





const patience = { request: 600, bytesPerSecond: 50_000 };
/**
 * GitHub's artifacts, through @actions/artifact, which is loaded when it is first needed, since loading takes 90 ms.
 *
 * NARs are already compressed, so by default the zip stores files uncompressed.
 */
function artifactStore(access, surroundings, limits = patience) {
    const store = resultsService(access, surroundings, limits);
    return { ...store, ...earlierArtifacts(access, () => store.list(null), surroundings.log) };
}
function resultsService(access, { log, signal }, limits) {
    const client = async () => (await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(351), __webpack_require__.e(799)]).then(__webpack_require__.bind(__webpack_require__, 76799))).default;
    const inTime = (bytes, request) => (0,time_limits/* within */.ux)(Math.ceil(limits.request + bytes / limits.bytesPerSecond), request, signal);
    return {
        async upload(name, directory, files, compression = 0) {
            const artifacts = await client();
            const sizes = await Promise.all(files.map(async (file) => (await (0,promises_.stat)(file)).size));
            const bytes = sizes.reduce((sum, size) => sum + size, 0);
            const upload = () => inTime(bytes, artifacts.uploadArtifact(name, [...files], directory, { compressionLevel: compression }));
            const uploaded = await upload().catch(async (error) => {
                // Within one attempt of a run, a name is unique (409). Another attempt may have used it too; the newest counts.
                if (!/\(409\)/.test(String(error)))
                    throw error;
                log.info(`${name}: replacing the artifact with this name that this run already uploaded`);
                await inTime(0, artifacts.deleteArtifact(name));
                return upload();
            });
            if (uploaded.id === undefined || uploaded.digest === undefined) {
                throw new Error(`The results service accepted ${name} but returned no id or no digest`);
            }
            return { name, id: uploaded.id, digest: `sha256:${uploaded.digest}`, bytes: uploaded.size ?? 0, run: null };
        },
        async list(run) {
            const listing = (await client()).listArtifacts({ latest: true, ...otherRun(run, access) });
            const { artifacts } = await inTime(0, listing);
            return artifacts.map(({ name, id, digest, size }) => ({ name, id, digest: digest ?? '', bytes: size, run }));
        },
        async checkRun(run) {
            if (otherRun(run, access) !== null)
                await checkRun(run, access);
        },
        async download(artifact, directory) {
            const options = { path: directory, ...otherRun(artifact.run, access), expectedHash: artifact.digest };
            const downloading = (await client()).downloadArtifact(artifact.id, options);
            const { digestMismatch } = await inTime(artifact.bytes, downloading);
            if (digestMismatch !== true)
                return;
            await (0,promises_.rm)(directory, { recursive: true, force: true });
            throw new errors/* UserError */.yo(`The artifact ${artifact.name} was not downloaded as it was uploaded: its digest differs.`, {
                cure: 'Rerun the job; if it fails again, rerun the job that built the artifact.',
            });
        },
    };
}
/** Options that select another run; null for this run's own artifacts, which need no token. */
function otherRun(run, access) {
    if (run === null || run === access.run)
        return null;
    const [repositoryOwner, repositoryName] = access.repository?.split('/') ?? [];
    if (access.token === null || repositoryOwner === undefined || repositoryName === undefined) {
        throw new errors/* UserError */.yo(`The artifacts of run ${run} cannot be read without a token.`, {
            where: { input: 'github-token' },
            cure: 'Set `github-token` to a token with the permission `actions: read`.',
        });
    }
    return { findBy: { token: access.token, workflowRunId: run, repositoryOwner, repositoryName } };
}

// EXTERNAL MODULE: ./src/event.ts
var src_event = __webpack_require__(80807);
// EXTERNAL MODULE: ./src/exec.ts
var src_exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/report/index.ts + 4 modules
var report = __webpack_require__(17401);
// EXTERNAL MODULE: ./src/scratch.ts
var scratch = __webpack_require__(7897);
;// CONCATENATED MODULE: ./src/workflow-commands.ts
/**
 * Text that GitHub's runner takes for no workflow command, whatever it contains.
 *
 * The runner reads `::name::` at the beginning of a line, after white space, and `##[name]` anywhere in a line
 * (actions/runner, ActionCommand.cs); a carriage return also ends a line. A command could set masks, or stop the commands
 * of the rest of the step. A space is inserted, so that the text can still be read.
 */
function withoutCommands(text) {
    return text.replaceAll(/(^|[\r\n])([\s\u0085]*):(?=:)/g, '$1$2: ').replaceAll('##[', '# #[');
}

;// CONCATENATED MODULE: ./src/runner.ts












/** The titles of the groups in the step's log; a group is folded when its stage has ended. */
const titles = {
    setup: 'Set up Nix',
    plan: 'Evaluate the hosts',
    build: 'Build the closures',
    archive: 'Write the archives',
    preview: 'Compare with the targets',
    deploy: 'Deploy to the targets',
    report: 'Report',
};
/**
 * Logs in the way the runner shows: notices, warnings and errors as workflow commands, everything else as plain lines.
 *
 * @param heard is called for every line that the log shows.
 */
function runnerLog(core, heard) {
    const shown = (write) => (...args) => {
        heard();
        write(...args);
    };
    return {
        debug: message => core.debug(message),
        info: shown(message => core.info(withoutCommands(message))),
        notice: shown((message, where) => core.notice(message, properties(where))),
        warning: shown((message, where) => core.warning(message, properties(where))),
        error: shown((message, where) => core.error(message, properties(where))),
        secret: text => {
            // The runner masks line by line, so each line of a key is registered.
            for (const line of text.split('\n'))
                if (line.trim().length > 3)
                    core.setSecret(line.trim());
        },
    };
}
function properties(where) {
    if (where === undefined)
        return {};
    return {
        ...(where.host === undefined ? {} : { title: where.host }),
        ...(where.file === undefined ? {} : { file: where.file }),
        ...(where.line === undefined ? {} : { startLine: where.line }),
        ...(where.column === undefined ? {} : { startColumn: where.column }),
    };
}
/**
 * `Context.query` by @actions/exec; nothing of it is shown in the log.
 *
 * @actions/exec cannot end a program. One that takes longer than `milliseconds` is left to itself; it does not keep the step,
 * which ends its process.
 */
const queryWithin = (milliseconds) => async (command, args, { cwd, env, allow = [0] } = {}) => {
    const argv = [command, ...args];
    const set = Object.entries(env ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    const running = (0,exec/* getExecOutput */.H)(command, [...args], {
        silent: true,
        ignoreReturnCode: true,
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env: Object.fromEntries(set) }),
    }).catch(error => {
        // With ignoreReturnCode, it throws only if the program cannot be started; the reason is only in its words.
        const reason = error.message;
        const missing = reason.startsWith('Unable to locate executable file');
        throw new errors/* CommandError */.Qd(argv, missing ? { kind: 'missing' } : { kind: 'not-started', reason }, '');
    });
    const ended = await inMilliseconds(milliseconds, running, () => {
        return new errors/* CommandError */.Qd(argv, { kind: 'timeout', milliseconds }, '');
    });
    // Its types do not say that the code is null if a signal ended the program.
    const code = ended.exitCode;
    const printed = ended.stderr.slice(-errors/* stderrLimit */.c3);
    if (code === null)
        throw new errors/* CommandError */.Qd(argv, { kind: 'signal', signal: 'a signal' }, printed);
    if (!allow.includes(code))
        throw new errors/* CommandError */.Qd(argv, { kind: 'exit', code }, printed);
    return { code, stdout: ended.stdout, stderr: ended.stderr.slice(-64 * 1024) };
};
function inMilliseconds(milliseconds, running, late) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(late()), milliseconds);
        running.then(resolve, reject).finally(() => clearTimeout(timer));
    });
}
/** The context of a run inside the runner; `close` ends its progress and may be called twice. */
function openContext(core, scratch, environment) {
    const progress = (0,report.openProgress)({ write: text => process.stdout.write(withoutCommands(text)) }, false);
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    // The runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL (actions/runner, "cancellation").
    process.on('SIGINT', cancel).on('SIGTERM', cancel);
    const context = {
        exec: src_exec/* exec */.m,
        query: queryWithin(time_limits/* queryLimit */.Ay),
        log: runnerLog(core, () => progress.heard()),
        progress: event => {
            if (!('host' in event)) {
                if (event.state === 'running')
                    core.startGroup(titles[event.stage]);
                else
                    core.endGroup();
            }
            progress.event(event);
        },
        signal: cancelled.signal,
        scratch,
        environment,
    };
    return { context, close: () => progress.end() };
}
/** What the runner offers a step: its state, its cache, its artifacts. */
function portsOf(core, { githubToken: token, signingKey: secret }, env, secretVariables, context) {
    const repository = env.GITHUB_REPOSITORY ?? null;
    const number = env.GITHUB_RUN_ID === undefined ? null : Number(env.GITHUB_RUN_ID);
    const run = `${env.GITHUB_SERVER_URL ?? 'https://github.com'}/${repository}/actions/runs/${number}`;
    const api = env.GITHUB_API_URL ?? 'https://api.github.com';
    const access = { token, secret, repository, run: number, ref: env.GITHUB_REF_NAME ?? null, api };
    const findsPreviews = token !== null && repository !== null && trustedEvents.includes(env.GITHUB_EVENT_NAME ?? '');
    return {
        setup: {
            saveState: core.saveState,
            publish: { addPath: core.addPath, exportVariable: core.exportVariable, setOutput: core.setOutput },
            ...(env.ACTIONS_RUNTIME_TOKEN === undefined ? {} : { cache: cacheOf('store', env, context.signal) }),
        },
        machine: { daemon: 'own', environment: env },
        archives: {
            directory: (0,external_node_path_.join)(context.scratch, 'archives'),
            artifacts: env.ACTIONS_RUNTIME_TOKEN === undefined ? null : artifactStore(access, context),
        },
        planCache: env.ACTIONS_RUNTIME_TOKEN === undefined ? null : cacheOf('plan', env, context.signal),
        repository,
        branch: env.GITHUB_REF_NAME ?? null,
        pull: (0,src_event/* pullRequestOf */._n)((0,src_event/* eventOf */.A6)(env)),
        previewed: findsPreviews
            ? () => (0,report.findPreviewed)(env.GITHUB_SHA ?? '', { api, token: token ?? '', repository: repository ?? '' })
            : null,
        deployer: {
            who: `${repository} run ${number} by ${env.GITHUB_ACTOR}`,
            run: number === null ? null : run,
            ownSsh: false,
            ownCode: trustedEvents.includes(env.GITHUB_EVENT_NAME ?? ''),
            secretVariables,
        },
    };
}
function cacheOf(what, env, signal) {
    const directory = (0,external_node_path_.join)((0,scratch/* scratchParent */.d)(env.RUNNER_TEMP, (0,external_node_os_.tmpdir)()), `nix-ferry-${what}-cache`);
    return {
        directory,
        restore: async (key, prefixes) => {
            const { restoreCache } = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
            // A separate lookup: an answer that comes too late must not be unpacked over files that are in use by then.
            const lookup = restoreCache([directory], key, [...prefixes], { lookupOnly: true });
            const found = await (0,time_limits/* within */.ux)(10, lookup, signal);
            if (found === undefined)
                return null;
            // By default, the client waits ten minutes for 128 MB.
            const restored = await restoreCache([directory], found, [], { segmentTimeoutInMs: 60_000 });
            if (restored === undefined)
                throw new Error(`its entry ${found} could not be downloaded.`);
            return restored;
        },
        save: async (key) => {
            const { saveCache } = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
            return (await (0,time_limits/* within */.ux)(300, saveCache([directory], key), signal)) !== -1;
        },
        trusted: trustedEvents.includes(env.GITHUB_EVENT_NAME ?? ''),
    };
}


/***/ })

};
