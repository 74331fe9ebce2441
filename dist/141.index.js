export const id = 141;
export const ids = [141];
export const modules = {

/***/ 25462:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ asset)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_url__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(73136);
/* harmony import */ var node_url__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_url__WEBPACK_IMPORTED_MODULE_2__);



/**
 * The absolute path of a file of ours that is no TypeScript (`nix/probe.nix`, `target/…sh`), given relative to the
 * repository's root. Works from `src/` and from a bundle in `dist/`, however deep.
 *
 * @throws Error when the file is not there: a broken checkout of the action.
 */
function asset(path) {
    let directory = (0,node_path__WEBPACK_IMPORTED_MODULE_1__.dirname)((0,node_url__WEBPACK_IMPORTED_MODULE_2__.fileURLToPath)(import.meta.url));
    for (;;) {
        const candidate = (0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(directory, path);
        if ((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.existsSync)(candidate))
            return candidate;
        const parent = (0,node_path__WEBPACK_IMPORTED_MODULE_1__.dirname)(directory);
        if (parent === directory)
            throw new Error(`${path} is missing from this checkout of Nix Ferry`);
        directory = parent;
    }
}


/***/ }),

/***/ 81532:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   X: () => (/* binding */ mapConcurrently)
/* harmony export */ });
/**
 * Calls `work` for every item, at most `limit` at once, and answers in the items' order.
 *
 * @throws the first error, after the calls already begun have ended; no new one is begun.
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

/***/ 65890:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  x8: () => (/* binding */ checkAccess),
  gg: () => (/* binding */ deploy),
  Bu: () => (/* reexport */ endLeftSession)
});

// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/deploy/answers.ts
function readAnswers() {
    const answers = { values: new Map(), log: [] };
    const take = (line) => {
        if (line.startsWith(': '))
            answers.log.push(line.slice(2));
        else {
            // A target may greet every session with lines of its own; they hold no known key.
            const at = line.indexOf('=');
            if (at > 0)
                answers.values.set(line.slice(0, at), line.slice(at + 1));
        }
    };
    return { answers, take };
}
/** Null when the answer is not that of the probe. */
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
        nix: text('nix'),
        free: Number.isFinite(free) ? free * 1024 : null,
        trusted: values.has('trusted') && values.get('trusted') !== '' ? values.get('trusted') === 'yes' : null,
        root: root === 'yes' || root === 'escalated' ? root : 'no',
        refusal: text('refusal'),
    };
}
/** Null while there is no result, or when it was lost. */
function readActivation({ values }) {
    const result = values.get('result');
    if (values.get('end') !== 'result')
        return null;
    if (result !== 'activated' && result !== 'refused' && result !== 'rolled-back' && result !== 'failed')
        return null;
    return {
        result,
        why: values.get('why') ?? '',
        step: values.get('step') ?? '',
        code: Number(values.get('code')),
        before: values.get('before') || null,
        current: values.get('current') || null,
        profile: values.get('profile') || null,
    };
}

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
;// CONCATENATED MODULE: ./src/deploy/remote.ts



let script;
/** @throws CommandError when the connection or the script fails. */
async function call(remote, verb, args, { privileged = false, fresh = false, onLog, ...options } = {}) {
    script ??= (0,external_node_fs_.readFileSync)((0,assets/* asset */.L)('target/activate.sh'), 'utf8');
    const escalation = privileged ? escalationOf(remote.target) : [];
    const { answers, take } = readAnswers();
    const onStdout = (line) => {
        const known = answers.log.length;
        take(line);
        if (answers.log.length > known)
            onLog?.(line.slice(2));
    };
    const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
    await remote.session.ssh(remote.alias, words.map(quote).join(' '), { ...options, fresh, onStdout, input: script });
    return answers;
}
/** The words before a command that needs root. */
function escalationOf(target) {
    return target.user === 'root' ? [] : target.privilegeEscalation;
}
/** A word for the target's login shell, whichever it is: single quotes mean the same in sh, fish and csh. */
function quote(word) {
    if (/^[A-Za-z0-9_./:@%+,-]+$/.test(word))
        return word;
    return `'${word.replaceAll("'", "'\"'\"'")}'`;
}

;// CONCATENATED MODULE: ./src/deploy/copy.ts

/**
 * Copies the closure to the target's store; what is there already is not sent.
 *
 * The paths' signatures are not asked for: they come over a connection that the target has let in, from a store whose
 * content the build or the archive's manifest vouches for. Nix on the target honours that only for its trusted users
 * (nix.conf(5), trusted-users); for another user its daemon is called by way of the privilege escalation.
 *
 * @param tell is given a few words whenever a further path is under way.
 * @throws CommandError
 */
async function copyClosure({ toplevel, closure }, remote, probe, nix, context, tell) {
    const count = countPaths(tell);
    await nix.run('nix', copyArguments(toplevel, closure, remote, probe), {
        env: { ...nix.environment(), NIX_SSHOPTS: remote.session.sshOptions },
        signal: context.signal,
        onStderr: count,
    });
}
/** Reads the lines that Nix prints without a terminal: "copying 40 paths...", then "copying path '…' to '…'...". */
function countPaths(tell) {
    let total = 0;
    let begun = 0;
    return line => {
        const paths = /^copying (\d+) paths/.exec(line)?.[1];
        if (paths !== undefined)
            total = Number(paths);
        else if (line.startsWith("copying path '"))
            tell(`copying ${++begun} of ${Math.max(total, begun)} paths`);
    };
}
/** The words after `nix`. */
function copyArguments(toplevel, closure, { alias, target }, probe) {
    const escalation = probe.trusted === true ? [] : escalationOf(target);
    const program = escalation.length === 0 ? '' : `?remote-program=${encodeURIComponent([...escalation, 'nix-daemon'].join(' '))}`;
    return [
        'copy',
        '--no-check-sigs',
        ...(target.substituteOnDestination ? ['--substitute-on-destination'] : []),
        ...(closure.from === 'archive' ? ['--from', `file://${closure.directory}`] : []),
        '--to',
        `ssh-ng://${alias}${program}`,
        toplevel,
    ];
}

;// CONCATENATED MODULE: ./src/deploy/judge.ts
/** What the end of an activation means (exit codes: switch-to-configuration in nixpkgs). */
function judge(activation, toplevel, mode, log) {
    const { result, code, current, profile } = activation;
    if (result !== 'activated')
        return unsuccessful(activation, log);
    if (mode === 'dry-activate')
        return { outcome: 'planned', message: 'Asked what would change; nothing was changed.' };
    if (code === 100) {
        const message = mode === 'test'
            ? 'Not activated: the new system changes the init interface and wants a reboot, which `test` does not lead to.'
            : 'The new system changes the init interface: it is what the next boot starts; reboot the target.';
        return { outcome: mode === 'test' ? 'refused' : 'needs-reboot', message };
    }
    const wrong = truth(toplevel, mode, current, profile);
    if (wrong !== null)
        return { outcome: 'failed', message: wrong };
    if (code === 4)
        return { outcome: 'degraded', message: `The switch happened, but ${failedUnits(log)}.` };
    return { outcome: 'deployed', message: achieved[mode] };
}
const achieved = {
    none: '',
    'dry-activate': '',
    test: 'Runs the new system until the next boot.',
    boot: 'The next boot starts the new system.',
    switch: 'Runs the new system, and boots it.',
};
/** An exit code of 0 is believed only when the target is where it should be. */
function truth(toplevel, mode, current, profile) {
    if (mode !== 'boot' && current !== toplevel)
        return `The activation ended well, but the target runs ${current}.`;
    if (mode !== 'test' && profile !== toplevel)
        return `The activation ended well, but the target's profile is at ${profile}.`;
    return null;
}
function unsuccessful({ result, why, step, code, before }, log) {
    const said = why !== '' ? why : lastWords(log);
    if (result === 'rolled-back') {
        return {
            outcome: 'rolled-back',
            message: `${failure(step, code)}; the target is back on ${before}. ${said}`.trim(),
        };
    }
    if (result === 'failed')
        return { outcome: 'failed', message: `${failure(step, code)}. ${said}`.trim() };
    const message = step === 'lock' && why !== ''
        ? `Another deployment holds the target: ${why}. Run again when it has ended.`
        : code === 11
            ? 'Another switch-to-configuration runs on the target and holds its lock. Run again when it has ended.'
            : `${step === 'check' ? 'The target refused' : failure(step, code)}; nothing was changed. ${said}`.trim();
    return { outcome: 'refused', message };
}
function failure(step, code) {
    if (step === 'profile')
        return `The profile could not be set (nix-env exited with ${code})`;
    if (step === 'root')
        return "The new system is no longer in the target's store";
    if (step === 'boot')
        return `The boot loader could not be installed (exit code ${code})`;
    if (code === 1)
        return 'The pre-switch check said no (exit code 1)';
    if (code === 2)
        return 'The activation script failed (exit code 2)';
    if (code === 3)
        return 'systemd could not reload its configuration (exit code 3)';
    return `switch-to-configuration ${step} exited with ${code}`;
}
function failedUnits(log) {
    const line = log.findLast(text => text.includes('units failed: '));
    return line === undefined
        ? 'some units failed (exit code 4)'
        : `these units failed: ${line.split('units failed: ')[1]}`;
}
/** The last lines of the step that failed: what comes after a line of our own tells of the way back. */
function lastWords(log) {
    const back = log.findIndex(line => line.startsWith('nix-ferry: '));
    const lines = (back === -1 ? log : log.slice(0, back)).map(line => line.trim()).filter(line => line !== '');
    return lines.slice(-3).join(' ');
}
/** What a connection that failed means, from what ssh said. */
function unreached(error, target, step, publicKey) {
    const said = error.stderr.trim().split('\n').at(-1) ?? '';
    const { address, port, user } = target;
    const where = port === null ? address : `${address} port ${port}`;
    const unpinned = /No \S+ host key is known for (\S+)/.exec(error.stderr)?.[1];
    if (unpinned !== undefined) {
        return {
            outcome: 'refused',
            message: `No host key is pinned for ${unpinned}, which the way to ${where} leads over: add its line to \`known-hosts\`.`,
        };
    }
    if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(error.stderr)) {
        return {
            outcome: 'refused',
            message: `${where} showed another host key than the pinned one; nothing was sent. If the machine was installed anew, ` +
                'pin its new key in `known-hosts`; if not, somebody stands between.',
        };
    }
    if (/Permission denied/.test(error.stderr)) {
        return {
            outcome: 'refused',
            message: publicKey === null
                ? `${where} takes none of your keys for ${user}. (${said})`
                : `${where} does not take the deploy key for ${user}: add \`${publicKey}\` to that user's authorized keys. (${said})`,
        };
    }
    if (step === 'activating') {
        return {
            outcome: 'failed',
            message: `The connection was cut while activating and ${where} could not be reached again; the target goes on by itself. (${said})`,
        };
    }
    return {
        outcome: 'unreachable',
        message: `No connection to ${where} while ${step}: ${said === '' ? 'it was cut' : said}`,
    };
}
/** What a copy that failed means, from what Nix said; the target runs what it ran before. */
function notCopied(error, target, free) {
    const said = error.stderr
        .split('\n')
        .map(line => line.trim())
        .filter(line => line.startsWith('error') && !line.startsWith('error (ignored)'))
        .join(' ');
    const why = said === '' ? error.message : said;
    if (/No space left on device/.test(why)) {
        const left = free === null ? '' : ` (${Math.floor(free / 1024 ** 2)} MiB were free)`;
        return {
            outcome: 'failed',
            message: `The target's disk is full${left}: collect its garbage (\`nix-collect-garbage --delete-older-than 30d\`). ${why}`,
        };
    }
    if (/lacks a (valid )?signature|not trusted|you are not privileged|not allowed to/i.test(why)) {
        return {
            outcome: 'refused',
            message: `Nix on the target takes no unsigned paths from ${target.user}: add it to \`nix.settings.trusted-users\` there, or sign ` +
                `with \`signing-key\` and trust its public half there. ${why}`,
        };
    }
    if (/Broken pipe|unexpected end-of-file|[Cc]onnection (closed|reset|timed out|refused)|cannot (open )?connect|SSH connection/.test(why)) {
        const message = `The connection to ${target.address} was lost while copying the closure; run again to go on where it ended. ${why}`;
        return { outcome: 'unreachable', message };
    }
    return { outcome: 'failed', message: `The closure could not be copied. ${why}` };
}

// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
;// CONCATENATED MODULE: ./src/deploy/rollout.ts

/** Outcomes that count as a failed host. */
const bad = new Set(['degraded', 'refused', 'rolled-back', 'unreachable', 'failed']);
function isBad({ outcome }) {
    return bad.has(outcome);
}
/** The hosts in the order of the roll-out: the canary, then the others. */
function waves(items, canary) {
    if (canary === null)
        return [[...items]];
    const share = 'hosts' in canary ? canary.hosts : Math.ceil(items.length * canary.part);
    return [items.slice(0, share), items.slice(share)].filter(wave => wave.length > 0);
}
/**
 * Works through the hosts, `parallel` at once; one that fails does not stop the others, but for two reasons: a canary
 * that failed, and more failures than `maxFailures`. Hosts already begun are always seen through.
 *
 * A host that is unreachable says nothing of the systems that are rolled out, so it counts as a failed canary, which has
 * shown nothing, but not towards `maxFailures`: a laptop that is off does not stop a fleet.
 *
 * @param work must not throw.
 * @param skip answers for a host whose turn does not come, given the reason.
 * @param signal aborted: no further host is begun.
 */
async function rollOut(items, { parallel, canary, maxFailures }, work, skip, signal) {
    const failed = [];
    const broken = [];
    let held = null;
    const outcomes = [];
    const order = waves(items, canary);
    for (const [index, wave] of order.entries()) {
        const ended = await (0,concurrency/* mapConcurrently */.X)(wave, parallel, async (item) => {
            if (signal.aborted)
                return skip(item, 'Cancelled before its turn.');
            if (held !== null)
                return skip(item, held);
            const outcome = await work(item);
            if (!isBad(outcome))
                return outcome;
            failed.push(item.host);
            if (outcome.outcome === 'unreachable')
                return outcome;
            broken.push(item.host);
            if (maxFailures !== null && broken.length > maxFailures) {
                held = `Held back: ${broken.join(', ')} failed, and max-failures is ${maxFailures}.`;
            }
            return outcome;
        });
        outcomes.push(...ended);
        const isCanary = canary !== null && index === 0 && order.length > 1;
        if (isCanary && failed.length > 0)
            held = `Held back: ${failed.join(', ')} went first as canary and failed.`;
    }
    return outcomes;
}

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
;// CONCATENATED MODULE: ./src/deploy/agent.ts


// ssh-agent that is given a command ends within 10 s of that command's end (ssh-agent(1)); this command ends with the
// process whose id it is given, so that the key is gone even after a SIGKILL of ours.
const followParent = 'echo "$SSH_AGENT_PID"; while kill -0 "$1" 2>/dev/null; do sleep 1 >&- 2>&-; done';
/**
 * Starts an ssh-agent with its socket in `directory` and gives it `key` over standard input: the key is never on disk and
 * never in an argument list.
 *
 * @throws UserError when ssh-add does not take the key.
 */
async function startAgent(key, directory, context) {
    const socket = (0,external_node_path_.join)(directory, 'agent');
    const stopped = new AbortController();
    let started = () => undefined;
    const pid = new Promise(resolve => {
        started = resolve;
    });
    const running = context
        .exec('ssh-agent', ['-a', socket, 'sh', '-c', followParent, 'sh', String(process.pid)], {
        onStdout: line => started(Number(line)),
        signal: stopped.signal,
    })
        .then(() => null)
        .catch((error) => error)
        .finally(() => started(0));
    const known = await pid;
    if (known === 0)
        throw (await running) ?? new Error('ssh-agent did not start');
    const end = async () => {
        try {
            process.kill(known, 'SIGTERM');
        }
        catch {
            // It has ended already.
        }
        stopped.abort();
        await running;
    };
    try {
        // Without a terminal and with an askpass that fails, ssh-add cannot wait for a passphrase.
        const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: 'false', SSH_ASKPASS_REQUIRE: 'force' };
        await context.exec('ssh-add', ['-q', '-'], { input: key, env, timeout: 20_000 });
        const { stdout } = await context.exec('ssh-add', ['-L'], { env, timeout: 20_000 });
        const publicKey = stdout.trim().split(' ').slice(0, 2).join(' ');
        return { socket, pid: known, publicKey, end };
    }
    catch (error) {
        await end();
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        throw new errors/* UserError */.yo('The deploy key is not a private key that OpenSSH can read.', {
            where: { input: 'deploy-key' },
            cure: 'Give the whole text of an unencrypted private key, as `ssh-keygen -t ed25519 -N "" -f deploy-key` writes it.',
            cause: error,
        });
    }
}

;// CONCATENATED MODULE: ./src/deploy/known-hosts.ts


/**
 * Checks the text of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and answers it with plain line ends.
 *
 * @throws UserError that names the first line which is none.
 */
