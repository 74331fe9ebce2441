export const id = 591;
export const ids = [591];
export const modules = {

/***/ 73190:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   m: () => (/* binding */ exec)
/* harmony export */ });
/* harmony import */ var node_child_process__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(31421);
/* harmony import */ var node_child_process__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_child_process__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83916);


const keptStderr = 64 * 1024;
const graceMilliseconds = 5_000;
/**
 * Runs a program, without a shell.
 *
 * @throws CommandError when it exits with a code not in `allow`, is killed, or cannot be started.
 */
const exec = (command, args, options = {}) => new Promise((resolve, reject) => {
    const child = (0,node_child_process__WEBPACK_IMPORTED_MODULE_0__.spawn)(command, args, {
        cwd: options.cwd,
        env: options.env,
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const argv = [command, ...args];
    const stdout = [];
    let stderr = '';
    const stop = () => end(child);
    const timer = options.timeout === undefined ? undefined : setTimeout(stop, options.timeout);
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted)
        stop();
    if (options.onStdout === undefined)
        child.stdout?.on('data', (chunk) => stdout.push(chunk));
    else
        lines(child.stdout, options.onStdout);
    lines(child.stderr, line => {
        stderr = `${stderr}${line}\n`.slice(-keptStderr);
        options.onStderr?.(line);
    });
    // A child that ends before it has read its input is judged by its exit code, not by the broken pipe.
    child.stdin?.on('error', () => undefined);
    if (options.input instanceof Promise) {
        options.input.then(input => child.stdin?.end(input), () => child.stdin?.end());
    }
    else
        child.stdin?.end(options.input);
    const settle = (code, signal) => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', stop);
        if (code !== null && (options.allow ?? [0]).includes(code)) {
            resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr });
        }
        else {
            reject(new _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .CommandError */ .Qd(argv, code, signal, stderr.slice(-8 * 1024)));
        }
    };
    child.once('error', error => {
        stderr += error.message;
        settle(127, null);
    });
    child.once('close', settle);
});
function end(child) {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), graceMilliseconds).unref();
}
function lines(stream, each) {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts)
            each(line);
    });
    stream?.on('end', () => {
        if (rest !== '')
            each(rest);
    });
}


/***/ }),

/***/ 93591:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openContext: () => (/* binding */ openContext),
  portsOf: () => (/* binding */ portsOf),
  runnerLog: () => (/* binding */ runnerLog)
});

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/archive/upload.ts




/** An artifact of another run that is to end sooner than this is not referred to: a later job may wait for an approval. */
const leastLifetime = 24 * 60 * 60 * 1000;
/**
 * GitHub's artifacts, through @actions/artifact, which is loaded when first needed: loading takes 90 ms.
 *
 * NARs are compressed already, so the zip stores them as they are.
 */