function readKnownHosts(text) {
    const lines = text
        .replaceAll('\r', '')
        .split('\n')
        .map(line => line.trim());
    const entries = lines.filter(line => line !== '' && !line.startsWith('#'));
    if (entries.length === 0)
        throw wrong('holds no host key', '');
    for (const [index, line] of lines.entries()) {
        if (line === '' || line.startsWith('#'))
            continue;
        const words = line.split(/\s+/);
        if (words[0] === '@cert-authority' || words[0] === '@revoked')
            words.shift();
        const [hosts = '', type = '', key = ''] = words;
        if (isKeyType(hosts) && /^AAAA/.test(type)) {
            throw wrong(`has a key without its host in line ${index + 1}`, `Put the target's address before it: \`<address> ${hosts} …\`. `);
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
/** A key's blob begins with its type (RFC 4253, 6.6). */
function namesItself(type, key) {
    const blob = Buffer.from(key, 'base64');
    return blob.length > 4 + type.length && blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) === type;
}
/** The error of a run that would have to believe whichever host key it is shown. */
function missingKnownHosts(targets) {
    return new errors/* UserError */.yo('No host keys are pinned, so the targets could not be told from an impostor.', {
        where: { input: 'known-hosts' },
        cure: howToPin(targets),
    });
}
/**
 * Looks whether each target has a pinned key, under the name, alias and port that ssh itself would look for.
 *
 * @param config the file that ssh is called with.
 * @throws UserError that names all targets without one.
 */
async function checkPins(targets, config, knownHosts, exec) {
    const missing = await (0,concurrency/* mapConcurrently */.X)(targets, 8, async (aliased) => {
        const stdout = await settings(aliased, config, exec);
        const setting = (key) => new RegExp(`^${key} (.*)$`, 'm').exec(stdout)?.[1];
        const port = setting('port') ?? '22';
        const address = setting('hostname') ?? aliased.target.address;
        const name = setting('hostkeyalias') ?? (port === '22' ? address : `[${address}]:${port}`);
        const { code } = await exec('ssh-keygen', ['-F', name, '-f', knownHosts], { allow: [0, 1] });
        return code === 0 ? [] : [{ ...aliased, name }];
    });
    const unpinned = missing.flat();
    if (unpinned.length === 0)
        return;
    const names = unpinned.map(({ host, name }) => (host === name ? host : `${host} (${name})`)).join(', ');
    throw new errors/* UserError */.yo(`No host key is pinned for ${names}.`, {
        where: { input: 'known-hosts' },
        cure: howToPin(unpinned.map(({ target }) => target)),
    });
}
/** What ssh makes of its configuration for a target: lines of a key and its value. */
async function settings({ alias, host, target }, config, exec) {
    try {
        return (await exec('ssh', ['-F', config, '-G', alias])).stdout;
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.code !== 255)
            throw error;
        const said = error.stderr.trim().replaceAll(`${config}: `, '').replaceAll(`${config} `, '');
        throw new errors/* UserError */.yo(`Host ${host}: SSH does not take its options (${target.sshOptions.join(' ')}): ${said}`, {
            where: { host, input: 'targets' },
            cure: 'Write options as `-o Key=value`, with the names and values of ssh_config(5).',
            cause: error,
        });
    }
}
/** What to do to get the lines for `targets`, in words. */
function howToPin(targets) {
    const scans = targets.slice(0, 3).map(scan);
    const more = targets.length > scans.length ? ', …' : '';
    return (`Run ${scans.join(', ')}${more} from a network you trust, compare the fingerprint (\`ssh-keygen -lf -\`) with what the ` +
        'machine itself says (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), and give the lines as `known-hosts`.');
}
function scan(target) {
    return `\`ssh-keyscan -t ed25519 ${target.port === null || target.port === 22 ? '' : `-p ${target.port} `}${target.address}\``;
}
function wrong(what, cure) {
    return new errors/* UserError */.yo(`The known-hosts text ${what}.`, {
        where: { input: 'known-hosts' },
        cure: `${cure}Each line is as \`ssh-keyscan -t ed25519 <address>\` prints it: address, key type, key.`,
    });
}

;// CONCATENATED MODULE: ./src/deploy/ssh-config.ts

/**
 * The one configuration file that ssh is called with, by us and by `nix copy`: a block for each target under an alias of
 * our own, so that names, addresses and options need not survive Nix's splitting of NIX_SSHOPTS. Of each option ssh takes
 * the first value it finds (ssh_config(5)), so what is pinned comes first.
 *
 * @throws UserError for an address, user, port or option that cannot be given to ssh.
 */
function renderSshConfig(targets, paths, warn) {
    const pinned = [
        'StrictHostKeyChecking yes',
        `UserKnownHostsFile ${paths.knownHosts}`,
        'GlobalKnownHostsFile /dev/null',
        'VerifyHostKeyDNS no',
        'UpdateHostKeys no',
        'CheckHostIP no',
        'BatchMode yes',
        ...(paths.agent === null ? [] : [`IdentityAgent ${paths.agent}`]),
    ];
    const blocks = targets.map(({ alias, host, target }) => [
        `Host ${alias}`,
        ...[
            `HostName ${hostName(target.address, host)}`,
            `User ${user(target.user, host)}`,
            ...(target.port === null ? [] : [`Port ${port(target.port, host)}`]),
            'ControlMaster auto',
            `ControlPath ${paths.control}/%n`,
            'ControlPersist 60',
            ...options(target.sshOptions, host, warn),
        ].map(line => `  ${line}`),
    ]);
    const rest = [
        ...(paths.agent === null ? [] : ['IdentityFile none']),
        'ConnectTimeout 15',
        'ServerAliveInterval 10',
        'ServerAliveCountMax 3',
        'ForwardAgent no',
        'ForwardX11 no',
        'RequestTTY no',
        'LogLevel ERROR',
    ];
    return [...pinned, '', ...blocks.flat(), '', 'Host *', ...rest.map(line => `  ${line}`), ''].join('\n');
}
function hostName(address, host) {
    const bare = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address;
    // Names and IPv4; IPv6 with or without a zone. ssh expands `%` in HostName.
    if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(bare))
        return bare;
    if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?$/.test(bare))
        return bare.replace('%', '%%');
    throw invalid(host, `The address "${address}" is neither a host name nor an IP address.`, 'Write as `web.example.com`, `192.0.2.7` or `2001:db8::7`.');
}
function user(name, host) {
    if (/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(name))
        return name;
    throw invalid(host, `The user "${name}" is no user name.`, 'Write as `root` or `deploy`.');
}
function port(number, host) {
    if (Number.isInteger(number) && number >= 1 && number <= 65535)
        return number;
    throw invalid(host, `The port ${number} is no port.`, 'Write a number from 1 to 65535.');
}
/** ssh's flags with an argument that existing configurations use, as names of ssh_config(5). */
const flags = {
    J: 'ProxyJump',
    b: 'BindAddress',
    c: 'Ciphers',
    i: 'IdentityFile',
    l: 'User',
    m: 'MACs',
    p: 'Port',
};
const switches = {
    4: 'AddressFamily inet',
    6: 'AddressFamily inet6',
    A: 'ForwardAgent yes',
    C: 'Compression yes',
};
/** Without effect on what we do over a connection: X11, terminal, verbosity, quietness. */
const ignored = /^-[aTtXxYvqkn]+$/;
/** What would believe any host key, ask a person, or break the sharing of connections. */
const ours = new Set([
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
/** Lines of ssh_config for the words of a command line, as `["-p", "2222", "-o", "ProxyJump=bastion"]`. */
function options(words, host, warn) {
    const lines = [];
    for (let index = 0; index < words.length; index++) {
        const word = words[index] ?? '';
        const letter = word.slice(1, 2);
        const takeArgument = () => {
            if (word.length > 2)
                return word.slice(2);
            const next = words[++index];
            if (next === undefined)
                throw invalid(host, `The SSH option "${word}" lacks its argument.`, 'Write it as the next word.');
            return next;
        };
        if (/^-[456AC]$/.test(word) && switches[letter] !== undefined)
            lines.push(switches[letter]);
        else if (ignored.test(word))
            continue;
        else if (word.startsWith('-o')) {
            const [, key = '', value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)([\s\S]*)$/.exec(takeArgument()) ?? [];
            if (key === '')
                throw invalid(host, `The SSH option "${word} ${words[index]}" is none.`, 'Write as `-o Key=value`.');
            if (ours.has(key.toLowerCase())) {
                warn(`The SSH option ${key} of host ${host} is left out: host keys are pinned and connections shared by Nix Ferry.`);
            }
            else
                lines.push(`${key} ${oneLine(value, host)}`);
        }
        else if (word.startsWith('-') && flags[letter] !== undefined) {
            const value = oneLine(takeArgument(), host);
            lines.push(`${flags[letter]} ${letter === 'i' ? `"${value.replaceAll('"', '')}"` : value}`);
        }
        else {
            throw invalid(host, `The SSH option "${word}" is not supported.`, 'Write options as `-o Key=value`, with the names of ssh_config(5).');
        }
    }
    return lines;
}
function oneLine(value, host) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (!/[\u0000-\u001f]/.test(value))
        return value;
    throw invalid(host, 'An SSH option holds a line break or control character.', 'Write each option on one line.');
}
function invalid(host, message, cure) {
    return new errors/* UserError */.yo(`Host ${host}: ${message}`, { where: { host, input: 'targets' }, cure });
}

;// CONCATENATED MODULE: ./src/deploy/session.ts







const record = 'deploy-session.json';
/**
 * Makes the directory of a session and starts its agent.
 *
 * @param key the checked deploy key; null: the user's own agent and keys serve.
 * @param knownHosts the checked text.
 * @throws UserError for what cannot be given to ssh.
 */
async function openSession(targets, key, knownHosts, context) {
    const directory = await shortDirectory(context.scratch);
    const control = (0,external_node_path_.join)(directory, 'c');
    const config = (0,external_node_path_.join)(directory, 'config');
    let agent = null;
    const disconnect = () => Promise.all(targets.map(({ alias }) => endMaster(config, alias, context.exec)));
    // A client of a shared connection passes a signal on and stays; it ends at once when the connection does.
    context.signal.addEventListener('abort', disconnect, { once: true });
    const close = async () => {
        context.signal.removeEventListener('abort', disconnect);
        await disconnect();
        await agent?.end();
        await (0,promises_.rm)(directory, { recursive: true, force: true });
        await (0,promises_.rm)((0,external_node_path_.join)(context.scratch, record), { force: true });
    };
    try {
        await (0,promises_.mkdir)(control, { mode: 0o700 });
        await (0,promises_.writeFile)((0,external_node_path_.join)(directory, 'known_hosts'), knownHosts);
        if (key !== null)
            agent = await startAgent(key, directory, context);
        await (0,promises_.writeFile)((0,external_node_path_.join)(context.scratch, record), JSON.stringify({ directory, agent: agent?.pid ?? null }));
        const paths = { agent: agent?.socket ?? null, knownHosts: (0,external_node_path_.join)(directory, 'known_hosts'), control };
        await (0,promises_.writeFile)(config, renderSshConfig(targets, paths, context.log.warning));
        await checkPins(targets, config, paths.knownHosts, context.exec);
    }
    catch (error) {
        await close();
        if (!(error instanceof errors/* CommandError */.Qd) || error.code !== 127)
            throw error;
        throw new errors/* UserError */.yo(`\`${error.command[0]}\` is not on this machine, which a deployment goes through.`, {
            cure: 'Install the OpenSSH client (on Debian and Ubuntu: `apt-get install openssh-client`).',
            cause: error,
        });
    }
    return {
        sshOptions: `-F ${config}`,
        publicKey: agent?.publicKey ?? null,
        ssh: (alias, command, { fresh = false, ...options } = {}) => context.exec('ssh', ['-F', config, ...(fresh ? ['-o', 'ControlPath=none'] : []), '-T', alias, command], options),
        close,
    };
}
/** For post: ends what a killed run left behind in its scratch directory. Never throws. */
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
    try {
        // The number may be another process's by now.
        const name = left.agent === null ? '' : await (0,promises_.readFile)(`/proc/${left.agent}/comm`, 'utf8');
        if (left.agent !== null && name.trim() === 'ssh-agent')
            process.kill(left.agent, 'SIGTERM');
    }
    catch {
        // It has ended by itself.
    }
    await (0,promises_.rm)(left.directory, { recursive: true, force: true });
    await (0,promises_.rm)((0,external_node_path_.join)(scratch, record), { force: true });
}
/** Ends a shared connection with all that runs over it on this side. */
async function endMaster(config, alias, exec) {
    await exec('ssh', ['-F', config, '-O', 'exit', alias], { timeout: 5_000 }).catch(() => undefined);
}
// A socket's path has at most 108 bytes (unix(7)), and ssh adds 17 while it makes one; NIX_SSHOPTS is split at spaces and
// ssh expands `%`. So a long or unusual scratch directory does not serve.
async function shortDirectory(scratch) {
    const fits = (parent) => parent.length <= 50 && /^[A-Za-z0-9/_.-]+$/.test(parent);
    const parent = [scratch, (0,external_node_os_.tmpdir)(), '/tmp'].find(fits) ?? '/tmp';
    return (0,promises_.mkdtemp)((0,external_node_path_.join)(parent, 'ssh-'));
}
/** True when ssh itself failed, not the command it ran (ssh(1), EXIT STATUS). */
function isConnectionError(error) {
    return error instanceof errors/* CommandError */.Qd && error.code === 255;
}

// EXTERNAL MODULE: ./src/deploy/units.ts
var deploy_units = __webpack_require__(46692);
;// CONCATENATED MODULE: ./src/deploy/host.ts








const keptLog = 16 * 1024;
/** Walks one host through: ask, copy, activate, read what is true. Never throws: whatever happens is an outcome. */
async function deployHost(deployment, remote, config, nix, context) {
    const begun = Date.now();
    const known = { before: null, after: null };
    const tell = (state, text) => context.progress({ host: deployment.host, stage: 'deploy', state, text });
    const end = (outcome, message, units = (0,deploy_units/* noUnits */.J)()) => ({
        host: deployment.host,
        outcome,
        mode: config.mode,
        ...known,
        message,
        units,
        seconds: (Date.now() - begun) / 1000,
    });
    let step = 'asking the target';
    try {
        tell('running', step);
        const probe = readProbe(await ask(remote, context));
        if (probe === null)
            return end('failed', 'The target answered something else than our question: its login shell may end early.');
        known.before = probe.current;
        known.after = probe.current;
        const refusal = refuse(deployment, remote, probe);
        if (refusal !== null)
            return end('refused', refusal);
        if (isThere(deployment, config, probe))
            return end('unchanged', 'The target already is on this system.');
        step = 'copying the closure';
        tell('running', step);
        try {
            await copyClosure(deployment, remote, probe, nix, context, text => tell('running', text));
        }
        catch (error) {
            if (context.signal.aborted || !(error instanceof errors/* CommandError */.Qd))
                throw error;
            const { outcome, message } = notCopied(error, remote.target, probe.free);
            return end(outcome, message);
        }
        step = config.mode === 'dry-activate' ? 'asking what would change' : 'activating';
        tell('running', step);
        const { activation, log } = await activate(deployment, remote, config, context, text => tell('running', text));
        if (activation === null)
            return end('failed', await lost(remote, known));
        known.before = activation.before;
        known.after = activation.current;
        const { outcome, message } = judge(activation, deployment.toplevel, config.mode, log);
        const ended = end(outcome, message, (0,deploy_units/* readUnits */.g)(log));
        return isBad(ended) ? { ...ended, log: log.join('\n').slice(-keptLog) } : ended;
    }
    catch (error) {
        if (context.signal.aborted)
            return end('failed', cancelled(step));
        if (isConnectionError(error)) {
            const { outcome, message } = unreached(error, remote.target, step, remote.session.publicKey);
            if (step === 'activating')
                known.after = null;
            return end(outcome, message);
        }
        if (error instanceof errors/* CommandError */.Qd)
            return end('failed', `While ${step}: ${lastLines(error)}`);
        return end('failed', `While ${step}: ${(0,errors/* explain */.WE)(error)}`);
    }
}
async function ask(remote, context) {
    const words = escalationOf(remote.target);
    const options = { timeout: 60_000, signal: context.signal };
    try {
        return await call(remote, 'probe', words, options);
    }
    catch (error) {
        // On the way to a connection that is to be shared, ssh throws away what its jump host says.
        if (!isConnectionError(error) || error.stderr.trim() !== '' || context.signal.aborted)
            throw error;
        return call(remote, 'probe', words, { ...options, fresh: true });
    }
}
function isThere({ toplevel }, { mode }, { current, profile }) {
    const runs = current === toplevel;
    const named = profile === toplevel;
    if (mode === 'boot')
        return named;
    return mode === 'test' ? runs : runs && named;
}
/** Why this target cannot be deployed to; null when it can. */
function refuse({ system }, { target }, probe) {
    if (!runsOn(system, probe.machine)) {
        return `The target is a ${probe.machine} machine, the system is built for ${system}: is \`${target.address}\` the right address?`;
    }
    if (probe.nix === null)
        return 'There is no Nix on the target (no `nix-store` on the PATH of a session without terminal).';
    if (probe.root === 'no') {
        const words = target.privilegeEscalation.join(' ');
        return words === ''
            ? `The user ${target.user} is not root and has no privilege escalation: use root, or set it to \`sudo -n\`.`
            : `\`${words}\` does not make ${target.user} root without a password${probe.refusal === null ? '' : ` (${probe.refusal})`}.`;
    }
    return null;
}
/** Whether a kernel that calls itself `machine` runs programs of `system`. */
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
/** Starts the activation and follows it, over as many connections as it takes. */
async function activate({ host, toplevel, commit }, remote, config, context, tell) {
    const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    const log = [];
    const onLog = (line) => {
        log.push(line);
        context.log.debug(`${host}: ${line}`);
        tell(line);
    };
    const options = { privileged: true, onLog, signal: context.signal };
    const words = [config.who, host, commit ?? '', config.run ?? ''].map(word => word.replaceAll(/[^\w ./:@#-]/g, ' '));
    let answers;
    let cut = 0;
    while (answers === undefined) {
        try {
            answers =
                cut === 0
                    ? await call(remote, 'run', [id, config.mode, toplevel, ...words], options)
                    : await call(remote, 'watch', [id, String(log.length)], { ...options, fresh: true });
        }
        catch (error) {
            if (!isConnectionError(error) || context.signal.aborted)
                throw error;
            cut ||= Date.now();
            if (Date.now() - cut > config.confirmTimeout * 1000)
                throw error;
            tell('the connection was cut; coming back');
            await new Promise(resolve => setTimeout(resolve, 1_000));
        }
    }
    const activation = readActivation(answers);
    // What is true is what the target says in the end; the run's directory there is no longer needed.
    await call(remote, 'finish', [id], { privileged: true, timeout: 30_000, fresh: cut > 0 }).catch(() => undefined);
    return { activation, log };
}
async function lost(remote, known) {
    const probe = await call(remote, 'probe', [], { timeout: 30_000, fresh: true }).then(readProbe, () => null);
    known.after = probe?.current ?? null;
    const state = probe === null ? 'and does not answer now' : `and now runs ${probe.current}, with its profile at ${probe.profile}`;
    return `The target lost the activation (it was killed, or the machine restarted), ${state}.`;
}
function cancelled(step) {
    return step === 'activating'
        ? 'Cancelled while the target was activating; it goes on by itself.'
        : `Cancelled while ${step}; the target runs what it ran before.`;
}
function lastLines(error) {
    const lines = error.stderr.trim().split('\n').slice(-4).join('\n');
    return lines === '' ? error.message : lines;
}

;// CONCATENATED MODULE: ./src/deploy/key.ts

/**
 * The text of a deploy key as OpenSSH takes it: what pasting breaks is mended (CRLF, a lost final newline, indentation,
 * newlines turned to spaces).
 *
 * @throws UserError that says what the text is instead of an unencrypted private key.
 */
function readDeployKey(text) {
    const plain = text.replaceAll('\r', '').trim();
    if (plain === '')
        throw key_wrong('is empty', 'In a workflow, an unset secret is an empty text: look whether it exists for this environment.');
    if (/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/.test(plain) || plain.includes('BEGIN SSH2 PUBLIC KEY')) {
        throw key_wrong('is a public key', 'Give the private half: the file without `.pub`.');
    }
    if (plain.startsWith('PuTTY-User-Key-File')) {
        throw key_wrong("is in PuTTY's format", 'Convert it: `puttygen key.ppk -O private-openssh -o deploy-key`.');
    }
    const found = /^-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\s+([\s\S]*?)(?:\s*)-----END \1-----$/.exec(plain);
    if (found === null) {
        if (plain.includes('PRIVATE KEY-----')) {
            throw key_wrong('is cut off', 'Give all of it, from the line `-----BEGIN …` to the line `-----END …`.');
        }
        throw key_wrong('is not a private key', 'It begins with a line like `-----BEGIN OPENSSH PRIVATE KEY-----`.');
    }
    const [, label = '', body = ''] = found;
    if (label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(body))
        throw encrypted();
    // The old PEM form may have header lines; only a body of nothing but base64 may be joined and folded anew.
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
/** The cipher's name inside OpenSSH's own format (PROTOCOL.key in its source): a magic of 15 bytes, then a string. */
function cipher(base64) {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length < 19 || bytes.toString('latin1', 0, 14) !== 'openssh-key-v1') {
        throw key_wrong('is damaged', "Its first bytes are not those of an OpenSSH key: give the file's text as it is.");
    }
    return bytes.toString('latin1', 19, 19 + bytes.readUInt32BE(15));
}
function encrypted() {
    return key_wrong('is protected by a passphrase', 'Make a key of its own for deploying: `ssh-keygen -t ed25519 -N "" -f deploy-key`, and allow its public half on the targets.');
}
function key_wrong(what, cure) {
    return new errors/* UserError */.yo(`The deploy key ${what}.`, { where: { input: 'deploy-key' }, cure });
}

;// CONCATENATED MODULE: ./src/deploy/index.ts








/**
 * Checks what a deployment will need, before anything is built for it: the key and the pinned host keys, and, once the
 * plan has told the hosts, that there is somewhere to deploy to.
 *
 * @param hosts null before the plan.
 * @throws UserError as `deploy` would, only sooner.
 */
function checkAccess({ mode, deployKey, knownHosts }, hosts) {
    if (mode === 'none')
        return;
    if (deployKey !== null)
        readDeployKey(deployKey);
    if (knownHosts !== null)
        readKnownHosts(knownHosts);
    if (hosts === null || hosts.every(({ buildOnly }) => buildOnly))
        return;
    const targets = hosts.flatMap(({ target, buildOnly }) => (target === null || buildOnly ? [] : [target]));
    if (targets.length === 0) {
        throw new errors/* UserError */.yo(`The mode is \`${mode}\`, and nothing says where any of the hosts runs.`, {
            where: { input: 'targets' },
            cure: 'Write `host: user@address` for each in `targets`, or use the mode `none`.',
        });
    }
    if (knownHosts === null)
        throw missingKnownHosts(targets);
}
/**
 * Copies each closure to its target and activates it, hosts side by side; one that fails does not stop the others but
 * where `canary` or `maxFailures` says so. Answers one outcome for each deployment, in their order.
 *
 * @throws UserError before anything is changed: no pinned host keys, a key that is none, an address ssh cannot take.
 */
async function deploy(deployments, config, nix, context) {
    const idle = new Map(deployments.map(each => [each.host, whyIdle(each, config.mode)]));
    const outcomes = deployments.flatMap(({ host }) => {
        const why = idle.get(host) ?? null;
        return why === null ? [] : [skipped(host, config.mode, why)];
    });
    const active = deployments.filter(({ host }) => idle.get(host) === null);
    if (active.length > 0) {
        const remotes = remotesOf(active);
        const session = await deploy_open(remotes, config, context);
        try {
            outcomes.push(...(await deployAll(remotes, session, config, nix, context)));
        }
        finally {
            await session.close();
        }
    }
    const order = new Map(deployments.map(({ host }, index) => [host, index]));
    return outcomes.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
}
/** Why nothing is done on a target for this host; null when something is. */
function whyIdle({ buildOnly, target }, mode) {
    if (mode === 'none')
        return 'The mode is `none`.';
    if (buildOnly)
        return 'The source says that this host is only built.';
    return target === null ? 'No target is known for it.' : null;
}
function skipped(host, mode, message) {
    return { host, outcome: 'skipped', mode, before: null, after: null, message, units: (0,deploy_units/* noUnits */.J)(), seconds: 0 };
}
function remotesOf(deployments) {
    return deployments.flatMap((deployment, index) => deployment.target === null
        ? []
        : [{ alias: `target-${index}`, host: deployment.host, target: deployment.target, deployment }]);
}
async function deploy_open(remotes, config, context) {
    if (!(config.parallel >= 1)) {
        throw new errors/* UserError */.yo(`parallel is ${config.parallel}.`, { where: { input: 'parallel' }, cure: 'Write 1 or more.' });
    }
    if (config.knownHosts === null || config.knownHosts.trim() === '') {
        throw missingKnownHosts(remotes.map(({ target }) => target));
    }
    const knownHosts = readKnownHosts(config.knownHosts);
    let key = null;
    if (config.deployKey !== null) {
        context.log.secret(config.deployKey);
        key = readDeployKey(config.deployKey);
        context.log.secret(key);
    }
    return openSession(remotes, key, knownHosts, context);
}
function deployAll(remotes, session, config, nix, context) {
    const tell = (host, state, text) => context.progress({ host, stage: 'deploy', state, text });
    for (const { host } of remotes)
        tell(host, 'waiting', '');
    return rollOut(remotes, config, async ({ deployment, ...target }) => {
        const remote = { ...target, session };
        const outcome = await deployHost(deployment, remote, config, nix, context);
        tell(outcome.host, isBad(outcome) ? 'failed' : 'done', `${outcome.outcome}: ${outcome.message}`);
        return outcome;
    }, ({ host }, why) => {
        tell(host, 'done', `skipped: ${why}`);
        return skipped(host, config.mode, why);
    }, context.signal);
}


/***/ }),

/***/ 46692:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   J: () => (/* binding */ noUnits),
/* harmony export */   g: () => (/* binding */ readUnits)
/* harmony export */ });
function noUnits() {
    return { stop: [], start: [], restart: [], reload: [], kept: [], failed: [] };
}
/**
 * Sorts the units that switch-to-configuration names. Both its forms are read: what it would do ("would restart the
 * following units: a.service, b.service") and what it does ("restarting the following units: …", "the following new units
 * were started: …", "warning: the following units failed: …"); nixos/modules/system/activation in nixpkgs.
 */