function artifactStore(access, log) {
    const client = async () => (await Promise.all(/* import() */[__webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(888)]).then(__webpack_require__.bind(__webpack_require__, 37888))).default;
    /** Null: this run's own artifacts, which need no token. */
    const elsewhere = (run) => {
        if (run === null || run === access.run)
            return null;
        const [repositoryOwner, repositoryName] = access.repository?.split('/') ?? [];
        if (access.token === null || repositoryOwner === undefined || repositoryName === undefined) {
            throw new errors/* UserError */.yo(`The artifacts of run ${run} cannot be read without a token.`, {
                where: { input: 'github-token' },
                cure: 'Give `github-token` a token with the permission `actions: read`.',
            });
        }
        return { findBy: { token: access.token, workflowRunId: run, repositoryOwner, repositoryName } };
    };
    const store = {
        async upload(name, directory, files) {
            const artifacts = await client();
            const upload = () => artifacts.uploadArtifact(name, [...files], directory, { compressionLevel: 0 });
            const answer = await upload().catch(async (error) => {
                // An attempt of a run holds a name once (409); of another attempt it may hold it too, and the newest counts.
                if (!/\(409\)/.test(String(error)))
                    throw error;
                log.info(`${name}: replaces the artifact of that name that this run already holds`);
                await artifacts.deleteArtifact(name);
                return upload();
            });
            if (answer.id === undefined || answer.digest === undefined) {
                throw new Error(`The results service took ${name} and named neither its id nor its digest`);
            }
            return { name, id: answer.id, digest: `sha256:${answer.digest}`, bytes: answer.size ?? 0, run: null };
        },
        async list(run) {
            const { artifacts } = await (await client()).listArtifacts({ latest: true, ...elsewhere(run) });
            return artifacts.map(({ name, id, digest, size }) => ({ name, id, digest: digest ?? '', bytes: size, run }));
        },
        async download(artifact, directory) {
            const options = { path: directory, ...elsewhere(artifact.run), expectedHash: artifact.digest };
            const { digestMismatch } = await (await client()).downloadArtifact(artifact.id, options);
            if (digestMismatch !== true)
                return;
            await (0,promises_.rm)(directory, { recursive: true, force: true });
            throw new errors/* UserError */.yo(`The artifact ${artifact.name} did not arrive as it was uploaded: its digest differs.`, {
                cure: 'Let the job run again; if it stays so, let the job that built the artifact run again.',
            });
        },
        async recall(key) {
            if (access.token === null)
                return null;
            try {
                const file = noteFile(key);
                const { restoreCache } = await Promise.all(/* import() */[__webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
                // The newest note for the key; see `remember`.
                if ((await restoreCache([noteName(key)], `${key}-`, [`${key}-`])) === undefined)
                    return null;
                const noted = JSON.parse(await (0,promises_.readFile)(file, 'utf8'));
                await (0,promises_.rm)(file, { force: true });
                if (noted.run !== access.run)
                    return (await isThere(noted, access)) ? noted : null;
                // Later jobs take the newest of its name, which another attempt of this run may have made of another closure.
                return (await store.list(null)).some(({ id }) => id === noted.id) ? { ...noted, run: null } : null;
            }
            catch (error) {
                // Not knowing costs an upload, no more.
                log.debug(`No earlier artifact for ${key}: ${error}`);
                return null;
            }
        },
        async remember(key, artifact) {
            if (access.token === null || access.run === null)
                return;
            const file = noteFile(key);
            try {
                await (0,promises_.mkdir)((0,external_node_path_.dirname)(file), { recursive: true });
                await (0,promises_.writeFile)(file, JSON.stringify({ ...artifact, run: access.run }));
                const { saveCache } = await Promise.all(/* import() */[__webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
                // An entry cannot be replaced: a later artifact for the same key, when this one is gone, has an entry of its own.
                await saveCache([noteName(key)], `${key}-${artifact.id}`);
            }
            catch (error) {
                log.debug(`The artifact of ${key} was not noted down: ${error}`);
            }
            finally {
                await (0,promises_.rm)(file, { force: true });
            }
        },
    };
    return store;
}
/** Asked of GitHub itself: @actions/artifact lists artifacts that have expired like the others. */
async function isThere({ id, digest }, { api, repository, token }) {
    const answer = await fetch(`${api}/repos/${repository}/actions/artifacts/${id}`, {
        headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${token}`, 'user-agent': 'nix-ferry' },
        signal: AbortSignal.timeout(30_000),
    });
    if (!answer.ok)
        return false;
    const there = (await answer.json());
    const end = there.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(there.expires_at);
    return !there.expired && end - Date.now() > leastLifetime && there.digest === digest;
}
/** With `~`, so that the cache's version, a hash of this text, is the same for every user's home. */
function noteName(key) {
    return `~/.cache/nix-ferry/artifacts/${key}.json`;
}
function noteFile(key) {
    return noteName(key).replace('~', (0,external_node_os_.homedir)());
}

// EXTERNAL MODULE: ./src/exec.ts
var exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/report/index.ts + 8 modules
var report = __webpack_require__(66456);
// EXTERNAL MODULE: ./src/scratch.ts
var scratch = __webpack_require__(7897);
;// CONCATENATED MODULE: ./src/runner.ts






/** Says things the way the runner shows them: workflow commands for notices, warnings and errors, plain lines else. */
function runnerLog(core) {
    return {
        debug: message => core.debug(message),
        info: message => core.info(message),
        notice: (message, where) => core.notice(message, properties(where)),
        warning: (message, where) => core.warning(message, properties(where)),
        error: (message, where) => core.error(message, properties(where)),
        secret: text => {
            // The runner masks line by line; a key's lines must each be told.
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
/** The context of a run inside the runner; `close` ends its progress and may be called twice. */
function openContext(core, scratch) {
    const progress = (0,report.openProgress)({ write: text => process.stdout.write(text) }, false);
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    // The runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL (actions/runner, "cancellation").
    process.on('SIGINT', cancel).on('SIGTERM', cancel);
    const context = {
        exec: exec/* exec */.m,
        log: runnerLog(core),
        progress: event => progress.event(event),
        signal: cancelled.signal,
        scratch,
    };
    return { context, close: () => progress.end() };
}
/** What the runner offers a step: its state, its cache, its artifacts. */
function portsOf(core, config, env, context) {
    const repository = env.GITHUB_REPOSITORY ?? null;
    const number = env.GITHUB_RUN_ID === undefined ? null : Number(env.GITHUB_RUN_ID);
    const run = `${env.GITHUB_SERVER_URL ?? 'https://github.com'}/${repository}/actions/runs/${number}`;
    const api = env.GITHUB_API_URL ?? 'https://api.github.com';
    const access = { token: config['github-token'], repository, run: number, api };
    return {
        setup: {
            saveState: core.saveState,
            publish: { addPath: core.addPath, exportVariable: core.exportVariable },
            ...(env.ACTIONS_RUNTIME_TOKEN === undefined ? {} : { cache: cacheOf('store', env, context.signal) }),
        },
        daemon: 'own',
        artifacts: env.ACTIONS_RUNTIME_TOKEN === undefined ? null : artifactStore(access, context.log),
        archives: (0,external_node_path_.join)(context.scratch, 'archives'),
        planCache: env.ACTIONS_RUNTIME_TOKEN === undefined ? null : cacheOf('plan', env, context.signal),
        repository,
        run: number === null ? null : run,
        who: `${repository} run ${number} by ${env.GITHUB_ACTOR}`,
        environment: env,
    };
}
/**
 * Events that only who may write to the repository can start, and that run its own code. What others build (pull requests,
 * but a comment too, after which many a workflow takes the code of a pull request) must not reach later runs.
 */
const trusted = ['push', 'schedule', 'workflow_dispatch', 'repository_dispatch', 'release'];
function cacheOf(what, env, signal) {
    const directory = (0,external_node_path_.join)((0,scratch/* scratchParent */.d)(env.RUNNER_TEMP, (0,external_node_os_.tmpdir)()), `nix-ferry-${what}-cache`);
    return {
        directory,
        restore: async (key, prefixes) => {
            const { restoreCache } = await Promise.all(/* import() */[__webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
            // Looked up by itself: an answer that comes too late must not be unpacked over what is used meanwhile.
            const lookup = restoreCache([directory], key, [...prefixes], { lookupOnly: true });
            const found = await within(10, lookup, signal);
            if (found === undefined)
                return null;
            // Without a limit of ours the client waits ten minutes for 128 MB.
            const restored = await restoreCache([directory], found, [], { segmentTimeoutInMs: 60_000 });
            if (restored === undefined)
                throw new Error(`its entry ${found} could not be fetched.`);
            return restored;
        },
        save: async (key) => {
            const { saveCache } = await Promise.all(/* import() */[__webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(908), __webpack_require__.e(142)]).then(__webpack_require__.bind(__webpack_require__, 60142));
            return (await within(300, saveCache([directory], key), signal)) !== -1;
        },
        trusted: trusted.includes(env.GITHUB_EVENT_NAME ?? ''),
    };
}
/** What `asked` answers, if it does so in time: the cache's client tries again for a quarter of an hour, and cannot be stopped. */
function within(seconds, asked, signal) {
    return new Promise((resolve, reject) => {
        const giveUp = () => reject(new Error(`the service did not answer within ${seconds} s.`));
        const timer = setTimeout(giveUp, seconds * 1000);
        signal.addEventListener('abort', giveUp, { once: true });
        asked.then(resolve, reject).finally(() => {
            clearTimeout(timer);
            signal.removeEventListener('abort', giveUp);
        });
    });
}


/***/ })

};