function readUnits(log) {
    const units = noUnits();
    for (const line of log) {
        const [, words = '', names = ''] = /^(.*?)\bunits(?: were started| failed)?: (.+)$/.exec(line.trim()) ?? [];
        const kind = kinds.find(([pattern]) => pattern.test(line))?.[1];
        if (words === '' || kind === undefined)
            continue;
        for (const name of names.split(',').map(text => text.trim())) {
            if (name !== '' && !units[kind].includes(name))
                units[kind].push(name);
        }
    }
    return units;
}
const kinds = [
    [/\bNOT (stop|restart)\w* the following changed units: /, 'kept'],
    [/units failed: /, 'failed'],
    [/new units were started: /, 'start'],
    [/^\s*(would stop|stopping) the following units/, 'stop'],
    [/^\s*(would start|starting) the following units/, 'start'],
    [/^\s*(would restart|restarting) the following units/, 'restart'],
    [/^\s*(would reload|reloading) the following units/, 'reload'],
];


/***/ }),

/***/ 33468:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ explainNixError)
/* harmony export */ });
const explanations = [
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
        pattern: /attribute '(?:currentSystem)' missing|access to (?:absolute path|URI) '[^']*' is forbidden in (?:pure evaluation|restricted) mode/,
        explain: () => ({
            message: 'this flake asks for what lies outside of it: the machine that evaluates it, or a path of it',
            cure: 'Say the system in the flake (`system = "x86_64-linux";`) and refer to files by paths relative to it.',
        }),
    },
    {
        pattern: /(?:[Uu]nrecognized archive format|unsupported format|does not look like a tar archive|file format not recognized)/,
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
        pattern: /(?:cloning builder process|setting up a private mount namespace|unable to start build process|this system does not support the kernel namespaces)[^\n]*/,
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


/**
 * The typed door to Nix's commands. Every stage calls Nix through it; none knows which version answers.
 *
 * Works with Nix 2.8 and newer. Evaluation sees neither NIX_PATH nor a user's nix.conf.
 */
class Nix {
    installation;
    #exec;
    constructor(exec, installation) {
        this.#exec = exec;
        this.installation = installation;
    }
    /** Runs one of Nix's programs with the experimental commands on. */
    run(program, args, options = {}) {
        const command = this.installation.bin === null ? program : (0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(this.installation.bin, program);
        const experimental = ['--extra-experimental-features', 'nix-command flakes'];
        return this.#exec(command, [...args, ...experimental], { ...options, env: this.environment(options.env) });
    }
    /** The environment Nix is called with: the caller's, without what would make evaluation depend on the machine. */
    environment(env = process.env) {
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
    /** The closure of `paths`, each path once. @throws CommandError when one of them is not valid. */
    async closure(paths, store) {
        const from = store === undefined ? [] : ['--store', store];
        const { stdout } = await this.run('nix', ['path-info', '--json', '--recursive', ...from, ...paths]);
        return parsePathInfo(stdout);
    }
    /** Which of `paths` are valid in the local store. */
    async valid(paths) {
        if (paths.length === 0)
            return new Set();
        const { stdout } = await this.run('nix-store', ['--check-validity', '--print-invalid', ...paths]);
        const invalid = new Set(stdout.split('\n').filter(line => line !== ''));
        return new Set(paths.filter(path => !invalid.has(path)));
    }
    /** Processors that work may be spread over. */
    get processors() {
        return (0,node_os__WEBPACK_IMPORTED_MODULE_0__.availableParallelism)();
    }
}
/** Reads both shapes of `nix path-info --json`: a list (up to 2.18) and an object keyed by path (2.19 and newer). */
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
/* unused harmony export shares */
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(51455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(83916);




/**
 * zstd's level. On 230 MB of compilers and libraries the sizes are 1.30 times xz's at Nix's default level, 1.27 at 5 and
 * 1.23 at 6, and processor seconds are 2.1, 2.9 and 3.4; 5 would do for most, but not for large compilers (1.30).
 */
const compressionLevel = 6;
/** Store paths in one call of `nix copy`: keeps its arguments far below Linux' limit of 2 MiB. */
const pathsPerCall = 2_000;
/** NAR bytes below which another process costs more than it saves. */
const bytesPerShare = 4 * 1024 * 1024;
/**
 * NAR bytes from which on several threads on one path gain time: zstd gives each of them 8 MiB at a time at this level. On
 * smaller paths Nix's `parallel-compression` costs a quarter more processor time and gains nothing.
 */
const bytesOfLargePath = 16 * 1024 * 1024;
/** A NAR compressed with zstd hardly ever stays above this part of its size; programs come to a third of it. */
const leastRatio = 0.2;
/**
 * Writes `paths` as a binary cache into `directory`, which must be empty or absent, on the file system of the result.
 *
 * Nix itself packs them, in several processes. Since 2.11 it copies paths in parallel, so that one process has the small
 * ones, each compressed by one thread, and another the large ones, each compressed by all threads. Before 2.11 it copies
 * one path after the other; there, as many processes share the paths as there are processors. Each process fills a
 * directory of its own. What a path refers to must be known to the cache it is written to, so each of these directories
 * first gets an entry without a NAR for what other processes pack or what stays out of the archive; these entries are taken
 * away at the end. What is done once for each path is not waited for: with hundreds of small files that takes half the time.
 *
 * @param closure tells about each of `paths` and what they refer to.
 * @param packed called with each path when its packing begins.
 * @throws UserError when the disk is too small.
 */
async function pack(paths, closure, directory, nix, context, packed = () => undefined) {
    await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.mkdir)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, 'nar'), { recursive: true });
    await checkSpace(paths, directory);
    const parts = partsOf(paths, nix);
    await Promise.all(parts.map(async (part, index) => {
        const own = (0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, `.part-${index}`);
        await packPart(part, closure, own, nix, context, packed);
        await merge(own, directory);
    }));
    if (parts.length === 0)
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.writeFile)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, 'nix-cache-info'), 'StoreDir: /nix/store\n');
}
function partsOf(paths, nix) {
    if (!copiesInParallel(nix.installation.version)) {
        return shares(paths, nix.processors).map(share => ({ paths: share, parallel: false }));
    }
    const isLarge = ({ narSize }) => narSize >= bytesOfLargePath;
    const large = { paths: paths.filter(isLarge), parallel: true };
    const small = { paths: paths.filter(path => !isLarge(path)), parallel: false };
    return [large, small].filter(part => part.paths.length > 0);
}
/** Nix's release notes, 2.11: "`nix copy` now copies the store paths in parallel as much as possible (again)". */
function copiesInParallel(version) {
    const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
    return major > 2 || (major === 2 && minor >= 11);
}
/** Deals out paths to at most `count` shares of about equal NAR size, the largest path first. */
function shares(paths, count) {
    const total = paths.reduce((sum, { narSize }) => sum + narSize, 0);
    const wanted = Math.max(1, Math.min(count, Math.ceil(total / bytesPerShare)));
    const dealt = Array.from({ length: Math.min(wanted, paths.length) }, () => ({ bytes: 0, paths: [] }));
    const bySize = [...paths].sort((a, b) => b.narSize - a.narSize || (a.path < b.path ? -1 : 1));
    for (const path of bySize) {
        const least = dealt.reduce((best, share) => (share.bytes < best.bytes ? share : best));
        least.paths.push(path);
        least.bytes += path.narSize;
    }
    return dealt.map(share => share.paths);
}
async function packPart({ paths, parallel }, closure, directory, nix, context, packed) {
    await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.mkdir)(directory, { recursive: true });
    const own = new Set(paths.map(({ path }) => path));
    const others = new Set(paths.flatMap(({ references }) => references).filter(path => !own.has(path)));
    for (const path of others)
        (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.writeFileSync)((0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(directory, narInfoName(path)), placeholder(path, closure.get(path)));
    const store = `file://${directory}?compression=zstd&compression-level=${compressionLevel}&parallel-compression=${parallel}`;
    const sorted = referencesFirst(paths);
    for (let first = 0; first < sorted.length; first += pathsPerCall) {
        const some = sorted.slice(first, first + pathsPerCall).map(({ path }) => path);
        const onStderr = (line) => {
            const path = /^copying path '(.*)' to /.exec(line)?.[1];
            if (path !== undefined)
                packed(path);
        };
        const args = ['copy', '-v', '--no-recursive', '--to', store, ...some];
        await nix.run('nix', args, { onStderr, signal: context.signal }).catch(error => {
            const full = error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_3__/* .CommandError */ .Qd && /no space left on device/i.test(error.stderr);
            throw full ? new _errors_js__WEBPACK_IMPORTED_MODULE_3__/* .UserError */ .yo('The disk became full while the archives were packed.', { cure: makeRoom }) : error;
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
/** The least that Nix takes for an entry. */
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
const makeRoom = 'Free space, write them elsewhere, or use `archive: delta` or `archive: none`.';
async function checkSpace(paths, directory) {
    const { bavail, bsize } = await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.statfs)(directory);
    const free = bavail * bsize;
    const needed = paths.reduce((sum, { narSize }) => sum + narSize, 0) * leastRatio;
    if (free >= needed)
        return;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_3__/* .UserError */ .yo(`${directory} has ${megabytes(free)} free; the archives need at least ${megabytes(needed)} there.`, { cure: makeRoom });
}
function megabytes(bytes) {
    return `${Math.ceil(bytes / 1e6)} MB`;
}


/***/ }),

/***/ 19178:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   k: () => (/* binding */ publicKeyOf),
/* harmony export */   s: () => (/* binding */ signPaths)
/* harmony export */ });
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83916);


/** Store paths in one call of Nix: keeps its arguments far below Linux' limit of 2 MiB. */
const pathsPerCall = 2_000;
/**
 * The public key of a secret one, both in Nix's form `name:base64`.
 *
 * @throws UserError that does not contain the key.
 */
async function publicKeyOf(secretKey, nix) {
    const wrong = (why) => new _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .UserError */ .yo(`The signing key ${why}.`, {
        where: { input: 'signing-key' },
        cure: 'Make one with `nix key generate-secret --key-name my-fleet-1` and give it whole: a name, a colon, 88 characters.',
    });
    const [name, base64, ...rest] = secretKey.trim().split(':');
    if (name === undefined || name === '' || base64 === undefined || rest.length > 0) {
        throw wrong("is not in Nix's form, a name and a colon before base64");
    }
    // Ed25519's secret and public half, as libsodium keeps them.
    if (!/^[A-Za-z0-9+/]{86}==$/.test(base64))
        throw wrong('does not hold 64 bytes in base64');
    const { stdout } = await nix.run('nix', ['key', 'convert-secret-to-public'], { input: secretKey.trim() });
    return stdout.trim();
}
/**
 * Signs the entries of `paths` in the binary cache `directory`.
 *
 * Nix wants a key file, and the key must not lie on a disk: it goes through a pipe. Node gives a child a socket as its
 * standard input, which cannot be opened by name, hence the `cat` in between.
 */
async function signPaths(directory, paths, secretKey, nix, context) {
    const { bin } = nix.installation;
    const command = [bin === null ? 'nix' : (0,node_path__WEBPACK_IMPORTED_MODULE_0__.join)(bin, 'nix'), '--extra-experimental-features', 'nix-command'];
    for (let first = 0; first < paths.length; first += pathsPerCall) {
        const some = paths.slice(first, first + pathsPerCall);
        const sign = ['store', 'sign', '--key-file', '/dev/stdin', '--store', `file://${directory}`, ...some];
        await context.exec('sh', ['-c', 'cat | "$@"', 'sh', ...command, ...sign], {
            input: secretKey.trim(),
            env: nix.environment(),
            signal: context.signal,
        });
    }
}


/***/ }),

/***/ 5212:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  E$: () => (/* binding */ emulateOther),
  qr: () => (/* binding */ prepareSystems),
  rN: () => (/* binding */ saveStoreCache),
  mj: () => (/* binding */ setup),
  bP: () => (/* reexport */ stateKey),
  zN: () => (/* reexport */ teardown)
});

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/nix/index.ts
var src_nix = __webpack_require__(93779);
// EXTERNAL MODULE: ./src/nix/sign.ts
var sign = __webpack_require__(19178);
// EXTERNAL MODULE: ./node_modules/yaml/dist/index.js
var dist = __webpack_require__(38815);
// EXTERNAL MODULE: ./src/nearest.ts
var nearest = __webpack_require__(37909);
;// CONCATENATED MODULE: ./src/setup/builders.ts



/**
 * Reads the input `builders`: Nix's machines format (one line a machine, or `;` between them), or a YAML list.
 *
 * @throws UserError for the first that is wrong; a builder without its host key is.
 */
function parseBuilders(text) {
    const lines = text
        .split(/[\n;]/)
        .map(line => line.replace(/(^|\s)#.*$/, '').trim())
        .filter(line => line !== '');
    if (lines.length > 0 &&
        lines.every(line => /^(?:ssh(?:-ng)?:\/\/)?[^\s:{[-][^\s]*(?:\s+\S+)*$/.test(line) && !/^[\w-]+:(?:\s|$)/.test(line))) {
        return lines.map(fromMachinesLine);
    }
    let parsed;
    try {
        parsed = (0,dist/* parse */.qg)(text);
    }
    catch (error) {
        throw wrong(`is neither in Nix's machines format nor YAML: ${error.message.split('\n')[0]}`);
    }
    const list = Array.isArray(parsed) ? parsed : [parsed];
    return list.map(each => fromYaml(each));
}
/** Columns of the machines format: Nix manual, "Distributed builds". */
function fromMachinesLine(line) {
    const [uri = '', systems = '-', keyFile = '-', jobs = '1', speed = '1', features = '-', mandatory = '-', hostKey = '-',] = line.split(/\s+/);
    const words = (column) => (column === '-' ? [] : column.split(',').filter(word => word !== ''));
    const named = (column) => (column === '-' ? null : column);
    const key = named(keyFile);
    return checked({
        host: uri,
        systems: words(systems),
        ...(key === null ? {} : { 'key-file': key }),
        jobs: named(jobs) === null ? 1 : Number(jobs),
        speed: named(speed) === null ? 1 : Number(speed),
        features: words(features),
        'mandatory-features': words(mandatory),
        ...(named(hostKey) === null ? {} : { 'host-key': Buffer.from(hostKey, 'base64').toString().trim() }),
    });
}
const fields = [
    'host',
    'user',
    'port',
    'systems',
    'key',
    'key-file',
    'host-key',
    'jobs',
    'speed',
    'features',
    'mandatory-features',
];
function fromYaml(each) {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) {
        throw wrong(`has an entry that is no mapping: ${JSON.stringify(each)}.`);
    }
    for (const field of Object.keys(each)) {
        if (fields.includes(field))
            continue;
        const meant = (0,nearest/* nearest */.p)(field, fields);
        throw wrong(`has the unknown field '${field}'.`, meant === null ? `It takes ${fields.join(', ')}.` : `Did you mean ${meant}?`);
    }
    return checked(each);
}
function checked(given) {
    const [, scheme, user, bracketed, plain, port] = /^(?:(ssh|ssh-ng):\/\/)?(?:([\w.$-]+)@)?(?:\[([0-9a-fA-F:]+)\]|([\w.%-]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(String(given.host ?? '')) ?? [];
    const address = bracketed ?? plain;
    if (address === undefined || address.startsWith('-')) {
        throw wrong(`has the host '${String(given.host ?? '')}'.`, 'Write it as ssh-ng://user@address or user@address:port.');
    }
    const list = (name) => {
        const value = given[name] ?? [];
        const words = Array.isArray(value) ? value : String(value).split(/[\s,]+/);
        if (!words.every(word => typeof word === 'string' && /^[\w-]+$/.test(word))) {
            throw wrong(`has for ${address} ${name} that are none: ${JSON.stringify(value)}.`);
        }
        return words;
    };
    const positive = (name) => {
        const value = given[name] ?? 1;
        if (typeof value === 'number' && value > 0 && (name === 'speed' || Number.isInteger(value)))
            return value;
        throw wrong(`has for ${address} ${name} that are no positive number: ${JSON.stringify(value)}.`);
    };
    const systems = list('systems');
    if (systems.length === 0)
        throw wrong(`names no system for ${address}.`, 'Write it as aarch64-linux.');
    const givenPort = given.port ?? (port === undefined ? null : Number(port));
    if (givenPort !== null &&
        !(typeof givenPort === 'number' && Number.isInteger(givenPort) && givenPort > 0 && givenPort < 65_536)) {
        throw wrong(`has for ${address} the port ${JSON.stringify(givenPort)}.`);
    }
    const givenUser = given.user ?? user ?? null;
    if (givenUser !== null && !(typeof givenUser === 'string' && /^[A-Za-z0-9_][\w.$-]*$/.test(givenUser))) {
        throw wrong(`has for ${address} the user ${JSON.stringify(givenUser)}.`);
    }
    return {
        protocol: scheme === 'ssh' ? 'ssh' : 'ssh-ng',
        address,
        user: givenUser,
        port: givenPort,
        systems,
        key: keyOf(given, address),
        hostKey: hostKeyOf(given, address),
        jobs: positive('jobs'),
        speed: positive('speed'),
        features: list('features'),
        mandatoryFeatures: list('mandatory-features'),
    };
}
function keyOf(given, address) {
    const { key, 'key-file': file } = given;
    if (key !== undefined && file !== undefined)
        throw wrong(`has for ${address} both key and key-file.`);
    if (typeof key === 'string' && /^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(key))
        return { text: `${key.trim()}\n` };
    if (key !== undefined)
        throw wrong(`has for ${address} a key that is no private SSH key.`, 'Write the whole text of it.');
    if (typeof file === 'string' && file.startsWith('/') && !/[\n"]/.test(file))
        return { file };
    if (file !== undefined)
        throw wrong(`has for ${address} a key-file that is no absolute path.`);
    return null;
}
function hostKeyOf(given, address) {
    const text = String(given['host-key'] ?? '').trim();
    const cure = `Get it on the machine itself, from /etc/ssh/ssh_host_ed25519_key.pub, or compare what \`ssh-keyscan ${address}\` prints with it.`;
    if (text === '')
        throw wrong(`pins no host key for ${address}.`, cure);
    // A whole line of known_hosts has the name in front, one of a .pub file a comment behind.
    const found = /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text)?.[1];
    if (found === undefined)
        throw wrong(`has for ${address} a host key that is none.`, cure);
    return found;
}
function wrong(message, cure) {
    return new errors/* UserError */.yo(`input 'builders' ${message}`, {
        where: { input: 'builders' },
        ...(cure === undefined ? {} : { cure }),
    });
}
/** What the names of the machines are to ssh and Nix: the address where it tells them apart. */
function aliases(builders) {
    return builders.map(({ address }, index) => {
        const once = builders.filter(other => other.address === address).length === 1;
        return once && !address.includes(':') ? address : `builder-${index + 1}`;
    });
}
/** The files that the daemon reads, by name; `directory` is where they will lie. */
function builderFiles(builders, directory) {
    const names = aliases(builders);
    const at = (list, index) => list[index];
    const keys = builders.flatMap(({ key }, index) => key !== null && 'text' in key ? [[`key-${index + 1}`, key.text]] : []);
    const config = builders.map(({ address, user, port, key }, index) => {
        const identity = key === null ? null : 'text' in key ? `${directory}/key-${index + 1}` : key.file;
        return [
            `Host ${at(names, index)}`,
            `  HostName ${address}`,
            `  HostKeyAlias ${at(names, index)}`,
            ...(user === null ? [] : [`  User ${user}`]),
            ...(port === null ? [] : [`  Port ${port}`]),
            ...(identity === null ? [] : [`  IdentityFile "${identity}"`, '  IdentitiesOnly yes', '  IdentityAgent none']),
        ].join('\n');
    });
    const always = [
        'Host *',
        `  UserKnownHostsFile ${directory}/known_hosts`,
        '  GlobalKnownHostsFile /dev/null',
        '  StrictHostKeyChecking yes',
        '  UpdateHostKeys no',
        '  BatchMode yes',
        '  ConnectTimeout 15',
        '  ServerAliveInterval 15',
    ].join('\n');
    return {
        ...Object.fromEntries(keys),
        known_hosts: builders.map(({ hostKey }, index) => `${at(names, index)} ${hostKey}\n`).join(''),
        ssh_config: `${[...config, always].join('\n')}\n`,
        machines: machinesLines(builders)
            .map(line => `${line}\n`)
            .join(''),
    };
}
/** Nix's machines format. Key, port and host key are ssh's business: see `ssh_config`. */
function machinesLines(builders) {
    const names = aliases(builders);
    const column = (words) => (words.length === 0 ? '-' : words.join(','));
    return builders.map(({ protocol, systems, jobs, speed, features, mandatoryFeatures }, index) => [
        `${protocol}://${names[index]}`,
        column(systems),
        '-',
        jobs,
        speed,
        column([...new Set([...features, ...mandatoryFeatures])]),
        column(mandatoryFeatures),
        '-',
    ].join(' '));
}

;// CONCATENATED MODULE: ./src/setup/conf.ts


/**
 * The daemon's nix.conf: the machine's own first, then ours, then the user's; last what nothing may change.
 *
 * The sandbox has no fallback: where it cannot be had, Nix must say so (NixOS/nix#13928).
 */
function daemonConf(run, settings) {
    const { extraPlatforms, substituters, trustedPublicKeys } = settings;
    return lines([
        '!include /etc/nix/nix.conf',
        'extra-experimental-features = nix-command flakes',
        'max-jobs = auto',
        'cores = 0',
        'connect-timeout = 10',
        'fallback = true',
        `builders = ${settings.builders ? `@${(0,external_node_path_.join)(run.directory, 'keys/machines')}` : ''}`,
        'builders-use-substitutes = true',
        `allowed-users = ${allowedUsers()}`,
        'trusted-users = root',
        settings.nixConf.trim(),
        ...list('extra-platforms', extraPlatforms),
        ...list('substituters', substituters),
        ...list('trusted-public-keys', trustedPublicKeys),
        'build-users-group = nixbld',
        'sandbox = true',
        'sandbox-fallback = false',
    ]);
}
/** The nix.conf of Nix's commands: the daemon's, and what only who evaluates needs. Its secrets are in another file. */
function clientConf(run) {
    return lines([
        `include ${(0,external_node_path_.join)(run.directory, 'daemon/nix.conf')}`,
        'accept-flake-config = false',
        `!include ${tokensFile(run)}`,
    ]);
}
/** Holds the token for private flake inputs, in memory, for the user's eyes only. */
function tokensFile(run) {
    return (0,external_node_path_.join)(run.directory, 'client/access-tokens');
}
function tokensConf(githubToken, ofUser) {
    return lines([...(githubToken === null ? [] : [`extra-access-tokens = github.com=${githubToken}`]), ofUser]);
}
/** A user without a name (a container's bare number) can only be let in with all others. */
function allowedUsers() {
    try {
        return `root ${(0,external_node_os_.userInfo)().username}`;
    }
    catch {
        return '*';
    }
}
function list(setting, values) {
    return values.length === 0 ? [] : [`extra-${setting} = ${values.join(' ')}`];
}
function lines(all) {
    return all
        .filter(line => line !== '')
        .map(line => `${line}\n`)
        .join('');
}

// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(77030);
// EXTERNAL MODULE: external "node:timers/promises"
var external_node_timers_promises_ = __webpack_require__(58500);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
;// CONCATENATED MODULE: ./src/setup/root.ts





/** Where sudo and the system's own programs are, on NixOS too. */
const systemPath = '/run/wrappers/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';
/** Whether setup/root.sh would find this program. */
async function hasProgram(name) {
    const tries = systemPath.split(':').map(directory => (0,promises_.access)((0,external_node_path_.join)(directory, name), external_node_fs_.constants.X_OK));
    return Promise.any(tries).then(() => true, () => false);
}
/**
 * Runs a verb of setup/root.sh as root: directly, or through `sudo -n`.
 *
 * @param input for secrets and settings; arguments are seen by everybody on the machine.
 * @throws UserError when there is no way to root; CommandError when the verb fails.
 */
async function asRoot(context, run, verb, args = [], input = '') {
    const script = ['sh', (0,assets/* asset */.L)('setup/root.sh'), verb, run.directory, ...args];
    const direct = process.getuid?.() === 0;
    // Not the caller's environment: it holds inputs, and a daemon would keep it for as long as it lives.
    const env = { PATH: systemPath, LC_ALL: 'C' };
    try {
        return direct
            ? await context.exec('sh', script.slice(1), { input, env })
            : await context.exec('sudo', ['-n', ...script], { input, env });
    }
    catch (error) {
        if (!direct && error instanceof errors/* CommandError */.Qd && (error.code === 127 || /^sudo: /m.test(error.stderr))) {
            throw new errors/* UserError */.yo('Setting Nix up needs root, and `sudo -n` does not give it.', {
                cure: 'Run the step as root, or let its user call sudo without a password.',
                cause: error,
            });
        }
        throw error;
    }
}

;// CONCATENATED MODULE: ./src/setup/daemon.ts





/** The daemon's own variables, and those of the network that it must share with the job. */
const passed = [
    'NIX_SSL_CERT_FILE',
    'SSH_AUTH_SOCK',
    ...['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [name, name.toUpperCase()]),
];
/**
 * Starts the run's own daemon as root with the settings `conf`, ending the one it had: on a socket of its own, so that
 * neither a daemon that the machine has nor /etc/nix/nix.conf is touched, and no init system is asked for.
 *
 * @throws Error with what it printed when it does not answer within 20 s.
 */
async function startDaemon(run, nix, conf, environment, context) {
    const input = `${variables(run, nix, environment)}${conf}`;
    await asRoot(context, run, 'daemon', [(0,external_node_path_.join)(nix.bin, 'nix-daemon')], input);
    const deadline = Date.now() + 20_000;
    while (!(await answers(socketOf(run)))) {
        if (Date.now() > deadline || context.signal.aborted) {
            const log = await (0,promises_.readFile)((0,external_node_path_.join)(run.directory, 'daemon/log'), 'utf8').catch(() => '');
            throw new Error(`Nix's daemon does not answer. ${log.trim().slice(-2000)}`);
        }
        await (0,external_node_timers_promises_.setTimeout)(5);
    }
}
/** The environment of root's Nix as setup/root.sh reads it: a line each, and an empty one. */
function variables(run, nix, environment) {
    const values = {
        ...(nix.certificates === undefined ? {} : { NIX_SSL_CERT_FILE: nix.certificates }),
        ...Object.fromEntries(passed.flatMap(name => (environment[name] ? [[name, environment[name]]] : []))),
        NIX_SSHOPTS: `-F ${(0,external_node_path_.join)(run.directory, 'keys/ssh_config')}`,
    };
    const lines = Object.entries(values).filter(([, value]) => !value?.includes('\n'));
    return `${lines.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}
function socketOf(run) {
    return (0,external_node_path_.join)(run.directory, 'socket');
}
function answers(socket) {
    return new Promise(resolve => {
        const connection = (0,external_node_net_.connect)(socket)
            .once('connect', () => {
            connection.destroy();
            resolve(true);
        })
            .once('error', () => resolve(false));
    });
}

;// CONCATENATED MODULE: ./src/setup/probe-program.ts
const programs = {
    'x86_64-linux': {
        bits: 64,
        machine: 62,
        flags: 0,
        text: `
      488b742418         mov rsi, qword ptr [rsp + 24]
      bf9cffffff         mov edi, 4294967196
      31d2               xor edx, edx
      b801010000         mov eax, 257
      0f05               syscall
      85c0               test eax, eax
      794d               jns seen
      488b742410         mov rsi, qword ptr [rsp + 16]
      bf9cffffff         mov edi, 4294967196
      bac1000000         mov edx, 193
      41ba24010000       mov r10d, 292
      b801010000         mov eax, 257
      0f05               syscall
      85c0               test eax, eax
      7834               js fail
      89c3               mov ebx, eax
      4881ec90010000     sub rsp, 400
      4889e7             mov rdi, rsp
      b83f000000         mov eax, 63
      0f05               syscall
      89df               mov edi, ebx
      488db42404010000   lea rsi, [rsp + 260]
      ba41000000         mov edx, 65
      b801000000         mov eax, 1
      0f05               syscall
      31ff               xor edi, edi
      eb0c               jmp end
      seen:
      bf07000000         mov edi, 7
      eb05               jmp end
      fail:
      bf01000000         mov edi, 1
      end:
      b8e7000000         mov eax, 231
      0f05               syscall
    `,
    },
    'aarch64-linux': {
        bits: 64,
        machine: 183,
        flags: 0,
        text: `
      e10f40f9           ldr x1, [sp, #24]
      600c8092           mov x0, #-100
      020080d2           mov x2, #0
      080780d2           mov x8, #56
      010000d4           svc #0
      8002f8b6           tbz x0, #63, seen
      e10b40f9           ldr x1, [sp, #16]
      600c8092           mov x0, #-100
      221880d2           mov x2, #193
      832480d2           mov x3, #292
      080780d2           mov x8, #56
      010000d4           svc #0
      e001f8b7           tbnz x0, #63, fail
      f30300aa           mov x19, x0
      ff4306d1           sub sp, sp, #400
      e0030091           mov x0, sp
      081480d2           mov x8, #160
      010000d4           svc #0
      e00313aa           mov x0, x19
      e1130491           add x1, sp, #260
      220880d2           mov x2, #65
      080880d2           mov x8, #64
      010000d4           svc #0
      000080d2           mov x0, #0
      04000014           b end
      seen:
      e00080d2           mov x0, #7
      02000014           b end
      fail:
      200080d2           mov x0, #1
      end:
      c80b80d2           mov x8, #94
      010000d4           svc #0
    `,
    },
    'riscv64-linux': {
        bits: 64,
        machine: 243,
        flags: 0,
        text: `
      83358101           ld a1, 24(sp)
      1305c0f9           li a0, -100
      13060000           li a2, 0
      93088003           li a7, 56
      73000000           ecall
      63580504           bgez a0, seen
      83350101           ld a1, 16(sp)
      1305c0f9           li a0, -100
      1306100c           li a2, 193
      93064012           li a3, 292
      93088003           li a7, 56
      73000000           ecall
      634e0502           bltz a0, fail
      93040500           mv s1, a0
      130101e7           addi sp, sp, -400
      13050100           mv a0, sp
      9308000a           li a7, 160
      73000000           ecall
      13850400           mv a0, s1
      93054110           addi a1, sp, 260
      13061004           li a2, 65
      93080004           li a7, 64
      73000000           ecall
      13050000           li a0, 0
      6f000001           j end
      seen:
      13057000           li a0, 7
      6f008000           j end
      fail:
      13051000           li a0, 1
      end:
      9308e005           li a7, 94
      73000000           ecall
    `,
    },
    'armv7l-linux': {
        bits: 32,
        machine: 40,
        flags: 0x5000000,
        text: `
      0c109de5           ldr r1, [sp, #12]
      6300e0e3           mvn r0, #99
      0020a0e3           mov r2, #0
      057da0e3           mov r7, #320
      027087e2           add r7, r7, #2
      000000ef           svc #0
      000050e3           cmp r0, #0
      140000aa           bge seen
      08109de5           ldr r1, [sp, #8]
      6300e0e3           mvn r0, #99
      c120a0e3           mov r2, #193
      493fa0e3           mov r3, #292
      057da0e3           mov r7, #320
      027087e2           add r7, r7, #2
      000000ef           svc #0
      000050e3           cmp r0, #0
      0d0000ba           blt fail
      0040a0e1           mov r4, r0
      19de4de2           sub sp, sp, #400
      0d00a0e1           mov r0, sp
      7a70a0e3           mov r7, #122
      000000ef           svc #0
      0400a0e1           mov r0, r4
      411f8de2           add r1, sp, #260
      4120a0e3           mov r2, #65
      0470a0e3           mov r7, #4
      000000ef           svc #0
      0000a0e3           mov r0, #0
      020000ea           b end
      seen:
      0700a0e3           mov r0, #7
      000000ea           b end
      fail:
      0100a0e3           mov r0, #1
      end:
      f870a0e3           mov r7, #248
      000000ef           svc #0
    `,
    },
};
/** Systems for which there is a probe program. */
const provableSystems = [...Object.keys(programs), 'armv6l-linux'];
/** The ELF executable for `system`; null where we have none. */
function probeProgram(system) {
    const program = programs[sameCode[system] ?? system];
    if (program === undefined)
        return null;
    const text = Buffer.from(program.text
        .split('\n')
        .map(line => /^ *([0-9a-f]{4,})(?: |$)/.exec(line)?.[1] ?? '')
        .join(''), 'hex');
    const wide = program.bits === 64;
    const [headerSize, segmentSize] = wide ? [64, 56] : [52, 32];
    const header = Buffer.alloc(headerSize + segmentSize);
    const base = 0x10000;
    const size = header.length + text.length;
    let at = header.write('\x7fELF', 'latin1');
    const half = (value) => {
        at = header.writeUInt16LE(value, at);
    };
    const word = (value) => {
        at = header.writeUInt32LE(value, at);
    };
    const address = (value) => {
        if (wide)
            at = header.writeBigUInt64LE(BigInt(value), at);
        else
            word(value);
    };
    for (const byte of [wide ? 2 : 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        at = header.writeUInt8(byte, at);
    half(2); // executable
    half(program.machine);
    word(1);
    address(base + header.length); // entry
    address(headerSize); // program headers
    address(0);
    word(program.flags);
    half(headerSize);
    half(segmentSize);
    half(1);
    half(0);
    half(0);
    half(0);
    word(1); // loadable
    if (wide)
        word(5); // readable and executable
    address(0);
    address(base);
    address(base);
    address(size);
    address(size);
    if (!wide)
        word(5);
    address(0x1000);
    return Buffer.concat([header, text]);
}
/** Systems whose processors run another one's program. */
const sameCode = { 'armv6l-linux': 'armv7l-linux' };

;// CONCATENATED MODULE: ./src/setup/binfmt.ts



/** Where the kernel tells of its interpreters; empty where binfmt_misc is not mounted. */
const binfmtDirectory = '/proc/sys/fs/binfmt_misc';
/** Reads the file of one entry; null for one that goes by a file name's ending. */
function parseRegistration(name, text) {
    const field = (key) => new RegExp(`^${key}:? ?(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    const magic = Buffer.from(field('magic'), 'hex');
    if (magic.length === 0)
        return null;
    const mask = field('mask') === '' ? Buffer.alloc(magic.length, 0xff) : Buffer.from(field('mask'), 'hex');
    return {
        name,
        enabled: /^enabled$/m.test(text),
        interpreter: field('interpreter'),
        flags: field('flags'),
        offset: Number(field('offset')),
        magic,
        mask,
    };
}
/** Whether programs that begin with `head` go to this interpreter. */
function takes(registration, head) {
    const { enabled, offset, magic, mask } = registration;
    return (enabled && magic.every((byte, i) => ((head[offset + i] ?? 0) & (mask[i] ?? 0xff)) === (byte & (mask[i] ?? 0xff))));
}
/** The entries that take the programs of `system`; those that serve a sandboxed build carry the flag F. */
async function registrationsOf(system) {
    const head = probeProgram(system);
    if (head === null)
        return [];
    const names = await (0,promises_.readdir)(binfmtDirectory).catch(() => []);
    const entries = await Promise.all(names
        .filter(name => name !== 'register' && name !== 'status')
        .map(async (name) => parseRegistration(name, await (0,promises_.readFile)((0,external_node_path_.join)(binfmtDirectory, name), 'latin1').catch(() => ''))));
    return entries.filter((entry) => entry !== null && takes(entry, head));
}
/**
 * The line that registers `qemu` for the programs of `system`.
 *
 * Magic and mask as Debian's and NixOS's: an ELF header of that class and processor, any OS ABI, an executable or a
 * position-independent one. F: the kernel opens the interpreter now, so that it is there in every sandbox. P: the
 * program's own argv[0] is kept, which qemu understands since 6.0 on kernels since 5.12.
 */
function registrationLine(name, system, qemu) {
    const head = probeProgram(system);
    if (head === null)
        throw new Error(`no magic for ${system}`);
    const escaped = (bytes) => [...bytes].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    const magic = Buffer.from(head.subarray(0, 20));
    const mask = Buffer.alloc(20, 0xff);
    mask[7] = 0;
    mask[16] = 0xfe;
    return `:${name}:M::${escaped(magic)}:${escaped(mask)}:${qemu}:PF`;
}

;// CONCATENATED MODULE: ./src/setup/probe.ts






/**
 * Builds, on this machine, a derivation of `system` whose program would see a file of the machine if it were in no
 * sandbox.
 */
async function prove(system, run, installation, context) {
    const program = probeProgram(system);
    if (program === null)
        return { ok: false, kind: 'none', log: '' };
    const file = (0,external_node_path_.join)(run.directory, 'client', `probe-${system}`);
    await (0,promises_.writeFile)(file, program, { mode: 0o755 });
    const nix = new src_nix/* Nix */.a(context.exec, installation);
    try {
        const { stdout } = await nix.run('nix-build', [
            (0,assets/* asset */.L)('nix/probe.nix'),
            '--no-out-link',
            ...['--argstr', 'system', system],
            ...['--argstr', 'program', file],
            ...['--argstr', 'outside', (0,external_node_path_.join)(run.directory, 'outside')],
            // Not elsewhere, and not from a cache.
            ...['--option', 'builders', '', '--option', 'substitute', 'false'],
        ], { timeout: 120_000, signal: context.signal });
        const answer = await (0,promises_.readFile)(stdout.trim(), 'latin1');
        return { ok: true, machine: answer.split('\0')[0] ?? '' };
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        const open = /exit code 7\b/.test(error.stderr);
        return { ok: false, kind: open ? 'open' : 'broken', log: error.stderr };
    }
}
/** @throws UserError when builds are not isolated from the machine. */
async function proveSandbox(system, run, installation, context) {
    const proof = await prove(system, run, installation, context);
    if (proof.ok || proof.kind === 'none')
        return;
    if (proof.kind === 'open') {
        throw new errors/* UserError */.yo("Nix's sandbox is off: a probe build could read a file of the machine.", {
            cure: 'Run on a machine where Nix can make namespaces; in a container, start it with the privilege to.',
        });
    }
    throw new errors/* UserError */.yo(`A probe build in Nix's sandbox failed: ${lastError(proof.log)}`, {
        cure: 'Run on a machine where root can make namespaces and mounts; in a container, start it with the privilege to.',
    });
}
/** The last line of what Nix printed that is an error. */
function lastError(log) {
    const all = log.split('\n').filter(line => line.trim() !== '');
    return (all.findLast(line => /\berror: /.test(line)) ?? all.at(-1) ?? '').trim();
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:http"
var external_node_http_ = __webpack_require__(37067);
var external_node_http_default = /*#__PURE__*/__webpack_require__.n(external_node_http_);
// EXTERNAL MODULE: external "node:https"
var external_node_https_ = __webpack_require__(44708);
var external_node_https_default = /*#__PURE__*/__webpack_require__.n(external_node_https_);
// EXTERNAL MODULE: external "node:stream/promises"
var external_node_stream_promises_ = __webpack_require__(46466);
;// CONCATENATED MODULE: ./src/setup/download.ts








const patience = { attempts: 5, stall: 30_000, pause: 500 };
/** The server could not be reached, or kept failing; another source may do better. */
class UnreachableError extends errors/* UserError */.yo {
    name = 'UnreachableError';
}
/** The server says that there is no such file. */
class MissingError extends errors/* UserError */.yo {
    name = 'MissingError';
}
/** What may pass: the next attempt follows, after `wait` milliseconds where the server names them. */
class PassingError extends Error {
    wait;
    constructor(message, wait = null) {
        super(message);
        this.wait = wait;
    }
}
/**
 * Fetches `url` into `file`; status, kind, length and hash are checked before it returns, and a file that is not right is
 * removed.
 *
 * @param sha256 64 hex digits.
 * @throws UnreachableError, MissingError; UserError when the content is not what the hash says.
 */
async function download(url, file, sha256, context, patient = patience) {
    await persistently(url, context, patient, async (stall) => {
        const { body, length } = await request(url, stall);
        const { hash, size, head } = await write(file, body, stall);
        if (hash === sha256)
            return;
        await (0,promises_.rm)(file, { force: true });
        // An error page with status 200 is how many a proxy fails (nix-quick-install-action#71); it may pass.
        if (isPage(head))
            throw new PassingError('it answers with an HTML page');
        if (length !== null && size !== length)
            throw new PassingError(`it sent ${size} of ${length} bytes`);
        throw new errors/* UserError */.yo(`${url} has the SHA-256 ${hash}, not ${sha256}: it is not used.`, {
            cure: 'Compare the hash with the one that the release publishes; if it is another, somebody changed the file.',
        });
    });
}
/** The text of a small file. @throws as `download` */
async function fetchText(url, context, patient = patience) {
    return persistently(url, context, patient, async (stall) => {
        const { body } = await request(url, stall);
        const chunks = [];
        await take(body, stall, chunk => chunks.push(chunk));
        const content = Buffer.concat(chunks);
        if (isPage(content))
            throw new PassingError('it answers with an HTML page');
        return content.toString();
    });
}
async function persistently(url, context, patient, attempt) {
    for (let count = 1;; count++) {
        const stall = new Stall(patient.stall, context.signal);
        try {
            return await attempt(stall);
        }
        catch (error) {
            if (error instanceof errors/* UserError */.yo || context.signal.aborted)
                throw error;
            if (error.code === 'ENOSPC') {
                throw new errors/* UserError */.yo(`The disk is full: there is no space to fetch ${url}.`, {
                    cure: 'Free space before the step.',
                    cause: error,
                });
            }
            const why = stall.over ? `it sent nothing for ${patient.stall / 1000} s` : reason(error);
            // A name that does not resolve, a network that is not there: one more attempt tells as much as four.
            const attempts = isOffline(error) ? Math.min(2, patient.attempts) : patient.attempts;
            if (count >= attempts) {
                throw new UnreachableError(`${url} cannot be had: ${why}, ${count} times.`, {
                    cure: 'Give a mirror or a local tarball in `nix-source`.',
                    cause: error,
                });
            }
            const asked = error instanceof PassingError ? error.wait : null;
            const wait = Math.min(asked ?? patient.pause * 2 ** (count - 1), 60_000);
            context.log.info(`${url}: ${why}; again in ${wait / 1000} s.`);
            await (0,external_node_timers_promises_.setTimeout)(wait, undefined, { signal: context.signal });
        }
        finally {
            stall.end();
        }
    }
}
/**
 * One request, following redirects. By Node's http and not by fetch, whose streams take half as long again for a file of
 * some 50 MB: as much as all the rest of the set-up.
 */
async function request(url, stall, redirects = 5) {
    const agent = await proxyAgent(url);
    const response = await new Promise((resolve, reject) => {
        const get = url.startsWith('https:') ? (external_node_https_default()).get : (external_node_http_default()).get;
        get(url, { agent, signal: stall.signal, headers: { 'user-agent': 'nix-ferry' } }, resolve).once('error', reject);
    });
    const { statusCode: status = 0, headers } = response;
    if (status === 200) {
        const length = headers['content-length'];
        return { body: response, length: length === undefined ? null : Number(length) };
    }
    response.destroy();
    if ([301, 302, 303, 307, 308].includes(status) && headers.location !== undefined && redirects > 0) {
        const next = new URL(headers.location, url);
        if (next.protocol === 'https:' || url.startsWith('http:'))
            return request(next.href, stall, redirects - 1);
    }
    if (status === 404 || status === 410) {
        throw new MissingError(`${url} does not exist (status ${status}).`, {
            cure: 'Give a version that is released, as `nix-version: 2.34.4`, or the source that has it in `nix-source`.',
        });
    }
    const after = Number(headers['retry-after'] ?? Number.NaN);
    throw new PassingError(`it answers with status ${status}`, Number.isFinite(after) ? after * 1000 : null);
}
/**
 * An agent by way of the proxy that the environment names for `url`, if any: `https_proxy`, `http_proxy` and `no_proxy`, in
 * either case. The library reads them itself, and is loaded only where there are any.
 */
async function proxyAgent(url) {
    if (!Object.keys(process.env).some(name => /^https?_proxy$/i.test(name)))
        return undefined;
    const { HttpClient } = await __webpack_require__.e(/* import() */ 942).then(__webpack_require__.bind(__webpack_require__, 44942));
    return new HttpClient('nix-ferry').getAgent(url);
}
/** Gives each chunk of `body` to `each`, as an event: other ways to read it take longer, an async iterator twice as long. */
async function take(body, stall, each) {
    body.on('data', (chunk) => {
        stall.heard();
        try {
            each(chunk);
        }
        catch (error) {
            body.destroy(error);
        }
    });
    await (0,external_node_stream_promises_.finished)(body);
}
async function write(file, body, stall) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    // Written at once, not through promises: they cost more than the writing, and nothing else waits for this thread.
    const handle = (0,external_node_fs_.openSync)(file, 'w', 0o600);
    let size = 0;
    let head = Buffer.alloc(0);
    try {
        await take(body, stall, chunk => {
            hash.update(chunk);
            if (size === 0)
                head = Buffer.from(chunk.subarray(0, 256));
            size += chunk.length;
            (0,external_node_fs_.writeSync)(handle, chunk);
        });
    }
    catch (error) {
        await (0,promises_.rm)(file, { force: true });
        throw error;
    }
    finally {
        (0,external_node_fs_.closeSync)(handle);
    }
    return { hash: hash.digest('hex'), size, head };
}
function isPage(content) {
    return /^\s*<(!doctype|html|head|\?xml)/i.test(content.toString('latin1', 0, 256));
}
function reason(error) {
    return error.code ?? (error instanceof Error ? error.message : String(error));
}
function isOffline(error) {
    const code = error.code ?? '';
    return ['ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH'].includes(code);
}
/** Ends a request that has been silent for too long. */
class Stall {
    signal;
    over = false;
    #timer;
    constructor(milliseconds, outer) {
        const controller = new AbortController();
        this.signal = AbortSignal.any([outer, controller.signal]);
        this.#timer = setTimeout(() => {
            this.over = true;
            controller.abort();
        }, milliseconds);
    }
    heard() {
        this.#timer.refresh();
    }
    end() {
        clearTimeout(this.#timer);
    }
}

;// CONCATENATED MODULE: ./src/setup/qemu.ts







/** qemu's name of the processor of a system; null for what it cannot be asked for. */
function qemuName(system) {
    const processor = system.replace(/-linux$/, '');
    if (processor === system)
        return null;
    return { armv7l: 'arm', armv6l: 'arm', i686: 'i386' }[processor] ?? processor;
}
/**
 * A static qemu for `system`: the machine's own, else the one from the distribution's package, taken out of it without
 * installing it (its scripts would register every processor that qemu knows, and leave them).
 *
 * @returns its path, and what to say of where it comes from.
 * @throws UserError where there is none.
 */
async function findQemu(system, run, context) {
    const name = qemuName(system);
    if (name === null)
        throw new errors/* UserError */.yo(`There is no emulation of ${system}.`);
    for (const path of [`/usr/bin/qemu-${name}-static`, `/usr/bin/qemu-${name}`]) {
        if (await isStatic(path))
            return { path, from: path };
    }
    // Since Debian 13 and Ubuntu 25.04 the static programs are in qemu-user.
    for (const packaged of ['qemu-user-static', 'qemu-user']) {
        const path = await fromPackage(packaged, name, run, context);
        if (path !== null)
            return { path, from: `the distribution's ${packaged}` };
    }
    throw new errors/* UserError */.yo(`No static qemu for ${system} is on this machine, and its package manager has none.`, {
        cure: 'Install qemu-user-static before the step, or run the job on a machine of that system.',
    });
}
/** The qemu that the user names, checked. @throws UserError */
async function givenQemu({ source, sha256 }, context) {
    const path = (0,external_node_path_.join)(context.scratch, `qemu-${sha256.slice(0, 16)}`);
    // Checked before, for another system: what is registered cannot be written.
    if (await isStatic(path))
        return { path, from: source };
    if (/^https?:/.test(source)) {
        await download(source, path, sha256, context);
    }
    else {
        await (0,promises_.copyFile)(source, path).catch(cause => {
            throw new errors/* UserError */.yo(`The given qemu cannot be read: ${cause.message}`, { cause });
        });
        const hash = (0,external_node_crypto_.createHash)('sha256')
            .update(await (0,promises_.readFile)(path))
            .digest('hex');
        if (hash !== sha256)
            throw new errors/* UserError */.yo(`${source} has the SHA-256 ${hash}, not ${sha256}: it is not used.`);
    }
    await (0,promises_.chmod)(path, 0o755);
    if (!(await isStatic(path)))
        throw new errors/* UserError */.yo(`${source} is no static program: it would not run in a sandbox.`);
    return { path, from: source };
}
async function fromPackage(packaged, name, run, context) {
    const directory = (0,external_node_path_.join)(context.scratch, packaged);
    const fetch = `mkdir -p "$1" && cd "$1" && apt-get -qq download "$2"`;
    const download = () => context.exec('sh', ['-c', fetch, 'sh', directory, packaged]);
    const programs = [`${directory}/usr/bin/qemu-${name}-static`, `${directory}/usr/bin/qemu-${name}`];
    // It may be there for another system already.
    for (const path of programs)
        if (await isStatic(path))
            return path;
    const unpack = 'cd "$1" && for each in *.deb; do dpkg-deb --extract "$each" . && rm "$each"; done';
    try {
        await download().catch(async () => {
            await asRoot(context, run, 'refresh');
            await download();
        });
        await context.exec('sh', ['-c', unpack, 'sh', directory]);
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        context.log.debug(`${packaged}: ${error.message}`);
        return null;
    }
    for (const path of programs)
        if (await isStatic(path))
            return path;
    return null;
}
/** Whether it is an ELF program that names no interpreter: only such a one runs where the machine's libraries are not. */
async function isStatic(path) {
    try {
        await (0,promises_.access)(path, external_node_fs_.constants.X_OK);
    }
    catch {
        return false;
    }
    const file = await (0,promises_.open)(path);
    try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
        const head = buffer.subarray(0, bytesRead);
        if (bytesRead < 64 || head.toString('latin1', 0, 4) !== '\x7fELF' || head[4] !== 2)
            return false;
        const [at, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
        const interpreter = 3; // PT_INTERP
        for (let i = 0; i < count; i++) {
            const segment = at + i * size;
            if (segment + 4 > bytesRead || head.readUInt32LE(segment) === interpreter)
                return false;
        }
        return true;
    }
    finally {
        await file.close();
    }
}

;// CONCATENATED MODULE: ./src/setup/find.ts




/** The oldest Nix that everything here works with: Debian 12's. */
const oldestNix = '2.8.0';
/** Where `setup/root.sh` roots a Nix that it installed. */
const ownRoot = '/nix/var/nix/gcroots/nix-ferry';
/**
 * The first Nix on PATH or in a place where installers put it that runs, is new enough, and is of version `wanted`
 * where one is. Null when there is none; the log says why one was passed over.
 */
async function findNix(environment, wanted, context) {
    const directories = [
        ...(environment.PATH ?? '').split(':').filter(directory => directory.startsWith('/')),
        '/nix/var/nix/profiles/default/bin',
        ...(environment.HOME === undefined ? [] : [(0,external_node_path_.join)(environment.HOME, '.nix-profile/bin')]),
        '/run/current-system/sw/bin',
        (0,external_node_path_.join)(ownRoot, 'bin'),
    ];
    for (const bin of new Set(directories)) {
        const program = (0,external_node_path_.join)(bin, 'nix');
        try {
            await (0,promises_.access)(program, external_node_fs_.constants.X_OK);
        }
        catch {
            continue;
        }
        try {
            const version = await nixVersion(context, program);
            if (compareVersions(version, oldestNix) < 0) {
                context.log.info(`${program} is Nix ${version}, older than ${oldestNix}: not used.`);
            }
            else if (wanted !== null && version !== wanted) {
                context.log.info(`${program} is Nix ${version}, not ${wanted}: not used.`);
            }
            else {
                return { bin, version };
            }
        }
        catch (error) {
            context.log.info(`${program} does not run and is not used: ${(0,errors/* explain */.WE)(error)}`);
        }
    }
    return null;
}
/** What `nix --version` says: the last version number in it, as variants put words and numbers of their own before. */
async function nixVersion(context, program) {
    const { stdout } = await context.exec(program, ['--version'], { timeout: 20_000 });
    const version = stdout.match(/\d+\.\d+(\.\d+)?/g)?.at(-1);
    if (version === undefined)
        throw new Error(`\`nix --version\` says ${stdout.trim()}`);
    return version;
}
/** Negative when `a` is older, 0 when the numbers are equal; a missing number is 0. */
function compareVersions(a, b) {
    const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
        const difference = (left[i] ?? 0) - (right[i] ?? 0);
        if (difference !== 0)
            return difference;
    }
    return 0;
}

;// CONCATENATED MODULE: ./src/setup/settings.ts




/** What may not be set by `nix-conf`, and why. The value given is the only one that is let through. */
const fixed = {
    sandbox: { only: 'true', why: 'builds are isolated, always.' },
    'build-use-sandbox': { only: 'true', why: 'builds are isolated, always.' },
    'sandbox-fallback': {
        only: 'false',
        why: 'without a fallback, a missing sandbox is an error instead of a silent risk.',
    },
    'accept-flake-config': {
        only: 'false',
        why: 'a flake could bring caches and hooks of its own; name these here instead.',
    },
    'build-users-group': { only: 'nixbld', why: 'builds run as the users of nixbld.' },
    builders: { only: '', why: 'remote builders go into the input `builders`, with key and host key.' },
};
/** Settings with secrets: they go to a file in memory that only the user can read. */
const secret = ['access-tokens', 'extra-access-tokens'];
/**
 * Reads the input `nix-conf`, line by line.
 *
 * @param known the names of Nix's settings, null: not asked.
 * @throws UserError with the line for what is no setting, and for what may not be set.
 */
function parseNixConf(text, known) {
    const daemon = [];
    const client = [];
    const trustedPublicKeys = [];
    for (const [index, line] of text.split('\n').entries()) {
        const content = line.replace(/#.*$/, '').trim();
        if (content === '')
            continue;
        const wrong = (message, cure) => new errors/* UserError */.yo(`input 'nix-conf', line ${index + 1}, ${message}`, {
            where: { input: 'nix-conf', line: index + 1 },
            ...(cure === undefined ? {} : { cure }),
        });
        if (/^!?include\s+\S+$/.test(content)) {
            daemon.push(content);
            continue;
        }
        const [, name, value] = /^([a-z][a-z0-9-]*)\s*=\s*(.*)$/.exec(content) ?? [];
        if (name === undefined || value === undefined)
            throw wrong(`is no setting: ${content}`, 'Write name = value.');
        const plain = name.replace(/^extra-(?!platforms$)/, '');
        const rule = fixed[plain];
        if (rule !== undefined && value !== rule.only)
            throw wrong(`sets ${name}: ${rule.why}`, 'Leave the line out.');
        if (known !== null && !known.includes(name) && !known.includes(plain)) {
            const meant = (0,nearest/* nearest */.p)(name, known) ?? (0,nearest/* nearest */.p)(plain, known);
            throw wrong(`sets ${name}, which this Nix does not know.`, meant === null ? undefined : `Did you mean ${meant}?`);
        }
        if (secret.includes(name))
            client.push(content);
        else
            daemon.push(content);
        if (plain === 'trusted-public-keys')
            trustedPublicKeys.push(...value.split(/\s+/));
    }
    return { daemon: daemon.join('\n'), client: client.join('\n'), trustedPublicKeys };
}
/** The names of all settings of this Nix. */
async function settingNames(installation, context) {
    return Object.keys(await showSettings(installation, context));
}
/** What Nix says of its settings, by name. */
async function showSettings(installation, context) {
    const nix = new src_nix/* Nix */.a(context.exec, installation);
    // `nix show-config` was renamed in 2.19.
    const show = compareVersions(installation.version, '2.19') < 0 ? ['show-config'] : ['config', 'show'];
    const { stdout } = await nix.run('nix', [...show, '--json']);
    return JSON.parse(stdout);
}

;// CONCATENATED MODULE: ./src/setup/systems.ts



/** Nix's name of the system that Node runs on. */
function localSystem() {
    const processor = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64', arm: 'armv7l', ia32: 'i686' }[process.arch];
    return `${processor ?? process.arch}-${process.platform === 'darwin' ? 'darwin' : 'linux'}`;
}
/** The systems whose derivations Nix builds on this machine by itself. */
async function ownSystems(installation, context) {
    const settings = await showSettings(installation, context);
    return new Set([settings.system?.value, settings['extra-platforms']?.value].flat().map(String));
}
/** Which derivations must be built, of those that `drvPaths` need and no substituter offers; nothing is built. */
async function mustBuild(drvPaths, installation, context) {
    const nix = new src_nix/* Nix */.a(context.exec, installation);
    const found = new Set();
    let building = false;
    await nix.run('nix-store', ['--realise', '--dry-run', ...drvPaths], {
        signal: context.signal,
        onStderr: line => {
            // Nix's src/libmain/shared.cc: a heading ends with a colon, the paths under it are indented.
            const path = /^ +(\/\S+)$/.exec(line)?.[1];
            if (path === undefined)
                building = / will be built:$/.test(line);
            else if (building && path.endsWith('.drv'))
                found.add(path);
        },
    });
    return [...found];
}
/** The system of each derivation. */
async function systemsOf(drvPaths, installation, context) {
    const nix = new src_nix/* Nix */.a(context.exec, installation);
    const show = compareVersions(installation.version, '2.14') < 0 ? ['show-derivation'] : ['derivation', 'show'];
    const systems = new Map();
    // An argument list takes 2 MiB at most.
    for (let at = 0; at < drvPaths.length; at += 1000) {
        const { stdout } = await nix.run('nix', [...show, ...drvPaths.slice(at, at + 1000)]);
        for (const [path, { system }] of derivationsIn(stdout))
            systems.set(path, system);
    }
    return systems;
}
/** Reads both shapes of `nix derivation show`: keyed by path, and (newer) by name inside `derivations`. */
function derivationsIn(json) {
    const parsed = JSON.parse(json);
    const derivations = (parsed.derivations ?? parsed);
    return Object.entries(derivations).map(([path, derivation]) => [
        path.startsWith('/') ? path : `/nix/store/${path}`,
        derivation,
    ]);
}

;// CONCATENATED MODULE: ./src/setup/emulation.ts










/**
 * Makes the kernel run the programs of `systems` in Nix's sandbox, tells Nix, and proves it by a build of each.
 *
 * @returns the settings of the daemon, which was started again.
 * @throws UserError where that cannot be.
 */
async function emulate(systems, setUp, context) {
    const { nix, run, found, config } = setUp;
    for (const system of systems) {
        if (provableSystems.includes(system))
            continue;
        throw new errors/* UserError */.yo(`Derivations of ${system} must be built, and there is no emulation of it here.`, {
            cure: `Emulation is for ${provableSystems.join(', ')}. Use a remote builder, or a runner of that system.`,
        });
    }
    const register = (system) => registerOwn(system, run, config, context);
    // One after the other: one package may hold the qemu of several.
    for (const system of systems) {
        if (runsByItself(system))
            continue;
        const valid = await inForce(system, run);
        if (valid === null)
            await register(system);
        else
            context.log.info(`Emulation of ${system}: ${valid.interpreter}, registered before as ${valid.name}.`);
    }
    const settings = { ...setUp.settings, extraPlatforms: [...setUp.settings.extraPlatforms, ...systems] };
    await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
    await Promise.all(systems.map(async (system) => {
        let proof = await prove(system, run, nix, context);
        const other = await inForce(system, run);
        if (!proof.ok && other?.name !== registrationName(run, system)) {
            // What the machine had does not run: ours goes before it.
            if (other !== null)
                context.log.warning(`${other.interpreter} of ${other.name} does not run here: another is tried.`);
            await register(system);
            proof = await prove(system, run, nix, context);
        }
        if (!proof.ok) {
            throw new errors/* UserError */.yo(`Programs of ${system} do not run here under emulation: ${lastError(proof.log)}`, {
                where: { input: 'emulate' },
                cure: 'Give a newer static qemu, or use a remote builder or a runner of that system.',
            });
        }
        context.log.info(`A program of ${system} ran in the sandbox, on what it took for ${proof.machine}.`);
    }));
    return settings;
}
/** Many an aarch64 processor runs programs of its 32-bit ancestors; where it does not, the probe tells. */
function runsByItself(system) {
    return localSystem() === 'aarch64-linux' && /^armv[67]l-linux$/.test(system);
}
/**
 * The entry that a sandboxed program of `system` goes to: the kernel takes the youngest, but only F survives a sandbox. One
 * of another run on this machine does not count, since it goes when that run ends.
 */
async function inForce(system, run) {
    const all = await registrationsOf(system);
    const ofAnotherRun = (name) => /^nix-ferry-[0-9a-f]{16}-/.test(name) && name !== registrationName(run, system);
    return all.find(({ name, flags }) => flags.includes('F') && !ofAnotherRun(name)) ?? null;
}
function registrationName(run, system) {
    return `${(0,external_node_path_.basename)(run.directory)}-${system}`;
}
async function registerOwn(system, run, config, context) {
    const { path, from } = config.qemu ? await givenQemu(config.qemu, context) : await findQemu(system, run, context);
    await asRoot(context, run, 'register', [system], registrationLine(registrationName(run, system), system, path));
    context.log.info(`Emulation of ${system}: registered ${from}.`);
}

// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
;// CONCATENATED MODULE: ./src/setup/release.ts








/** The version that is installed where none is asked for. */
const pinnedVersion = '2.34.4';
/** Where Nix's own releases are. */
const officialSource = 'https://releases.nixos.org/nix';
/** SHA-256 of the release tarballs, as the `install` script of each release has them written in. */
const pinnedHashes = {
    '2.34.4': {
        'x86_64-linux': '595669eb6db6117135ca8ba6667b273eaf980a47523a92e61ed963556cd547b8',
        'aarch64-linux': '11f5dca5e2eccd7fca31d84ee16fbe18e8752c45a9ca223a1e55aaa16548a48b',
    },
    '2.35.2': {
        'x86_64-linux': '0c3960a9792331a22081c3c7a5d8465db9b17c50b3acdf18587fa4c6f2cb1158',
        'aarch64-linux': '4d0302a2910f5eec1c33b8deef634f04899a75737e7001ec49908d003ae5efda',
    },
};
/** @throws UserError for what is neither a version, a version with a hash, nor `system`. */
function parseVersion(text) {
    if (text === null || text.trim() === '')
        return { version: null, sha256: null, systemOnly: false };
    if (text.trim() === 'system')
        return { version: null, sha256: null, systemOnly: true };
    const [, version, sha256] = /^v?(\d+\.\d+(?:\.\d+)?)(?:@sha256:([0-9a-f]{64}))?$/.exec(text.trim()) ?? [];
    if (version !== undefined)
        return { version, sha256: sha256 ?? null, systemOnly: false };
    throw new errors/* UserError */.yo(`input 'nix-version' is '${text.trim()}'.`, {
        where: { input: 'nix-version' },
        cure: `Write a version as ${pinnedVersion}, one with its hash as ${pinnedVersion}@sha256:<64 hex digits>, or system.`,
    });
}
/**
 * Brings a release tarball into the scratch directory, or finds it where it lies, with its hash checked.
 *
 * @returns its path.
 * @throws UserError, UnreachableError, MissingError.
 */
async function fetchRelease(wanted, config, context, patience) {
    const source = config.nixSource ?? officialSource;
    if (!/^https?:\/\//.test(source))
        return localRelease((0,external_node_path_.resolve)(source), wanted, context);
    const version = wanted.version ?? pinnedVersion;
    const system = localSystem();
    const name = `nix-${version}-${system}.tar.xz`;
    const url = `${source.replace(/\/+$/, '')}/nix-${version}/${name}`;
    const file = (0,external_node_path_.join)(context.scratch, name);
    const known = wanted.sha256 ?? pinnedHashes[version]?.[system];
    try {
        const sha256 = known ?? (await publishedHash(`${url}.sha256`, context, patience));
        await download(url, file, sha256, context, patience);
    }
    catch (error) {
        if (!(error instanceof MissingError))
            throw error;
        throw new MissingError(`There is no Nix ${version} for ${system}: ${error.message}`, {
            where: { input: 'nix-version' },
            ...(error.cure === undefined ? {} : { cure: error.cure }),
        });
    }
    context.log.debug(`${url} has the SHA-256 that was expected.`);
    return file;
}
async function publishedHash(url, context, patience) {
    const text = (await fetchText(url, context, patience)).trim();
    const hash = /^[0-9a-f]{64}(?=\s|$)/.exec(text)?.[0];
    if (hash === undefined)
        throw new errors/* UserError */.yo(`${url} holds no SHA-256.`, { where: { input: 'nix-source' } });
    context.log.info(`No hash is given for this version: the one at ${url} is trusted, ${hash}.`);
    return hash;
}
async function localRelease(file, wanted, context) {
    if (!(await (0,promises_.stat)(file).catch(() => null))?.isFile()) {
        throw new errors/* UserError */.yo(`input 'nix-source' names no file: ${file}`, {
            where: { input: 'nix-source' },
            cure: 'Write the URL before `/nix-<version>/` of a mirror, or the path of a release tarball.',
        });
    }
    const beside = await (0,promises_.readFile)(`${file}.sha256`, 'utf8').catch(() => '');
    const expected = wanted.sha256 ?? /^[0-9a-f]{64}(?=\s|$)/.exec(beside.trim())?.[0] ?? null;
    if (expected === null) {
        context.log.info(`No hash is given for ${file}: it is trusted as it is.`);
        return file;
    }
    const hash = (0,external_node_crypto_.createHash)('sha256');
    await (0,external_node_stream_promises_.pipeline)((0,external_node_fs_.createReadStream)(file), hash);
    const found = hash.digest('hex');
    if (found === expected)
        return file;
    throw new errors/* UserError */.yo(`${(0,external_node_path_.basename)(file)} has the SHA-256 ${found}, not ${expected}: it is not used.`, {
        where: { input: 'nix-source' },
        cure: 'Fetch the tarball again.',
    });
}
/** The distribution's own bundle of certificates, which Nix finds by itself; null where there is none. */
async function systemCertificates() {
    for (const file of ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt']) {
        const there = await (0,promises_.access)(file).then(() => true, () => false);
        if (there)
            return file;
    }
    return null;
}

;// CONCATENATED MODULE: ./src/setup/install.ts







/** This machine has not what unpacks a release. */
class UnpackError extends errors/* UserError */.yo {
    name = 'UnpackError';
}
/**
 * The Nix of this machine that serves, else a release, else (where no particular one was asked for, and the releases
 * cannot be reached or not be unpacked) the distribution's.
 *
 * @param prepared settles when the run's directories are there.
 * @throws UserError when there is none.
 */
async function findOrInstall(run, prepared, config, context) {
    const wanted = parseVersion(config.nixVersion);
    const found = await findNix(config.environment, wanted.version, context);
    if (found !== null)
        return found;
    if (wanted.systemOnly) {
        throw new errors/* UserError */.yo(`There is no Nix ${oldestNix} or newer on this machine, and \`nix-version\` is system.`, {
            where: { input: 'nix-version' },
            cure: 'Leave `nix-version` empty, and the step installs Nix.',
        });
    }
    try {
        return await installRelease(run, prepared, wanted, config, context);
    }
    catch (error) {
        const free = wanted.version === null && config.nixSource === null;
        if (!free || !(error instanceof UnreachableError || error instanceof UnpackError))
            throw error;
        await prepared;
        return installPackage(run, config, context, error.message);
    }
}
async function installRelease(run, prepared, wanted, config, context) {
    for (const program of ['tar', 'xz']) {
        if (await hasProgram(program))
            continue;
        throw new UnpackError(`A release of Nix is unpacked with ${program}, which is not on this machine.`, {
            cure: `Install ${program} before the step (Debian and Ubuntu: ${program === 'xz' ? 'xz-utils' : program}), or Nix itself.`,
        });
    }
    const fetched = Promise.all([fetchRelease(wanted, config, context, config.patience), prepared]);
    // Root's part begins beside the download, and waits for the name of what was checked.
    const unpacked = asRoot(context, run, 'unpack', [], fetched.then(([file]) => file)).catch(error => {
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        const known = (0,explain/* explainNixError */.L)(error.stderr);
        throw new errors/* UserError */.yo(`The release of Nix cannot be unpacked: ${known?.message ?? error.message}.`, {
            cure: known?.cure ?? 'Give another release in `nix-version` or `nix-source`.',
            cause: error,
        });
    });
    const [[tarball], { stdout }] = await Promise.all([fetched, unpacked]);
    const [path = '', certificates = ''] = stdout.trim().split('\n');
    const bin = (0,external_node_path_.join)(path, 'bin');
    // A release says its version in its name; that it runs, the probe of the sandbox shows.
    const version = /^nix-(\d+\.\d+(?:\.\d+)?)-/.exec((0,external_node_path_.basename)(tarball))?.[1] ?? (await nixVersion(context, (0,external_node_path_.join)(bin, 'nix')));
    context.log.info(`Installed Nix ${version} from ${tarball}.`);
    if ((await systemCertificates()) !== null)
        return { bin, version };
    return { bin, version, certificates: (0,external_node_path_.join)(certificates, 'etc/ssl/certs/ca-bundle.crt') };
}
/** Installs the distribution's Nix. @throws UserError where there is none, or only one that is too old. */
async function installPackage(run, config, context, why) {
    const cure = 'Give a mirror or a local tarball in `nix-source`, or install Nix before the step.';
    try {
        await asRoot(context, run, 'package', ['nix-bin']);
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd))
            throw error;
        throw new errors/* UserError */.yo(`${why} Neither can the distribution's nix-bin be installed: ${(0,errors/* explain */.WE)(error)}`, {
            cure,
            cause: error,
        });
    }
    const path = `/usr/bin:${config.environment.PATH ?? ''}`;
    const found = await findNix({ ...config.environment, PATH: path }, null, context);
    if (found === null)
        throw new errors/* UserError */.yo(`${why} The distribution's Nix is older than ${oldestNix}.`, { cure });
    context.log.notice(`${why} The distribution's Nix ${found.version} is used instead.`);
    return found;
}

;// CONCATENATED MODULE: ./src/setup/machine.ts






/**
 * The machine's own Nix, as it is, where it serves: nothing is asked for that it would have to be told, it takes a build,
 * and that build is isolated. Needs no root and changes nothing.
 *
 * @returns null where it does not serve; the log says why.
 */
async function machineNix(config, context, ports) {
    const told = config.nixConf.trim() !== '' || config.builders !== null || config.githubToken !== null;
    if (config.daemon === 'own' || told || ports.cache !== undefined || config.nixVersion !== null)
        return null;
    const found = await findNix(config.environment, null, context);
    if (found === null)
        return null;
    const nix = { bin: found.bin, version: found.version, env: {} };
    // Readable by whoever builds, else the probe could not tell a sandbox from a closed door; so not in the scratch.
    const directory = await (0,promises_.mkdtemp)('/tmp/nix-ferry-probe-');
    try {
        await (0,promises_.chmod)(directory, 0o755);
        await (0,promises_.mkdir)((0,external_node_path_.join)(directory, 'client'));
        await (0,promises_.writeFile)((0,external_node_path_.join)(directory, 'outside'), 'outside\n');
        await proveSandbox(localSystem(), { directory }, nix, context);
        return { nix, found };
    }
    catch (error) {
        context.log.debug(`The machine's own Nix is not used as it is: ${(0,errors/* explain */.WE)(error)}`);
        return null;
    }
    finally {
        await (0,promises_.rm)(directory, { recursive: true, force: true });
    }
}

;// CONCATENATED MODULE: ./src/setup/remote.ts









/** Puts what the daemon needs for `builders` where it takes it from when it starts. */
async function writeBuilders(run, builders, context) {
    const directory = (0,external_node_path_.join)(run.directory, 'client/keys');
    await (0,promises_.mkdir)(directory, { recursive: true, mode: 0o700 });
    for (const { key } of builders) {
        if (key !== null && 'text' in key)
            context.log.secret(key.text);
    }
    const files = Object.entries(builderFiles(builders, (0,external_node_path_.join)(run.directory, 'keys')));
    await Promise.all(files.map(([name, text]) => (0,promises_.writeFile)((0,external_node_path_.join)(directory, name), text, { mode: 0o600 })));
}
/**
 * Lets each builder build a small program of each of its systems, all at once, before anything depends on them.
 *
 * @throws UserError for the first that cannot be reached, does not let us in, has another host key, or cannot build for a
 *   system it is said to have.
 */
async function checkBuilders(run, builders, nix, environment, context) {
    const lines = machinesLines(builders);
    const names = aliases(builders);
    const checks = builders.flatMap((builder, index) => builder.systems.map(system => ({ builder, system, line: lines[index] ?? '', name: names[index] ?? '' })));
    await Promise.all(checks.map(async ({ builder, system, line, name }) => {
        const bytes = probeProgram(system);
        if (bytes === null)
            return;
        const program = (0,external_node_path_.join)(run.directory, 'client', `probe-${name}-${system}`);
        await (0,promises_.writeFile)(program, bytes, { mode: 0o755 });
        const argv = [
            (0,external_node_path_.join)(nix.bin, 'nix-build'),
            (0,assets/* asset */.L)('nix/probe.nix'),
            '--no-out-link',
            ...['--argstr', 'system', system, '--argstr', 'program', program],
            // A path of no machine: other than the one of the probe here, and of other builders.
            ...['--argstr', 'outside', `${run.directory}/outside-${name}`],
            ...['--option', 'substitute', 'false', '--option', 'builders', line, '--max-jobs', '0'],
        ];
        try {
            await asRoot(context, run, 'direct', argv, variables(run, nix, environment));
        }
        catch (error) {
            if (!(error instanceof errors/* CommandError */.Qd))
                throw error;
            throw explainBuilder(builder, system, error);
        }
    }));
    context.log.info(`Remote builders: ${builders.map(each => `${each.address} (${each.systems.join(', ')})`).join(', ')}.`);
}
/** What ssh and Nix print, and what it means. */
const meanings = [
    {
        pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|key is (?:not )?known|No .* host key is known/i,
        message: 'shows another host key than the one that `builders` pins: nothing was sent to it.',
        cure: 'Compare the pinned key with /etc/ssh/ssh_host_ed25519_key.pub on that machine.',
    },
    {
        pattern: /Permission denied|Too many authentication failures|invalid format|error in libcrypto/,
        message: 'does not let us in.',
        cure: 'Put the public half of the key into its authorized_keys, and the private one into `key`.',
    },
    {
        pattern: /timed out|refused|No route|Could not resolve|unreachable|Name or service|Connection (?:closed|reset)/i,
        message: 'cannot be reached.',
        cure: 'Check address, port and firewall.',
    },
    {
        pattern: /(?:not found|No such file).*nix|nix-(?:daemon|store).*not found/i,
        message: 'has no Nix on the PATH that SSH gives.',
        cure: 'Install Nix there for all users.',
    },
    {
        pattern: /is required to build|Required system|Failed to find a machine|Exec format error|executing .*probe/,
        message: 'cannot build for a system that `builders` says it has.',
        cure: 'Correct its systems.',
    },
];
function explainBuilder(builder, system, error) {
    const meaning = meanings.find(({ pattern }) => pattern.test(error.stderr));
    const detail = `(${lastError(error.stderr)})`;
    return new errors/* UserError */.yo(`The remote builder ${builder.address}, for ${system}, ${meaning?.message ?? 'failed a small build.'} ${detail}`, { where: { input: 'builders' }, ...(meaning === undefined ? {} : { cure: meaning.cure }), cause: error });
}

;// CONCATENATED MODULE: ./src/setup/config.ts
/** The key of `SetupPorts.saveState` under which the set-up keeps what `teardown` needs. */
const stateKey = 'setup';

;// CONCATENATED MODULE: ./src/setup/run.ts





/** Names a new run, and saves the name before anything bears it. */
function newRun(ports) {
    const directory = `${memory()}/nix-ferry-${(0,external_node_crypto_.randomBytes)(8).toString('hex')}`;
    const run = { directory };
    ports.saveState(stateKey, JSON.stringify(run));
    return run;
}
/** A place in memory, so that no key or token is ever written to a disk; /run where the machine has none. */
function memory() {
    return ['/run', '/dev/shm'].find(directory => isMemory(directory)) ?? '/run';
}
function isMemory(directory) {
    const tmpfs = 0x01021994; // TMPFS_MAGIC of linux/magic.h
    try {
        return (0,external_node_fs_.statfsSync)(directory).type === tmpfs;
    }
    catch {
        return false;
    }
}
/**
 * Removes all that the set-up left: daemon, registrations, keys, tokens, files. What stays is software: Nix with its
 * store, a package of the distribution, the nixbld accounts, which a concurrent job may be using and nobody can log in
 * to. Never throws; a trouble is a warning.
 *
 * @param state what was saved under `stateKey`; nothing is done where it is empty.
 */
async function teardown(state, context) {
    if (state === undefined || state === '')
        return;
    try {
        const run = parseRun(state);
        if (!(0,external_node_fs_.existsSync)(run.directory))
            return;
        let ended = false;
        while (!ended) {
            // Ctrl-C, pressed again, may reach it before it ignores that.
            ended = await asRoot(context, run, 'end').then(() => true, error => {
                if (error instanceof errors/* CommandError */.Qd && error.signal === 'SIGINT')
                    return false;
                throw error;
            });
        }
    }
    catch (error) {
        context.log.warning(`What the set-up of Nix left could not be removed: ${(0,errors/* explain */.WE)(error)}`);
    }
}
function parseRun(state) {
    const parsed = JSON.parse(state);
    if (typeof parsed?.directory !== 'string' || !/^\/(run|dev\/shm)\/nix-ferry-[0-9a-f]{16}$/.test(parsed.directory)) {
        throw new Error('the saved state names no run');
    }
    return { directory: parsed.directory };
}

// EXTERNAL MODULE: ./src/nix/pack.ts
var pack = __webpack_require__(91702);
;// CONCATENATED MODULE: ./src/setup/store-cache.ts







/** The shape of an entry: raised when an older one would not do any more. */
const shape = 1;
/**
 * The key of what this fleet builds, and where to look when there is no such entry, the likest first: the same hosts from
 * the same lock, other hosts from it, the same systems.
 */
function storeCacheKeys({ hosts, lock }) {
    const digest = (...parts) => (0,external_node_crypto_.createHash)('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
    const systems = [...new Set(hosts.map(host => host.system))].sort().join('+');
    const parts = [
        `nix-ferry-store-${shape}-${systems}`,
        digest(lock ?? ''),
        digest(...hosts.map(host => host.name).sort()),
        digest(...hosts.map(host => host.drvPath).sort()),
    ];
    const upTo = (count) => `${parts.slice(0, count).join('-')}-`;
    return { key: parts.join('-'), prefixes: [upTo(3), upTo(2), upTo(1)] };
}
/**
 * An empty cache in the port's directory, so that Nix may be told of it before anything is restored. Its folders are made
 * here, because the daemon would make those it misses, as root's.
 */
async function emptyStoreCache(directory) {
    await (0,promises_.rm)(directory, { recursive: true, force: true });
    await (0,promises_.mkdir)((0,external_node_path_.join)(directory, 'nar'), { recursive: true });
    await (0,promises_.mkdir)((0,external_node_path_.join)(directory, 'realisations'));
    await describe(directory);
}
/** Asked before the caches of the network, whose priorities are 30 to 50. */
function describe(directory) {
    return (0,promises_.writeFile)((0,external_node_path_.join)(directory, 'nix-cache-info'), 'StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 10\n');
}
/**
 * Brings the entry back, and takes out of it what no key of `trustedKeys` signed. What is left Nix checks again when it
 * uses it. Never throws: trouble is a warning, and the cache is then empty.
 *
 * @returns the key of the entry; null when there is none that can be used.
 */
async function restoreStoreCache(port, fleet, trustedKeys, installation, context) {
    const { key, prefixes } = storeCacheKeys(fleet);
    try {
        await emptyStoreCache(port.directory);
        const found = await port.restore(key, prefixes);
        if (found === null) {
            context.log.info('The store cache gives no entry for this fleet.');
            return null;
        }
        await describe(port.directory);
        const entries = await verified(port.directory, trustedKeys, installation, context);
        context.log.info(`Restored ${entries} paths from the store cache, ${found}.`);
        return entries === 0 ? null : found;
    }
    catch (error) {
        context.log.warning(`The store cache is not used: ${(0,errors/* explain */.WE)(error)}`);
        await emptyStoreCache(port.directory).catch(() => undefined);
        return null;
    }
}
/** How many entries are signed as they should be; the others are removed. */
async function verified(directory, trustedKeys, installation, context) {
    const names = (await (0,promises_.readdir)(directory)).filter(name => name.endsWith('.narinfo'));
    if (names.length === 0)
        return 0;
    const nix = new src_nix/* Nix */.a(context.exec, installation);
    const untrusted = new Set();
    const keys = ['--option', 'trusted-public-keys', trustedKeys.join(' ')];
    // Bits of the exit code: 1 damaged, 2 untrusted, 4 failed (nix store verify).
    await nix.run('nix', ['store', 'verify', '--all', '--no-contents', '--sigs-needed', '1', ...keys, '--store', `file://${directory}`], {
        allow: [0, 2],
        signal: context.signal,
        onStderr: line => {
            const path = /path '([^']+)' is untrusted/.exec(line)?.[1];
            if (path !== undefined)
                untrusted.add((0,pack/* narInfoName */.Dt)(path));
        },
    });
    if (untrusted.size > 0) {
        context.log.warning(`The store cache holds ${untrusted.size} paths without a signature that is trusted here: they are ignored.`);
        await Promise.all([...untrusted].map(name => (0,promises_.rm)((0,external_node_path_.join)(directory, name))));
    }
    return names.length - untrusted.size;
}
/**
 * Saves what was built and no public cache has: of the toplevels' closures, and of all that was built on the way to
 * them; nothing where the entry that was restored holds it all. Never throws: trouble is a warning.
 *
 * @param toplevels store paths that were built.
 */
async function writeStoreCache(port, fleet, toplevels, signingKey, installation, context) {
    const nix = new src_nix/* Nix */.a(context.exec, installation);
    const { key } = storeCacheKeys(fleet);
    try {
        const own = (await (0,sign/* publicKeyOf */.k)(signingKey, nix)).split(':')[0] ?? '';
        const outputs = await builtOutputs(fleet, nix);
        const infos = await inParts([...new Set([...toplevels, ...outputs])], paths => nix.closure(paths));
        const closure = new Map(infos.map(info => [info.path, info]));
        const lacking = [...closure.values()].filter(info => !isPublic(info, own));
        const kept = new Set(await (0,promises_.readdir)(port.directory).catch(() => []));
        if (lacking.every(info => kept.has((0,pack/* narInfoName */.Dt)(info.path)))) {
            context.log.info('Nothing was built that the store cache has not.');
            return;
        }
        const directory = (0,external_node_path_.join)(context.scratch, 'store-cache');
        await (0,pack/* pack */.qq)(lacking, closure, directory, nix, context);
        const paths = lacking.map(info => info.path);
        await (0,sign/* signPaths */.s)(directory, paths, signingKey, nix, context);
        await describe(directory);
        // The port's directory is part of what identifies the entry.
        await (0,promises_.rm)(port.directory, { recursive: true, force: true });
        await (0,promises_.rename)(directory, port.directory);
        if (await port.save(key))
            context.log.info(`Saved ${lacking.length} paths in the store cache, ${key}.`);
        else
            context.log.warning(`The store cache is not saved. If it has an entry already: \`gh cache delete ${key}\`.`);
    }
    catch (error) {
        if (!context.signal.aborted)
            context.log.warning(`The store cache is not saved: ${(0,errors/* explain */.WE)(error)}`);
    }
}
/** Whether a public cache has it: then it carries that cache's signature. Ours is none. */
function isPublic(info, own) {
    return info.signatures.some(signature => !signature.startsWith(`${own}:`));
}
/** What is here of the outputs of all derivations that the fleet is made of. */
async function builtOutputs(fleet, nix) {
    const query = async (words, paths) => {
        const { stdout } = await nix.run('nix-store', ['--query', ...words, ...paths]);
        return stdout.split('\n').filter(path => path !== '');
    };
    const toplevels = fleet.hosts.map(host => host.drvPath);
    const drvPaths = (await query(['--requisites'], toplevels)).filter(path => path.endsWith('.drv'));
    const outputs = await inParts(drvPaths, paths => query(['--outputs'], paths));
    return inParts(outputs, async (paths) => [...(await nix.valid(paths))]);
}
/** An argument list takes 2 MiB at most. */
async function inParts(all, ask) {
    const answers = [];
    for (let at = 0; at < all.length; at += 2_000)
        answers.push(...(await ask(all.slice(at, at + 2_000))));
    return answers;
}

;// CONCATENATED MODULE: ./src/setup/index.ts






















/**
 * Finds or installs Nix, gives it the settings, starts a daemon of this run, proves that builds are isolated and that the
 * remote builders build.
 *
 * @throws UserError for a wrong input, before anything is changed; and when Nix cannot be had, or not with a sandbox.
 */
async function setup(config, context, ports) {
    parseVersion(config.nixVersion);
    const conf = parseNixConf(config.nixConf, null);
    const builders = config.builders === null ? [] : parseBuilders(config.builders);
    const machine = await machineNix(config, context, ports);
    if (machine !== null) {
        context.log.info(`Nix ${machine.found.version} of ${machine.found.bin}, the machine's own; its sandbox is proven.`);
        const settings = { extraPlatforms: [], substituters: [], trustedPublicKeys: [], builders: false, nixConf: '' };
        return { ...machine, run: null, config, settings, builders };
    }
    const run = newRun(ports);
    const prepared = prepare(run, config, conf, builders, context);
    const users = asRoot(context, run, 'users', [String((0,external_node_os_.availableParallelism)())]);
    const [found] = await Promise.all([findOrInstall(run, prepared, config, context), prepared, users]);
    const nix = {
        bin: found.bin,
        version: found.version,
        env: {
            NIX_REMOTE: `unix://${socketOf(run)}`,
            NIX_CONF_DIR: (0,external_node_path_.join)(run.directory, 'client'),
            ...(found.certificates === undefined ? {} : { NIX_SSL_CERT_FILE: found.certificates }),
        },
    };
    const [cache] = await Promise.all([storeCache(config, conf, nix, ports, context), checkNames(config, nix, context)]);
    const settings = {
        extraPlatforms: [],
        substituters: cache.directory === null ? [] : [`file://${cache.directory}`],
        trustedPublicKeys: cache.keys,
        builders: builders.length > 0,
        nixConf: conf.daemon,
    };
    await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
    context.log.debug(`Nix ${found.version} answers.`);
    await Promise.all([
        proveSandbox(localSystem(), run, nix, context),
        builders.length === 0 ? null : checkBuilders(run, builders, found, config.environment, context),
    ]);
    context.log.info(`Nix ${found.version} of ${found.bin}, with a proven sandbox.`);
    if (ports.publish !== undefined) {
        ports.publish.addPath(found.bin);
        for (const [name, value] of Object.entries(nix.env))
            ports.publish.exportVariable(name, value);
    }
    return { nix, run, found, config, settings, builders };
}
/** What must be there before the daemon starts, and needs no Nix. */
async function prepare(run, config, conf, builders, context) {
    const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    await asRoot(context, run, 'prepare', [String(user), String(group)]);
    await (0,promises_.writeFile)((0,external_node_path_.join)(run.directory, 'client/nix.conf'), clientConf(run));
    if (config.githubToken !== null)
        context.log.secret(config.githubToken);
    if (config.githubToken !== null || conf.client !== '') {
        await (0,promises_.writeFile)(tokensFile(run), tokensConf(config.githubToken, conf.client), { mode: 0o600 });
    }
    if (builders.length > 0)
        await writeBuilders(run, builders, context);
}
/** @throws UserError for a setting in `nix-conf` that this Nix does not know. */
async function checkNames(config, nix, context) {
    if (config.nixConf.trim() === '')
        return;
    // The settings of the run are not there yet.
    const bare = { ...nix, env: { NIX_CONF_DIR: '/var/empty' } };
    parseNixConf(config.nixConf, await settingNames(bare, context));
}
/** Where the store cache is, and whose signatures count in it. */
async function storeCache(config, conf, nix, ports, context) {
    if (ports.cache === undefined || config.cache === 'never')
        return { directory: null, keys: [] };
    const signingKey = config.signingKey ?? null;
    const bare = { ...nix, env: { NIX_CONF_DIR: '/var/empty' } };
    const own = signingKey === null ? [] : [await (0,sign/* publicKeyOf */.k)(signingKey, new src_nix/* Nix */.a(context.exec, bare))];
    if (own.length + conf.trustedPublicKeys.length === 0) {
        context.log.info('The store cache needs `signing-key`, so that nobody else can put anything into it: not used.');
        return { directory: null, keys: [] };
    }
    await emptyStoreCache(ports.cache.directory);
    return { directory: ports.cache.directory, keys: own };
}
/**
 * After evaluation: makes sure that what must be built can be, and is not built again. A dry run tells what must be
 * built; where that is something, the store cache is restored; and where a derivation of a system that neither this
 * machine nor a remote builder has is still to be built, its emulation is registered, proven, and Nix told.
 *
 * @throws UserError when `emulate` is `never` and something would have to be emulated, or when emulation fails.
 */
async function prepareSystems(setUp, fleet, context, ports) {
    const { config, nix, settings } = setUp;
    const drvPaths = fleet.hosts.map(host => host.drvPath);
    const foreign = fleet.hosts.filter(host => host.system !== localSystem());
    const cache = settings.substituters.length > 0 ? ports.cache : undefined;
    if (drvPaths.length === 0 || (foreign.length === 0 && cache === undefined))
        return setUp;
    const asked = config.emulate !== 'always' || cache !== undefined;
    let toBuild = asked ? await mustBuild(drvPaths, nix, context) : [];
    if (toBuild.length > 0 && cache !== undefined) {
        const keys = [...settings.trustedPublicKeys, ...parseNixConf(config.nixConf, null).trustedPublicKeys];
        const restored = await restoreStoreCache(cache, fleet, keys, nix, context);
        if (restored !== null && foreign.length > 0)
            toBuild = await mustBuild(drvPaths, nix, context);
    }
    if (foreign.length === 0)
        return setUp;
    const needed = new Map();
    if (config.emulate === 'always') {
        for (const { system, drvPath } of foreign)
            needed.set(system, [...(needed.get(system) ?? []), drvPath]);
    }
    for (const [drvPath, system] of await systemsOf(toBuild, nix, context)) {
        needed.set(system, [...(needed.get(system) ?? []), drvPath]);
    }
    const remote = setUp.builders.flatMap(builder => builder.systems);
    for (const system of [...(await ownSystems(nix, context)), ...remote, 'builtin'])
        needed.delete(system);
    if (needed.size === 0)
        return setUp;
    if (config.emulate === 'never')
        throw wouldEmulate(needed);
    const own = await ownDaemon(setUp, context, ports);
    return { ...own, settings: await emulate([...needed.keys()], own, context) };
}
/**
 * Where nothing is evaluated to tell what is needed (the set-up as a step of its own, with `emulate: always`): emulates
 * the other one of the two systems that runners come in.
 *
 * @throws UserError when emulation fails.
 */
async function emulateOther(setUp, context, ports) {
    const other = localSystem() === 'x86_64-linux' ? 'aarch64-linux' : 'x86_64-linux';
    if ((await ownSystems(setUp.nix, context)).has(other))
        return setUp;
    const own = await ownDaemon(setUp, context, ports);
    return { ...own, settings: await emulate([other], own, context) };
}
/** A set-up whose daemon can be told what it may build: the machine's own Nix cannot. */
async function ownDaemon(setUp, context, ports) {
    const { run, ...own } = setUp.run === null ? await setup({ ...setUp.config, daemon: 'own' }, context, ports) : setUp;
    if (run === null)
        throw new Error('a set-up with a daemon of its own has a run');
    return { ...own, run };
}
/** After the build: keeps what was built for later runs, where this run may. Never throws. */
async function saveStoreCache(setUp, fleet, toplevels, context, ports) {
    const signingKey = setUp.config.signingKey ?? null;
    if (ports.cache === undefined || setUp.settings.substituters.length === 0 || toplevels.length === 0)
        return;
    if (signingKey === null)
        return;
    if (!ports.cache.trusted) {
        context.log.info('The store cache is not saved: what this run builds must not reach others.');
        return;
    }
    await writeStoreCache(ports.cache, fleet, toplevels, signingKey, setUp.nix, context);
}
function wouldEmulate(needed) {
    const described = [...needed].map(([system, drvPaths]) => {
        const names = drvPaths.slice(0, 10).map(path => path.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, ''));
        const more = drvPaths.length > 10 ? ` and ${drvPaths.length - 10} more` : '';
        return `${drvPaths.length} of ${system}: ${names.join(', ')}${more}`;
    });
    const message = `\`emulate\` is never, and derivations of another system must be built: ${described.join('; ')}.`;
    throw new errors/* UserError */.yo(message, {
        where: { input: 'emulate' },
        cure: 'Run the job on a runner of that system (ubuntu-24.04-arm for aarch64-linux), name a remote builder in `builders`, ' +
            'use a cache that has them, or write `emulate: auto`.',
    });
}


/***/ })

};
