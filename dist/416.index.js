export const id = 416;
export const ids = [416];
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

/***/ 81532:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   X: () => (/* binding */ mapConcurrently)
/* harmony export */ });
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

/***/ 20649:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  L: () => (/* binding */ checkKeys),
  VJ: () => (/* binding */ checkTargets),
  gg: () => (/* binding */ deploy),
  dC: () => (/* reexport */ deploymentsOfArchives),
  OL: () => (/* reexport */ deploymentsOfBuilt),
  Bu: () => (/* reexport */ endLeftSession),
  _r: () => (/* reexport */ outcomesOfUnbuilt)
});

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/plan/fleet.ts
/** Whether the target is the machine that the deployment runs on. */
function isLocal({ address }) {
    return address === 'local';
}
/** Where HTTP checks go that have no host of their own. */
function webAddress(target) {
    return isLocal(target) ? 'localhost' : target.address;
}

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
;// CONCATENATED MODULE: ./src/deploy/http-check.ts




/** Redirections that are followed, as by Go's client, which morph uses. */
const mostRedirects = 10;
/**
 * Repeats the checks, all at once and each with its own period, until every one has passed.
 *
 * @param address where checks without a host of their own go.
 * @param limit seconds for all of them together.
 * @returns why one of them never passed, in words; null if all passed.
 */
async function untilHealthy(checks, address, limit, signal) {
    const end = Date.now() + limit * 1000;
    const failures = await Promise.all(checks.map(async (check) => {
        for (;;) {
            const left = end - Date.now();
            const failure = await failureOf(check, address, Math.max(left, 1), signal);
            if (failure === null)
                return null;
            if (signal.aborted || Date.now() + check.period * 1000 >= end) {
                return `the health check "${nameOf(check)}" failed for ${limit} s: ${failure}`;
            }
            await (0,promises_.setTimeout)(check.period * 1000, undefined, { signal }).catch(() => undefined);
        }
    }));
    return failures.find(failure => failure !== null) ?? null;
}
/** Does each check once. @returns why the first of those that failed did not pass; null if all passed. */
async function failedOnce(checks, address, signal) {
    const failures = await Promise.all(checks.map(async (check) => {
        const failure = await failureOf(check, address, Number.POSITIVE_INFINITY, signal);
        return failure === null ? null : `the pre-deploy check "${nameOf(check)}" failed: ${failure}`;
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
        const answered = (answer) => {
            answer.resume();
            resolve({ status: answer.statusCode ?? 0, location: answer.headers.location });
        };
        const call = url.protocol === 'https:'
            ? (0,external_node_https_.request)(url, { headers, signal, agent: false, rejectUnauthorized: !insecureSSL }, answered)
            : (0,external_node_http_.request)(url, { headers, signal, agent: false }, answered);
        call.on('error', reject).end();
    });
}

// EXTERNAL MODULE: ./src/activation-script.ts
var activation_script = __webpack_require__(28299);
;// CONCATENATED MODULE: ./src/deploy/reply.ts
/** Collects a reply from lines of standard output. */
function replyReader({ onLog, onPhase } = {}) {
    const reply = { values: new Map(), log: [] };
    const read = (line) => {
        if (line.startsWith(': ')) {
            reply.log.push(line.slice(2));
            onLog?.(line.slice(2));
            return;
        }
        // A target may print a greeting in every session. It contains no known key.
        const at = line.indexOf('=');
        if (at <= 0)
            return;
        const [key, value] = [line.slice(0, at), line.slice(at + 1)];
        // A status has a key of that name too.
        if (key === 'phase' && !reply.values.has('result'))
            onPhase?.(value);
        reply.values.set(key, value);
    };
    return { reply, read };
}

;// CONCATENATED MODULE: ./src/deploy/remote.ts


let script;
/**
 * Calls a verb of the activation script on a target; `target/activation/main.sh` lists them. The script is sent over
 * standard input.
 *
 * @throws CommandError when the connection or the script fails.
 */
async function call(remote, verb, args, { privileged = false, fresh = false, onLog, onPhase, ...options } = {}) {
    script ??= (0,activation_script/* activationScript */.s)();
    const escalation = privileged ? escalationOf(remote.target) : [];
    const { reply, read } = replyReader({ onLog, onPhase });
    const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
    const more = { ...options, fresh, onStdout: read, input: script };
    await remote.session.ssh(remote.alias, words.map(quote).join(' '), more);
    return reply;
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

// EXTERNAL MODULE: external "node:fs/promises"
var external_node_fs_promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
;// CONCATENATED MODULE: ./src/deploy/agent.ts




// When ssh-agent is given a command, it ends within 10 s after that command (ssh-agent(1)). This command ends with the
// process whose id it is given, so the key is gone even if Nix Ferry is killed with SIGKILL.
const followParent = 'echo "$SSH_AGENT_PID"; while kill -0 "$1" 2>/dev/null; do sleep 1 >&- 2>&-; done';
/**
 * Starts an ssh-agent with its socket in `directory` and passes it `key` over standard input: the key is never on disk and
 * never passed as an argument.
 *
 * @throws UserError when ssh-add does not accept the key.
 */
async function startAgent(key, directory, context) {
    const socket = (0,external_node_path_.join)(directory, 'agent');
    const { pid, stop } = await launch(socket, context);
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
async function launch(socket, context) {
    const stopped = new AbortController();
    let started = () => undefined;
    const announced = new Promise(resolve => {
        started = resolve;
    });
    const command = context
        .exec('ssh-agent', ['-a', socket, 'sh', '-c', followParent, 'sh', String(process.pid)], {
        onStdout: line => started(Number(line)),
        signal: stopped.signal,
    })
        .then(() => null)
        .catch((error) => error)
        .finally(() => started(0));
    const pid = await announced;
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
        await (0,promises_.setTimeout)(5);
}
/** False also for a process that has ended but that its parent has not waited for: it has no command line. */
async function isRunning(pid) {
    try {
        process.kill(pid, 0);
    }
    catch {
        return false;
    }
    return (await (0,external_node_fs_promises_.readFile)(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'unknown')) !== '';
}

// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
;// CONCATENATED MODULE: ./src/deploy/known-hosts.ts


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
    return new errors/* UserError */.yo('No host keys are pinned, so Nix Ferry cannot verify that it connects to the right machines.', {
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
    const missing = await (0,concurrency/* mapConcurrently */.X)(targets, 8, async (aliased) => {
        const stdout = await settings(aliased, config, query);
        const setting = (key) => new RegExp(`^${key} (.*)$`, 'm').exec(stdout)?.[1];
        const port = setting('port') ?? '22';
        const address = setting('hostname') ?? aliased.target.address;
        const name = setting('hostkeyalias') ?? (port === '22' ? address : `[${address}]:${port}`);
        const { code } = await query('ssh-keygen', ['-F', name, '-f', knownHosts], { allow: [0, 1] });
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
/** The options that ssh will use for a target: lines of a key and a value. */
async function settings({ alias, host, target }, config, query) {
    try {
        return (await query('ssh', ['-F', config, '-G', alias])).stdout;
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.code !== 255)
            throw error;
        const printed = error.stderr.trim().replaceAll(`${config}: `, '').replaceAll(`${config} `, '');
        throw new errors/* UserError */.yo(`Host ${host}: SSH does not accept its options (${target.sshOptions.join(' ')}): ${printed}`, {
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
    return new errors/* UserError */.yo(`The known-hosts text ${what}.`, {
        where: { input: 'known-hosts' },
        cure: `${cure}Write each line as \`ssh-keyscan -t ed25519 <address>\` prints it: address, key type, key.`,
    });
}

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
    const disconnect = () => Promise.all(targets.map(({ alias }) => endMaster(config, alias, context.exec)));
    const close = async () => {
        await disconnect();
        await agent?.end();
        await (0,external_node_fs_promises_.rm)(directory, { recursive: true, force: true });
        await (0,external_node_fs_promises_.rm)((0,external_node_path_.join)(context.scratch, record), { force: true });
    };
    try {
        if (key !== null)
            agent = await startAgent(key, directory, context);
        await (0,external_node_fs_promises_.writeFile)((0,external_node_path_.join)(context.scratch, record), JSON.stringify({ directory, agent: agent?.pid ?? null }));
        await writeSessionFiles(directory, targets, agent?.socket ?? null, knownHosts, context);
    }
    catch (error) {
        await close();
        throw explainMissingProgram(error);
    }
    return {
        sshOptions: `-F ${config}`,
        publicKey: agent?.publicKey ?? null,
        ssh: (alias, command, { fresh = false, ...options } = {}) => context.exec('ssh', ['-F', config, ...(fresh ? alone : []), '-T', alias, command], options),
        disconnect: alias => endMaster(config, alias, context.exec),
        close,
    };
}
/** Writes ssh's files, then checks that each target has a pinned host key. */
async function writeSessionFiles(directory, targets, agent, pinned, { query, log }) {
    const [config = '', knownHosts = '', control = ''] = ['config', 'known_hosts', 'c'].map(name => (0,external_node_path_.join)(directory, name));
    await (0,external_node_fs_promises_.mkdir)(control, { mode: 0o700 });
    if (pinned === null) {
        const own = await Promise.all(targets.map(target => withOwnOptions(target, query)));
        await (0,external_node_fs_promises_.writeFile)(config, renderSshConfig(own, { agent, knownHosts: null, control }, log.warning));
        return;
    }
    await (0,external_node_fs_promises_.writeFile)(knownHosts, pinned);
    await (0,external_node_fs_promises_.writeFile)(config, renderSshConfig(targets, { agent, knownHosts, control }, log.warning));
    await checkHostKeys(targets, config, knownHosts, query);
}
/** With what the user's own ssh_config says about the address, which may be a name from there. */
async function withOwnOptions(aliased, query) {
    const { stdout } = await query('ssh', ['-G', '--', hostName(aliased.target.address, aliased.host)]);
    return { ...aliased, own: ownOptions(stdout) };
}
/** The session of targets that are this machine: commands are run without SSH. */
function localSession({ exec }) {
    return {
        sshOptions: '',
        publicKey: null,
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
        left = JSON.parse(await (0,external_node_fs_promises_.readFile)((0,external_node_path_.join)(scratch, record), 'utf8'));
    }
    catch {
        return;
    }
    const config = (0,external_node_path_.join)(left.directory, 'config');
    const aliases = await (0,external_node_fs_promises_.readdir)((0,external_node_path_.join)(left.directory, 'c')).catch(() => []);
    await Promise.all(aliases.map(alias => endMaster(config, alias, exec)));
    if (left.agent !== null) {
        // The number may belong to another process by now.
        const name = await (0,external_node_fs_promises_.readFile)(`/proc/${left.agent}/comm`, 'utf8').catch(() => '');
        if (name.trim() === 'ssh-agent')
            await endAgent(left.agent);
    }
    await (0,external_node_fs_promises_.rm)(left.directory, { recursive: true, force: true });
    await (0,external_node_fs_promises_.rm)((0,external_node_path_.join)(scratch, record), { force: true });
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
    return (0,external_node_fs_promises_.mkdtemp)((0,external_node_path_.join)(parent, 'ssh-'));
}
/** True when ssh itself failed, not the command that it ran (ssh(1), EXIT STATUS). */
function isConnectionError(error) {
    return error instanceof errors/* CommandError */.Qd && error.code === 255;
}

;// CONCATENATED MODULE: ./src/deploy/probe.ts


/**
 * Connects to a target for the first time and reads its state.
 *
 * @returns null when the reply is not that of the script.
 * @throws CommandError when there is no connection.
 */
async function probeTarget(remote, context) {
    const words = escalationOf(remote.target);
    const options = { timeout: 60_000, signal: context.signal };
    try {
        return readProbe(await call(remote, 'probe', words, options));
    }
    catch (error) {
        // While ssh opens a connection that is to be shared, it discards what its jump host prints.
        if (!isConnectionError(error) || error.stderr.trim() !== '' || context.signal.aborted)
            throw error;
        return readProbe(await call(remote, 'probe', words, { ...options, fresh: true }));
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
    const proof = deployment.target !== null && isLocal(deployment.target) ? 0 : config.confirmTimeout;
    return proof + (deployment.healthChecks.http.length > 0 ? config.healthTimeout : 0);
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
        ...commands('check', deployment.preDeployChecks.cmd),
        ...commands('health', deployment.healthChecks.cmd),
    };
    return Object.entries(spec).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]));
}
function commands(kind, checks) {
    const entries = checks.flatMap(({ description, cmd, period, timeout }, index) => {
        const key = `${kind}-${index + 1}`;
        return [
            // As morph passes them to ssh: a shell on the target reads the words again.
            [`${key}.command`, cmd.join(' ')],
            [`${key}.description`, description],
            [`${key}.timeout`, timeout],
            ...(kind === 'health' ? [[`${key}.period`, period]] : []),
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
        return untilHealthy(deployment.healthChecks.http, webAddress(remote.target), config.healthTimeout, this.#ended.signal);
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
        const end = Date.now() + confirmationTime(this.#job) * 1000;
        while (Date.now() < end && !this.#ended.signal.aborted && !(await this.#attempt())) {
            await (0,promises_.setTimeout)(pauseAfter(this.#obstacle), undefined, { signal: this.#ended.signal }).catch(() => undefined);
        }
    }
    /** Whether the target has answered. */
    async #attempt() {
        const options = { privileged: true, fresh: true, timeout: attemptTime, signal: this.#ended.signal };
        try {
            const { values } = await call(this.#job.remote, 'confirm', [this.#id, this.#nonce], options);
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
        const reply = await call(remote, 'reject', [id, reason], options).catch(() => null);
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
    return reason instanceof Error && reason.name === 'TimeoutError' ? 'Stopped by `host-timeout`' : 'Cancelled';
}

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
        failedUnits: units('failed-units'),
        missingUnits: units('missing-units'),
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
/**
 * Starts the activation on the target, follows it until it ends, over as many connections as that takes, and confirms it.
 * If the run is cancelled, an activation that has changed nothing yet is ended, and any other is followed to its end.
 *
 * @throws CommandError when the activation script cannot be run on the target.
 */
async function activate(job, probe) {
    const id = `${Date.now().toString(36)}-${(0,external_node_crypto_.randomBytes)(4).toString('hex')}`;
    const nonce = (0,external_node_crypto_.randomBytes)(16).toString('hex');
    const confirmation = new Confirmation(job, id, nonce);
    const following = new Following(job, id, confirmation);
    const cancel = () => following.cancel();
    job.context.signal.addEventListener('abort', cancel, { once: true });
    try {
        const end = await following.toEnd(specOf(job, probe, nonce));
        return { end, log: following.log, obstacle: confirmation.obstacle };
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
    /** When the connection was cut, in milliseconds; null while there is one. */
    #cut = null;
    constructor(job, id, confirmation) {
        this.#job = job;
        this.#id = id;
        this.#confirmation = confirmation;
    }
    cancel() {
        if (!early.includes(this.#phase))
            return;
        void reject(this.#job, this.#id, whyAborted(this.#job.context.signal).toLowerCase());
    }
    async toEnd(spec) {
        let failure = await this.#try('run', [this.#id, ...spec]);
        while (failure instanceof errors/* CommandError */.Qd) {
            this.#cut ??= Date.now();
            if (Date.now() - this.#cut > this.#patience())
                return { kind: 'unreachable', error: failure };
            showProgress(this.#job, 'the connection was lost, reconnecting');
            await (0,promises_.setTimeout)(pauseAfter(failure.stderr));
            failure = await this.#try('watch', [this.#id, String(this.log.length)]);
        }
        const reply = failure;
        const end = await this.#endOf(reply);
        // The status is read, so the target can forget the activation.
        if (end.kind !== 'not-started')
            await this.#call('finish', [this.#id], 30_000).catch(() => undefined);
        return end;
    }
    /** Milliseconds for which it is tried to reach the target after a cut: until it must have gone back by itself. */
    #patience() {
        return (confirmationTime(this.#job) + timeToGoBack) * 1000;
    }
    /** Calls a verb that follows the activation. @returns the reply, or the error if the connection was cut. */
    async #try(verb, args) {
        try {
            const reply = await this.#call(verb, args);
            return reply.values.has('end')
                ? reply
                : new errors/* CommandError */.Qd(['ssh'], { kind: 'exit', code: 255 }, 'the reply was cut');
        }
        catch (error) {
            const begun = verb === 'watch' || this.#phase !== '' || this.log.length > 0;
            if (!(error instanceof errors/* CommandError */.Qd) || !(begun || isConnectionError(error)))
                throw error;
            return error;
        }
    }
    #call(verb, args, timeout) {
        return call(this.#job.remote, verb, args, {
            privileged: true,
            fresh: this.#cut !== null,
            onLog: line => this.#onLog(line),
            onPhase: phase => this.#onPhase(phase),
            ...(timeout === undefined ? {} : { timeout }),
        });
    }
    #onLog(line) {
        // Each cut has a time of its own, but the next connection is a new one again.
        if (this.#cut !== null)
            this.#cut = Date.now();
        this.log.push(line);
        this.#job.context.log.debug(`${this.#job.deployment.host}: ${line}`);
        showProgress(this.#job, line);
    }
    #onPhase(phase) {
        if (this.#cut !== null)
            this.#cut = Date.now();
        this.#phase = phase;
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
        return { kind: 'lost', settled: await this.#call('settle', [], 300_000).catch(() => null) };
    }
}

;// CONCATENATED MODULE: ./src/deploy/copy.ts


/**
 * Copies the closure to the target's store. Paths that are already there are not sent.
 *
 * The signatures of the paths are not checked: they come over an authenticated connection, from a store whose content was
 * just built or verified against the archive's manifest. Nix on the target allows that to trusted users only (nix.conf(5),
 * trusted-users); for any other user its daemon is started with the privilege escalation.
 *
 * @param onProgress called with a few words for each path that is started.
 * @throws CommandError
 */
async function copyClosure({ deployment, remote, nix, context }, probe, onProgress) {
    // This machine's store, where it was built.
    if (isLocal(remote.target) && deployment.closure.from === 'store')
        return;
    await nix.run('nix', copyArguments(deployment, remote, probe), {
        env: { ...nix.environment(), NIX_SSHOPTS: remote.session.sshOptions },
        signal: context.signal,
        onStderr: countPaths(onProgress),
    });
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
function copyArguments({ toplevel, closure }, { alias, target }, { trusted }) {
    const escalation = trusted === true ? [] : escalationOf(target);
    const program = escalation.length === 0 ? '' : `?remote-program=${encodeURIComponent([...escalation, 'nix-daemon'].join(' '))}`;
    return [
        'copy',
        '--no-check-sigs',
        ...(target.substituteOnDestination ? ['--substitute-on-destination'] : []),
        ...(closure.from === 'archive' ? ['--from', `file://${closure.directory}`] : []),
        ...(isLocal(target) ? [] : ['--to', `ssh-ng://${alias}${program}`]),
        toplevel,
    ];
}

// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
;// CONCATENATED MODULE: ./src/deploy/phase.ts
/** The phases of a host's deployment on the runner's side, in order; a dry run has `predict` in place of `activate`. */
const phases = {
    probe: { doing: 'connecting to the target', continuesAlone: false },
    copy: { doing: 'copying the closure', continuesAlone: false },
    predict: { doing: 'checking what would change', continuesAlone: false },
    activate: { doing: 'activating', continuesAlone: true },
};

;// CONCATENATED MODULE: ./src/deploy/failure.ts


/**
 * What a failed connection means, from what ssh printed.
 *
 * @param publicKey the public half of the deploy key; null when the user's own keys are used.
 */
function connectionFailure({ stderr }, { address, port, user }, phase, publicKey) {
    const printed = stderr.trim().split('\n').at(-1) ?? '';
    const where = port === null ? address : `${address} port ${port}`;
    const { doing, continuesAlone } = phases[phase];
    // Whatever ssh says: something may have changed.
    if (continuesAlone) {
        const message = `The connection was lost while ${doing}, and ${where} could not be reached again; the target continues by itself. (${printed})`;
        return { outcome: 'failed', message };
    }
    const unpinned = /No \S+ host key is known for (\S+)/.exec(stderr)?.[1];
    if (unpinned === address || unpinned === `[${address}]:${port}`) {
        const message = `No host key of ${where} is known: connect to it once with \`ssh\`, or give \`known-hosts\`.`;
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
    if (/No space left on device/.test(why)) {
        const left = free === null ? '' : ` (${(0,amounts/* size */.Ej)(free)} were free)`;
        const message = `The target's disk is full${left}: delete old generations there (\`nix-collect-garbage --delete-older-than 30d\`). ${why}`;
        return { outcome: 'failed', message };
    }
    if (/lacks a (valid )?signature|not trusted|you are not privileged|not allowed to/i.test(why)) {
        const message = `Nix on the target does not accept unsigned paths from ${user}: add the user to \`nix.settings.trusted-users\` there, or ` +
            `sign with \`signing-key\` and add its public key to \`nix.settings.trusted-public-keys\` there. ${why}`;
        return { outcome: 'refused', message };
    }
    if (connectionLost.test(why)) {
        const message = `The connection to ${address} was lost while copying the closure. Run again to continue where it stopped. ${why}`;
        return { outcome: 'unreachable', message };
    }
    return { outcome: 'failed', message: `The closure could not be copied. ${why}` };
}

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
/** An error of its own: "Error: Failed to parse systemd unit file …", then its causes, indented. */
function ownError(lines) {
    const at = indexOf(lines, /^Error: /);
    if (at === -1)
        return null;
    const causes = lines.slice(at + 1).filter(line => /^\s+\S/.test(line));
    const text = (lines[at] ?? '').replace(/^Error: /, '');
    return [text, ...causes.map(cause => cause.trim().replace(/^\d+: /, ''))].join(': ');
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
            return { outcome: 'failed', message: `${sentence(reason(evidence))} ${stuck(status)}` };
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
    const loader = boot === null ? 'the default of its boot loader cannot be read' : `its boot loader starts ${boot}`;
    return `it runs ${current ?? 'no NixOS system'}, its profile points to ${profile ?? 'nothing'}, and ${loader}.`;
}
function planned({ code }) {
    const reboot = code === 100 ? ' A reboot would be needed: its init interface is another one.' : '';
    return { outcome: 'planned', message: `This is what would change.${reboot} Nothing was changed.` };
}
const achieved = {
    none: '',
    'dry-activate': '',
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
    if (failed === null)
        return { outcome: 'deployed', message: achieved[mode] };
    if (failedUnits === 'ignore')
        return { outcome: 'deployed', message: `${achieved[mode]} Ignored: ${failed}.` };
    return { outcome: 'degraded', message: `The system was switched, but ${failed}.` };
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
    const { phase, why } = status;
    if (phase === 'lock' && why.startsWith('another activation'))
        return `${why}. Run again when it has ended`;
    // A rejection is in the runner's own words already.
    if (phase === 'confirm' && obstacle !== null && !why.startsWith('rejected'))
        return `${why}: ${obstacle}`;
    if (phase !== 'activate' && phase !== 'commit')
        return why;
    if (status.code === 100)
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
/** The target could not take everything back: what is wrong, and what is true. */
function stuck({ why, now }) {
    const problem = /(?:^|; )going back: (.*)$/.exec(why)?.[1];
    const failed = problem === undefined ? '' : `The target could not go back wholly: ${problem}. `;
    const facts = factsSentence(now);
    return `${failed}Now ${facts}`;
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
;// CONCATENATED MODULE: ./src/deploy/host.ts















const keptLog = 16 * 1024;
/** Deploys to one host. Never throws: whatever happens is an outcome. */
async function deployHost(job) {
    const started = performance.now();
    const state = { phase: 'probe', before: null, after: null };
    const ended = await runPhases(job, state).catch((error) => host_failureOf(error, job, state));
    const ending = skippedIfOffline(ended, job, state);
    return {
        host: job.deployment.host,
        mode: job.config.mode,
        before: state.before,
        after: state.after,
        units: (0,deploy_units/* noUnits */.JE)(),
        others: [],
        ...ending,
        seconds: (performance.now() - started) / 1000,
    };
}
/** A target that was not reached at all may be skipped; one that was lost later may not. */
function skippedIfOffline(ending, { config, deployment, context }, { phase }) {
    if (ending.outcome !== 'unreachable' || phase !== 'probe' || config.offline === 'fail')
        return ending;
    context.log.warning(`${deployment.host} is skipped. ${ending.message}`, { host: deployment.host });
    return { ...ending, outcome: 'skipped' };
}
/** The phases in order, until one of them decides the outcome. */
async function runPhases(job, state) {
    const ready = await endedByCancel(job, () => prepare(job, state));
    if ('outcome' in ready)
        return ready;
    enter(job.config.mode === 'dry-activate' ? 'predict' : 'activate', job, state);
    return activateAndJudge(job, ready, state);
}
/** Everything before the activation. @returns the probe if the closure is on the target and may be activated. */
async function prepare(job, state) {
    enter('probe', job, state);
    const probe = await probeTarget(job.remote, job.context);
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
    if (isUpToDate(job.deployment, job.config, probe)) {
        return { outcome: 'unchanged', message: 'The target is already on this system.' };
    }
    enter('copy', job, state);
    const failure = await copy(job, probe);
    if (failure !== null)
        return failure;
    const unready = await failedChecks(job);
    return unready === null ? probe : { outcome: 'refused', message: unready };
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
/** The pre-deploy checks that the runner does itself. @returns why the system must not be activated; null: it may. */
async function failedChecks({ deployment, remote, config, context }) {
    if (config.mode === 'dry-activate')
        return null;
    const { http } = deployment.preDeployChecks;
    const failed = await failedOnce(http, webAddress(remote.target), context.signal);
    context.signal.throwIfAborted();
    return failed === null ? null : `${failed.charAt(0).toUpperCase()}${failed.slice(1)}. Nothing was changed.`;
}
function enter(phase, job, state) {
    state.phase = phase;
    showProgress(job, phases[phase].doing);
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
        return copyFailure(error, job.remote.target, probe.free);
    }
}
async function activateAndJudge(job, probe, state) {
    const activation = await activate(job, probe);
    const judgement = judgeActivation(job, activation, state);
    const { there } = readWords(activation.log);
    const ending = { ...judgement, units: (0,deploy_units/* readUnits */.g9)(there), others: (0,deploy_units/* otherChanges */.yz)(there) };
    return (0,deploy_outcome/* isFailure */.N6)(judgement) ? { ...ending, log: activation.log.join('\n').slice(-keptLog) } : ending;
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
            return outOfReach(job, end.error, obstacle);
        }
    }
}
/** The target was not reached again: what is known, and what it does by itself. */
function outOfReach({ remote, config, deployment }, { stderr }, obstacle) {
    const { doing, continuesAlone } = phases[config.mode === 'dry-activate' ? 'predict' : 'activate'];
    const why = obstacle ?? (stderr.trim().split('\n').at(-1) || 'the connection was closed');
    const lost = `The connection was lost while ${doing}, and ${remote.target.address} could not be reached again (${why})`;
    if (!continuesAlone)
        return { outcome: 'unreachable', message: `${lost}. The target was not changed.` };
    const seconds = confirmationTime({ config, deployment });
    const then = config.mode === 'boot' || seconds === 0
        ? 'The target continues by itself'
        : `If the new system runs there, the target goes back by itself after ${seconds} s without a confirmation`;
    return { outcome: 'failed', message: `${lost}. ${then}.` };
}
function host_failureOf(error, { remote, context }, state) {
    const { doing, continuesAlone } = phases[state.phase];
    if (context.signal.aborted) {
        const then = continuesAlone ? 'the target continues by itself.' : 'the target was not changed.';
        return { outcome: 'failed', message: `${whyAborted(context.signal)} while ${doing}; ${then}` };
    }
    if (isConnectionError(error)) {
        if (continuesAlone)
            state.after = null;
        return connectionFailure(error, remote.target, state.phase, remote.session.publicKey);
    }
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
        throw key_wrong('is empty', 'In a workflow, a secret that is not set is empty: check that it exists for this environment.');
    if (/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/.test(plain) || plain.includes('BEGIN SSH2 PUBLIC KEY')) {
        throw key_wrong('is a public key', 'Give the private key: the file without `.pub`.');
    }
    if (plain.startsWith('PuTTY-User-Key-File')) {
        throw key_wrong("is in PuTTY's format", 'Convert it: `puttygen key.ppk -O private-openssh -o deploy-key`.');
    }
    const found = /^-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\s+([\s\S]*?)(?:\s*)-----END \1-----$/.exec(plain);
    if (found === null) {
        if (plain.includes('PRIVATE KEY-----')) {
            throw key_wrong('is incomplete', 'Give all of it, from the line `-----BEGIN …` to the line `-----END …`.');
        }
        throw key_wrong('is not a private key', 'It begins with a line like `-----BEGIN OPENSSH PRIVATE KEY-----`.');
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
        throw key_wrong('is damaged', 'Its first bytes are not those of an OpenSSH key: give the unchanged text of the file.');
    }
    return bytes.toString('latin1', 19, 19 + bytes.readUInt32BE(15));
}
function encrypted() {
    return key_wrong('is protected by a passphrase', 'Create a separate key for deployments: `ssh-keygen -t ed25519 -N "" -f deploy-key`, and authorize its public key on the targets.');
}
function key_wrong(what, cure) {
    return new errors/* UserError */.yo(`The deploy key ${what}.`, { where: { input: 'deploy-key' }, cure });
}

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
/**
 * Deploys to the hosts, `parallel` at a time. A failed host does not stop the others, except as `canary`, `waves` and
 * `maxFailures` say. A host that has been started is always finished.
 *
 * @param signal when aborted, no further host is started.
 */
async function rollOut(items, config, { deploy, skip }, signal) {
    const counted = [];
    let stopped = null;
    const done = [];
    for (const wave of wavesOf(items, config)) {
        const failed = [];
        const ended = await (0,concurrency/* mapConcurrently */.X)(wave.items, config.parallel, async (item) => {
            if (signal.aborted)
                return skip(item, 'The run was cancelled before this host was started.');
            if (stopped !== null)
                return skip(item, stopped);
            const outcome = await deploy(item);
            const counts = deploy_outcome/* outcomes */.KI[outcome.outcome].countsTowardsMaxFailures;
            if (counts)
                counted.push(item.host);
            if (wave.decides === 'counted' ? counts : (0,deploy_outcome/* isFailure */.N6)(outcome))
                failed.push(item.host);
            if (counted.length > config.maxFailures) {
                stopped = `Not started: ${counted.join(', ')} failed, and max-failures is ${config.maxFailures}.`;
            }
            return outcome;
        });
        done.push(...ended);
        if (wave.decides !== null && failed.length > 0)
            stopped ??= `Not started: ${failed.join(', ')} of ${wave.name} failed.`;
    }
    return done;
}

// EXTERNAL MODULE: ./src/plan/index.ts + 25 modules
var plan = __webpack_require__(37928);
;// CONCATENATED MODULE: ./src/deploy/deployments.ts


/** The deployments of the hosts that were built from a source. */
function deploymentsOfBuilt(built, origin) {
    return built.flatMap(one => {
        if (!one.ok)
            return [];
        const { name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets } = one.host;
        const settings = { host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets };
        return [
            {
                ...settings,
                toplevel: one.toplevel,
                origin,
                closure: { from: 'store' },
                closureBytes: one.closureBytes,
            },
        ];
    });
}
/**
 * The deployments of existing archives, which contain no checks and secrets.
 *
 * @param targets the input of that name: the only source of the hosts' targets.
 */
function deploymentsOfArchives(archives, targets) {
    const none = { cmd: [], http: [] };
    return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => ({
        ...{ host, system, toplevel, closureBytes },
        origin: { commit: manifest.commit, repository: manifest.repository, branch: null, committed: null },
        target: host in targets ? (0,plan/* targetOf */.$r)((0,plan/* parseTargetSettings */.ae)(targets[host], `targets.${host}`)) : null,
        closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
        ...{ buildOnly: false, tags: [], healthChecks: none, preDeployChecks: none, secrets: [] },
    }));
}
/** The outcomes of the hosts whose build failed: nothing was deployed to their targets. */
function outcomesOfUnbuilt(built, mode) {
    const message = 'It was not built; the target was not changed.';
    return built.flatMap(one => (one.ok ? [] : [(0,deploy_outcome/* skipped */.hT)(one.host.name, mode, message)]));
}

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
        readKnownHosts(knownHosts);
}
/**
 * Checks, before anything is built, that there is a target to deploy to and that host keys are pinned.
 *
 * @throws UserError as `deploy` would, but earlier.
 */
function checkTargets({ mode, knownHosts, waves, ownSsh }, hosts) {
    if (mode === 'none' || hosts.every(({ buildOnly }) => buildOnly))
        return;
    const problems = hosts.flatMap(({ unusable }) => unusable ?? []);
    if (problems.length > 0) {
        throw new errors/* UserError */.yo([...new Set(problems)].join(' '), {
            where: { input: 'targets' },
            cure: 'Set it in `targets`, or leave these hosts out with `hosts`.',
        });
    }
    const targets = hosts.flatMap(({ target, buildOnly }) => (target === null || buildOnly ? [] : [target]));
    const remote = targets.filter(target => !isLocal(target));
    if (targets.length === 0) {
        throw new errors/* UserError */.yo(`mode is \`${mode}\`, but no host has a target.`, {
            where: { input: 'targets' },
            cure: 'Write `host: user@address` for each host in `targets`, or use `mode: none`.',
        });
    }
    if (knownHosts === null && !ownSsh && remote.length > 0)
        throw missingKnownHosts(remote);
    checkWaves(hosts, waves);
}
/**
 * Copies each closure to its target and activates it, several hosts at a time. A failed host does not stop the others,
 * except as `canary` and `maxFailures` say.
 *
 * @returns one outcome for each deployment, in the same order.
 * @throws UserError before anything is changed: no pinned host keys, an invalid key, an address that ssh does not accept.
 */
async function deploy(deployments, config, nix, context) {
    const idle = new Map(deployments.map(each => [each.host, whySkipped(each, config.mode)]));
    const done = [...idle].flatMap(([host, why]) => (why === null ? [] : [(0,deploy_outcome/* skipped */.hT)(host, config.mode, why)]));
    const active = aliasTargets(deployments.filter(({ host }) => idle.get(host) === null));
    if (active.length > 0) {
        const remote = active.filter(({ target }) => !isLocal(target));
        const local = localSession(context);
        const session = remote.length === 0 ? local : await deploy_open(remote, config, context);
        try {
            const sessionOf = (target) => (isLocal(target) ? local : session);
            done.push(...(await deployAll(active, sessionOf, config, nix, context)));
        }
        finally {
            await session.close();
        }
    }
    const order = new Map(deployments.map(({ host }, index) => [host, index]));
    return done.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
}
/** Why nothing is done on a target for this host; null when something is. */
function whySkipped({ buildOnly, target }, mode) {
    if (mode === 'none')
        return 'The mode is `none`.';
    if (buildOnly)
        return 'The source says that this host is only built.';
    return target === null ? 'It has no target.' : null;
}
function aliasTargets(deployments) {
    return deployments.flatMap((deployment, index) => {
        const { host, target } = deployment;
        if (target === null)
            return [];
        return [{ alias: `target-${index}`, host, target: isLocal(target) ? asThisUser(target) : target, deployment }];
    });
}
/** Without SSH, commands are run by the user of this process. */
function asThisUser(target) {
    return { ...target, user: (0,external_node_os_.userInfo)().username };
}
async function deploy_open(hosts, config, context) {
    if (!(config.parallel >= 1)) {
        throw new errors/* UserError */.yo(`parallel is ${config.parallel}.`, { where: { input: 'parallel' }, cure: 'Write 1 or more.' });
    }
    if (config.knownHosts === null && !config.ownSsh)
        throw missingKnownHosts(hosts.map(({ target }) => target));
    const knownHosts = config.knownHosts === null ? null : readKnownHosts(config.knownHosts);
    let key = null;
    if (config.deployKey !== null) {
        context.log.secret(config.deployKey);
        key = readDeployKey(config.deployKey);
        context.log.secret(key);
    }
    return openSession(hosts, key, knownHosts, context);
}
function deployAll(hosts, sessionOf, config, nix, context) {
    const show = (host, state, text) => context.progress({ host, stage: 'deploy', state, text });
    for (const { host } of hosts)
        show(host, 'waiting', '');
    const rolled = hosts.map(each => ({ ...each, tags: each.deployment.tags }));
    const work = {
        async deploy({ deployment, alias, host, target }) {
            const limited = { ...context, signal: limitedSignal(context.signal, config.hostTimeout) };
            const outcome = await deployHost({
                ...{ deployment, remote: { alias, host, target, session: sessionOf(target) }, config, nix },
                context: limited,
            });
            show(outcome.host, (0,deploy_outcome/* isFailure */.N6)(outcome) ? 'failed' : 'done', `${outcome.outcome}: ${outcome.message}`);
            return outcome;
        },
        skip({ host }, why) {
            show(host, 'done', `skipped: ${why}`);
            return (0,deploy_outcome/* skipped */.hT)(host, config.mode, why);
        },
    };
    return rollOut(rolled, config, work, context.signal);
}
/** Aborted when the run is, or after `seconds`; 0: only when the run is. Its reason says which. */
function limitedSignal(signal, seconds) {
    return seconds === 0 ? signal : AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
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
/* harmony export */   L: () => (/* binding */ explainNixError)
/* harmony export */ });
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
        pattern: /attribute '(?:currentSystem)' missing|access to (?:absolute path|URI) '[^']*' is forbidden in (?:pure evaluation|restricted) mode/,
        explain: () => ({
            message: 'the flake uses something outside of it: the system of the evaluating machine, or a path on it',
            cure: 'Set the system in the flake (`system = "x86_64-linux";`) and refer to files by relative paths.',
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
        pattern: /Exec format error|cannot execute binary file/,
        explain: () => ({
            message: 'it runs a program for another processor, which is not emulated here',
            cure: 'Set `emulate: always`, add a remote builder to `builders`, or run the job on a runner of that system.',
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
/* harmony export */   k: () => (/* binding */ publicKeyOf),
/* harmony export */   s: () => (/* binding */ signPaths)
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
 *
 * Nix reads keys from files, but the key must not be written to a disk, so it is passed through a pipe. Node gives a child
 * a socket as standard input, which cannot be opened by name; `cat` makes it a pipe.
 */
async function signPaths(directory, paths, secretKey, nix, context) {
    const { bin } = nix.installation;
    const command = [bin === null ? 'nix' : (0,node_path__WEBPACK_IMPORTED_MODULE_0__.join)(bin, 'nix'), '--extra-experimental-features', 'nix-command'];
    for (const some of (0,_arguments_js__WEBPACK_IMPORTED_MODULE_2__/* .inParts */ .o)(paths)) {
        const sign = ['store', 'sign', '--key-file', '/dev/stdin', '--store', `file://${directory}`, ...some];
        await context.exec('sh', ['-c', 'cat | "$@"', 'sh', ...command, ...sign], {
            input: secretKey.trim(),
            env: nix.environment(),
            signal: context.signal,
        });
    }
}


/***/ }),

/***/ 78547:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Z: () => (/* binding */ compareVersions)
/* harmony export */ });
/** Negative if `a` is older than `b`, 0 if their numbers are equal; a missing number is 0, as is a word after a number. */
function compareVersions(a, b) {
    const numbers = (version) => version.split('.').map(part => Number.parseInt(part, 10) || 0);
    const [left, right] = [numbers(a), numbers(b)];
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
        const difference = (left[i] ?? 0) - (right[i] ?? 0);
        if (difference !== 0)
            return difference;
    }
    return 0;
}


/***/ }),

/***/ 37928:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  cY: () => (/* reexport */ checkHostName),
  om: () => (/* reexport */ historyOf),
  x5: () => (/* reexport */ locate),
  uK: () => (/* binding */ plan_option),
  ae: () => (/* reexport */ plan_targets/* parseTargetSettings */.ae),
  et: () => (/* binding */ plan),
  _M: () => (/* reexport */ repositoryOf),
  Lt: () => (/* reexport */ select_select),
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
// EXTERNAL MODULE: ./src/plan/evaluation/adapter.ts + 1 modules
var evaluation_adapter = __webpack_require__(93532);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
;// CONCATENATED MODULE: ./src/plan/pins/scan.ts
/**
 * The text with comments and the contents of strings replaced by spaces, so that offsets stay valid. Code in `${}` is kept.
 *
 * Implements just enough of Nix's lexer: comments, "strings", ''strings'' with their escapes, and interpolation.
 */
function codeOf(text) {
    const out = Array.from({ length: text.length }, (_, i) => text.charAt(i));
    const blank = (from, to) => {
        for (let i = from; i < to; i++)
            if (out[i] !== '\n')
                out[i] = ' ';
    };
    /** Returns the offset after the brace that closes the one before `start`, or the end of the text. */
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
/** Fetches that clearly have no hash or revision. Arguments that are computed elsewhere are not judged here. */
function unpinnedFetches(text) {
    const code = codeOf(text);
    const fetches = [];
    const call = /(?<![\w'-])(builtins\s*\.\s*)?(fetchTarball|fetchurl|fetchGit|fetchMercurial|fetchTree|getFlake)(?![\w'-])\s*(\(?\s*)(["{]|[a-z]+:|'')/g;
    for (const match of code.matchAll(call)) {
        const [whole, builtin, name, , begin] = match;
        if (name === undefined || begin === undefined)
            continue;
        // nixpkgs' own fetchurl requires a hash.
        if (name === 'fetchurl' && builtin === undefined)
            continue;
        const start = match.index + whole.length - begin.length;
        const pinned = begin === '{' ? isPinnedSet(code, text, start, name) : isPinnedWord(code, text, start, name);
        if (!pinned)
            fetches.push({ at: match.index, what: name });
    }
    return fetches;
}
function isPinnedSet(code, text, start, name) {
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
    // `{ … } // more` may add the hash, and a pattern before `:` is not an argument.
    if (/^\}\s*(?:\/\/|:|@)/.test(code.slice(end)))
        return true;
    if (/\burl\s*=\s*(?:\.|\/|toString\b)/.test(inside))
        return true;
    if (fetchers[name].test(inside))
        return true;
    // The URL of a tarball may contain a revision, but nothing checks what is downloaded.
    return name !== 'fetchTarball' && name !== 'fetchurl' && fetchers.getFlake.test(text.slice(start, end));
}
function isPinnedWord(code, text, start, name) {
    const rest = code[start] === '"' ? /"[^"]*"/y : /\S+/y;
    rest.lastIndex = start;
    const word = rest.exec(code)?.[0] ?? '';
    const raw = text.slice(start, start + word.length);
    return name !== 'fetchTarball' && name !== 'fetchurl' && fetchers.getFlake.test(raw);
}
/** `<nixpkgs>` and other paths that the machine's NIX_PATH determines. `<nix/…>` is Nix's own. */
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
/** Whether a Nix file reads what the commit does not determine: the environment or the time. */
function readsMachine(text) {
    return /\b(?:getEnv|currentTime)\b/.test(codeOf(text));
}
/** Whether a Nix file `depth` folders below a folder may refer to something outside of that folder. */
function reachesOut(text, depth) {
    if (/\bdirOf\b/.test(text))
        return true;
    return (text.match(/[^\s"'();{}[\]]*\.\.(?=\/|[\s"'();{}[\]]|$)[^\s"'();{}[\]]*/g) ?? []).some(path => path.split('/').filter(segment => segment === '..').length > depth);
}

;// CONCATENATED MODULE: ./src/plan/evaluation/places.ts


/**
 * Translates a place reported by Nix to one relative to the repository; null if it is outside of the repository.
 *
 * @param roots folders with the contents of the repository's root: the work tree, and the store paths Nix copied it to.
 */
function inRepository(place, roots) {
    for (const root of roots) {
        const file = (0,external_node_path_.relative)((0,external_node_path_.resolve)(root), (0,external_node_path_.resolve)(place.file));
        if (file !== '' && !file.startsWith('..'))
            return { ...place, file };
    }
    return null;
}
/** The innermost place of a failure inside the repository; null if there is none. */
function placeOf(failure) {
    for (const place of [...failure.places, ...placesIn(failure)]) {
        const inside = inRepository(place, failure.roots);
        if (inside !== null)
            return inside;
    }
    return placeOfThrow(failure);
}
/** Nix 2.8 does not report the place of a `throw`: it is the only place in the evaluated files with that text. */
function placeOfThrow({ message, files, roots }) {
    if (message.includes('\n') || message.length < 4)
        return null;
    const matches = [];
    for (const file of files) {
        const inside = inRepository({ file, line: 1, column: 1 }, roots);
        if (inside === null || !(0,external_node_fs_.existsSync)(file))
            continue;
        for (const [index, line] of (0,external_node_fs_.readFileSync)(file, 'utf8').split('\n').entries()) {
            const at = line.indexOf(message);
            if (at >= 0)
                matches.push({ file: inside.file, line: index + 1, column: at + 1 });
        }
    }
    const [first, second] = matches;
    return first !== undefined && second === undefined ? first : null;
}
/** Places named in the text of an error: first those in the message, then those in the trace, the innermost first. */
function placesIn({ message, printed }) {
    const trace = placesInText(printed);
    return [...placesInText(message), ...(isOutermostFirst(printed) ? trace.reverse() : trace)];
}
/** `at /file:1:2`, and the module system's "In `/file'" without a line, which may also be a folder. */
function placesInText(text) {
    const places = [];
    for (const [, file, line, column] of text.matchAll(/(\/[^\s:'"`»]+):(\d+)(?::(\d+))?/g)) {
        if (file !== undefined)
            places.push({ file, line: Number(line), column: Number(column ?? 1) });
    }
    for (const [, path = ''] of text.matchAll(/[`'](\/[^\s'`]+)'/g)) {
        const file = path.endsWith('.nix') ? path : moduleOf(path);
        if (file !== null)
            places.push({ file, line: 1, column: 1 });
    }
    return places;
}
/** The file of a module that is a folder; null if there is none. */
function moduleOf(folder) {
    const file = (0,external_node_path_.join)(folder, 'default.nix');
    return (0,external_node_fs_.existsSync)(file) ? file : null;
}
/** The option whose evaluation failed, the innermost that the trace names; null if it names none. */
function optionOf({ printed }) {
    const options = Array.from(printed.matchAll(/while evaluating the option `([^'\n]+)'/g), ([, option]) => option ?? '');
    return (isOutermostFirst(printed) ? options.at(-1) : options[0]) ?? null;
}
/** Since 2.20, Nix prints the error after its trace, which then begins with the outermost place. */
function isOutermostFirst(printed) {
    return printed.lastIndexOf('error: ') > printed.indexOf('… ');
}

;// CONCATENATED MODULE: ./src/plan/evaluation/cause.ts




/** The cause of a failure; null if it is not one of these. */
function causeOf(failure, source) {
    const text = failure.message;
    if (/file 'nixos-config' was not found|cannot look up '<nixos-config>'/.test(text))
        return copiedConfiguration(failure);
    const encoded = encodedFile(failure, source);
    if (encoded !== null)
        return encoded;
    const wanted = missingPath(failure);
    return wanted === null ? null : missingFile(wanted, failure, source);
}
/** Only `system.copySystemConfiguration` of nixpkgs' modules reads <nixos-config> (nixos/modules/system/activation/top-level.nix). */
function copiedConfiguration(failure) {
    const place = findInOwn(failure, text => /copySystemConfiguration\s*=\s*(?:lib\.mk\w+\s+)?true/.exec(text)?.index);
    if (place === null)
        return null;
    return {
        message: '`system.copySystemConfiguration = true` copies the configuration.nix of the machine that evaluates, which has none.',
        cure: 'Remove it; with `include-source`, archives and targets have the configuration.',
        place,
    };
}
/** A pointer of Git LFS or a file of git-crypt that was evaluated, or that the place of the error reads. */
function encodedFile(failure, { root, repository }) {
    const place = placeOf(failure);
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
    const inside = (0,external_node_path_.isAbsolute)(wanted)
        ? inRepository({ file: wanted, line: 1, column: 1 }, failure.roots)
        : { file: wanted };
    if (inside === null)
        return wanted.startsWith('/etc/nixos/') ? ofMachine(wanted, failure) : null;
    const { file } = inside;
    const importer = findInOwn(failure, (text, folder) => referenceTo((0,external_node_path_.join)(root, file), (0,external_node_path_.join)(root, folder), text));
    const place = importer ?? placeOf(failure);
    const by = importer === null ? '' : `, which ${importer.file}:${importer.line} reads,`;
    const submodule = repository?.submodules.find(({ path, checkedOut }) => !checkedOut && (file === path || file.startsWith(`${path}/`)));
    if (submodule !== undefined) {
        return {
            message: `${file}${by} is in the submodule ${submodule.path}, which is not checked out.`,
            cure: 'Set `submodules: true` of actions/checkout, or run `git submodule update --init --recursive`.',
            place,
        };
    }
    if ((0,external_node_fs_.existsSync)((0,external_node_path_.join)(root, file))) {
        return {
            message: `${file}${by} is not tracked by Git, and Nix sees only tracked files of a flake.`,
            cure: `Run \`git add ${file}\` and commit it.`,
            place,
        };
    }
    const how = file.endsWith('hardware-configuration.nix')
        ? ' `nixos-generate-config --show-hardware-config` prints it on the machine.'
        : '';
    return { message: `${file}${by} is not in the repository.`, cure: `Commit it, or correct the path.${how}`, place };
}
function ofMachine(wanted, failure) {
    const importer = findInOwn(failure, text => {
        const at = text.indexOf(wanted);
        return at < 0 ? undefined : at;
    });
    const by = importer === null ? '' : `, which ${importer.file}:${importer.line} reads,`;
    return {
        message: `${wanted}${by} is a file of the target, and the configuration is not evaluated there.`,
        cure: 'Commit a copy of it, and write its path relative to the file that reads it.',
        place: importer ?? placeOf(failure),
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
/** The first place in the evaluated files of the repository for which `find` returns an offset. */
function findInOwn({ files, roots }, find) {
    for (const file of files) {
        const inside = inRepository({ file, line: 1, column: 1 }, roots);
        if (inside === null || !(0,external_node_fs_.existsSync)(file))
            continue;
        const text = (0,external_node_fs_.readFileSync)(file, 'utf8');
        const at = find(text, (0,external_node_path_.dirname)(inside.file));
        if (at !== null && at !== undefined)
            return { file: inside.file, line: lineOf(text, at), column: 1 };
    }
    return null;
}

;// CONCATENATED MODULE: ./src/plan/evaluation/diagnose.ts





/** Characters of a trace that the plan keeps. */
const traceLength = 16 * 1024;
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
    return new errors/* UserError */.yo(message, { where: place ?? fallback, cause: failure.printed });
}
/** What failed, what that means and what to do, if it is known; otherwise Nix's message. */
function meaning(failure, source) {
    const cause = causeOf(failure, source);
    if (cause !== null)
        return { message: `${cause.message} ${cause.cure}`, place: cause.place };
    const place = placeOf(failure);
    const known = (0,explain/* explainNixError */.L)(failure.printed);
    const text = sentence(shortPaths(failure.message, failure.roots));
    if (known !== null)
        return { message: `${text} It means that ${known.message}. ${known.cure}`, place };
    return { message: place === null ? `${text}${context(failure)}` : text, place };
}
/** For an error that occurs inside nixpkgs: where, and which option leads there. */
function context(failure) {
    const option = optionOf(failure);
    const [place] = failure.places;
    const at = place === undefined ? null : shortPaths(place.file, failure.roots);
    const parts = [
        ...(place === undefined || at === null || at.startsWith('/') ? [] : [`It occurs at ${at}:${place.line}`]),
        ...(option === null ? [] : [`the option ${option} leads to it`]),
    ];
    if (parts.length === 0)
        return '';
    const joined = parts.join('; ');
    return ` ${joined.charAt(0).toUpperCase()}${joined.slice(1)}.`;
}
/** Paths of the repository relative to its root, and those of nixpkgs from its folder on. */
function shortPaths(text, roots) {
    const own = roots.map(root => (0,external_node_path_.resolve)(root)).sort((a, b) => b.length - a.length);
    // Newer versions of Nix name a flake by its reference: `«git+file:///fleet?rev=…»/hosts/web.nix`.
    const plain = text.replace(/«git\+file:[^»]*»\//g, '');
    const relative = own.reduce((shown, root) => shown.replaceAll(`${root}/`, ''), plain);
    return relative.replace(/\/nix\/store\/[a-z0-9]{32}-[^/\s'"`]+\/(?=(?:nixos|lib|pkgs)\/)/g, 'nixpkgs/');
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
    const text = message.replace(/^error: /, '').trim();
    const cut = text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
    const first = cut.charAt(0).toUpperCase() + cut.slice(1);
    return /[.!?…:'"`]$/.test(first) ? first : `${first}.`;
}

// EXTERNAL MODULE: ./src/plan/evaluation/flake-reference.ts
var flake_reference = __webpack_require__(55395);
;// CONCATENATED MODULE: ./src/plan/pins/problems.ts







const tarballCure = 'Write the URL of a commit and its hash: `fetchTarball { url = "https://github.com/NixOS/nixpkgs/archive/<commit>.tar.gz"; sha256 = "…"; }` (`nix-prefetch-url --unpack <url>` prints it), or pin it with npins.';
const pathCure = 'Pin nixpkgs in the repository (npins, niv, a flake, or `fetchTarball` with `sha256`) and import that instead, or set the input `nixpkgs` to a pin.';
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
        const inside = inRepository({ file, line: 1, column: 1 }, roots);
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
    return ownFiles(evidence).flatMap(file => {
        const text = (0,external_node_fs_.readFileSync)((0,external_node_path_.join)(root, file), 'utf8');
        const paths = inputs.nixpkgsPin === 'warn' ? searchPaths(text) : [];
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
/** The problem if an evaluation failed because something is not pinned; null for another failure. */
function pinProblemOf(failure) {
    const place = placeOf(failure);
    const at = { file: place?.file ?? null, line: place?.line ?? null };
    const path = /file '([^']+)' was not found in the Nix search path/.exec(failure.message) ??
        /cannot look up '<([^']+)>' in pure evaluation mode/.exec(failure.message);
    // `causeOf` explains <nixos-config>, which is not a pin.
    if (path !== null && path[1] !== 'nixos-config')
        return { what: `<${path[1]}>`, ...at, cure: pathCure };
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
            ? { input: 'source' }
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
        const problems = problemsIn({ source, roots: failure.roots, files: failure.files }, [failure], main);
        if (problems.length > 0)
            return pinError(problems);
    }
    return sourceFailure(failure, { file: main }, source);
}

;// CONCATENATED MODULE: ./src/plan/repository.ts



/** Git in a folder. A failure, for example because there is no Git, is not an error. */
function gitIn(folder, query) {
    return async (...args) => {
        try {
            return (await query('git', ['-C', folder, ...args])).stdout;
        }
        catch (error) {
            if (error instanceof errors/* CommandError */.Qd)
                return null;
            throw error;
        }
    };
}
/**
 * Null if `folder` is not in a Git work tree.
 *
 * @throws UserError if Git cannot read the repository, for example because of its owner: its files must not be taken for
 *   those of a folder without Git, of which everything may be packed and evaluated.
 */
async function repositoryOf(folder, { query, environment }) {
    const root = await rootOf(folder, query, environment);
    if (root === null)
        return null;
    const git = gitIn(folder, query);
    const [commit, status, shallow] = await Promise.all([
        git('rev-parse', '--verify', 'HEAD'),
        git('status', '--porcelain', '--untracked-files=no'),
        git('rev-parse', '--is-shallow-repository'),
    ]);
    return {
        root,
        commit: commit?.trim() ?? null,
        dirty: status?.trim() !== '',
        shallow: shallow?.trim() === 'true',
        submodules: await submodulesOf(root, gitIn(root, query)),
        encoded: await encodedIn(root, gitIn(root, query)),
    };
}
/** The root of the work tree that `folder` is in; null if there is none. @throws UserError as `repositoryOf` */
async function rootOf(folder, query, environment) {
    try {
        // Its messages are translated.
        const env = { ...environment, LC_ALL: 'C' };
        return (0,external_node_path_.resolve)((await query('git', ['-C', folder, 'rev-parse', '--show-toplevel'], { env })).stdout.trim());
    }
    catch (error) {
        if ((0,errors/* exitedWithFailure */.m1)(error) && /^fatal: not a git repository/m.test(error.stderr))
            return null;
        const above = repositoryAbove(folder);
        const missing = error instanceof errors/* CommandError */.Qd && error.failure.kind === 'missing';
        if (missing && above === null)
            return null;
        if (!missing && !(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
        const why = missing ? 'Git is not installed' : firstLine(error.stderr);
        throw new errors/* UserError */.yo(`Git cannot read the repository in ${above ?? folder}: ${why}.`, {
            where: { file: above ?? folder },
            cure: /dubious ownership/.test(why)
                ? `If you trust its owner, run \`git config --global --add safe.directory ${above ?? folder}\` in an earlier step, or check it out as the user of this step.`
                : missing
                    ? 'Install Git.'
                    : `Run \`git -C ${folder} status\` there to see what is wrong.`,
            cause: error,
        });
    }
}
/** The nearest folder, from `folder` up, that contains a `.git`. */
function repositoryAbove(folder) {
    if ((0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, '.git')))
        return folder;
    return (0,external_node_path_.dirname)(folder) === folder ? null : repositoryAbove((0,external_node_path_.dirname)(folder));
}
function firstLine(text) {
    return (text.trim().split('\n')[0] ?? '').replace(/^fatal: /, '');
}
async function submodulesOf(root, git) {
    if (!(0,external_node_fs_.existsSync)((0,external_node_path_.join)(root, '.gitmodules')))
        return [];
    // ` <commit> <path> (<name>)`, and `-` instead of the first space if it is not checked out.
    const printed = (await git('submodule', 'status', '--recursive')) ?? '';
    return Array.from(printed.matchAll(/^(.)[0-9a-f]+ (.*?)(?: \([^()]*\))?$/gm), ([, sign, path]) => ({
        path: path ?? '',
        checkedOut: sign !== '-',
    }));
}
const filters = { lfs: 'Git LFS', 'git-crypt': 'git-crypt' };
async function encodedIn(root, git) {
    if (!(0,external_node_fs_.existsSync)((0,external_node_path_.join)(root, '.gitattributes')))
        return [];
    const lists = Object.entries(filters).map(async ([filter, by]) => {
        const printed = (await git('ls-files', '-z', `:(attr:filter=${filter})`)) ?? '';
        const files = printed.split('\0').filter(file => file !== '' && isEncoded((0,external_node_path_.join)(root, file)));
        return files.map(file => ({ file, by }));
    });
    return (await Promise.all(lists)).flat();
}
/** By its first bytes: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and git-crypt's commands.cpp. */
function isEncoded(file) {
    if (!(0,external_node_fs_.existsSync)(file))
        return false;
    const descriptor = (0,external_node_fs_.openSync)(file, 'r');
    try {
        const head = Buffer.alloc(64);
        (0,external_node_fs_.readSync)(descriptor, head, 0, head.length, 0);
        const text = head.toString('latin1');
        return text.startsWith('version https://git-lfs.github.com/spec/') || text.startsWith('\0GITCRYPT\0');
    }
    finally {
        (0,external_node_fs_.closeSync)(descriptor);
    }
}
/** The history of what is checked out in a folder. */
async function historyOf(folder, query) {
    const git = gitIn(folder, query);
    const [remote, branch, committed] = await Promise.all([
        git('config', '--get', 'remote.origin.url'),
        git('symbolic-ref', '--quiet', '--short', 'HEAD'),
        git('log', '-1', '--format=%ct', 'HEAD'),
    ]);
    const seconds = Number(committed?.trim() || Number.NaN);
    return {
        remote: remote?.trim().replace(/^([a-z+]+:\/\/)[^@/]*@/, '$1') || null,
        branch: branch?.trim() || null,
        committed: Number.isFinite(seconds) ? seconds : null,
    };
}

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
// EXTERNAL MODULE: external "node:util"
var external_node_util_ = __webpack_require__(57975);
;// CONCATENATED MODULE: ./src/plan/secret-text.ts

/** The text of a secret that a source defines inline. It is never part of JSON, a message or a log. */
class SecretText {
    #text;
    constructor(text) {
        this.#text = text;
    }
    /** The text itself, for the target that needs it. */
    reveal() {
        return this.#text;
    }
    toJSON() {
        return '***';
    }
    toString() {
        return '***';
    }
    [external_node_util_.inspect.custom]() {
        return '***';
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
    const git = gitIn(source.root, context.query);
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
    if (inputs.nixpkgsPin === 'warn' || readsOther(evidence))
        return null;
    const own = ownFiles(evidence);
    const tracked = new Set(((await git('ls-files', '-z')) ?? '').split('\0'));
    if (own.some(path => !tracked.has(path)))
        return null;
    const texts = await Promise.all(own.map(path => (0,promises_.readFile)((0,external_node_path_.join)(root, path), 'utf8')));
    if (texts.some(readsMachine))
        return null;
    const folder = (0,external_node_path_.relative)(root, (0,external_node_path_.resolve)(absolute));
    if (folder === '')
        return 'folder';
    const entries = await git('ls-files', '-s', '--', absolute);
    const hasLinks = entries === null || /^120000 /m.test(entries);
    const staysInside = own.every((path, index) => {
        const inside = (0,external_node_path_.relative)(folder, (0,external_node_path_.dirname)(path)).split('/').filter(Boolean);
        return inside[0] !== '..' && !reachesOut(texts[index] ?? '', inside.length);
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
// EXTERNAL MODULE: ./src/plan/targets.ts
var plan_targets = __webpack_require__(40001);
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
        const inside = inRepository({ file: secret.source.file, line: 1, column: 1 }, roots);
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
        secrets: (settings.secrets ?? []).map(secret => 'file' in secret.source ? { ...secret, source: { file: (0,external_node_path_.resolve)(folder, secret.source.file) } } : secret),
        nixpkgs,
        nix: evaluated.nix,
    };
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
        else if (problems.length === 0) {
            problems.push({
                what: `the nixpkgs at ${path}, whose hash is nowhere in the repository`,
                file: ownFiles(evidence)[0] ?? null,
                line: 1,
                cure: 'Fetch it by its hash: a flake, npins, niv, or `fetchTarball` with `sha256`.',
            });
        }
    }
    if (problems.length > 0 && inputs.nixpkgsPin === 'error')
        throw pinError(problems);
    warnOfPins(problems, context);
    return pins;
}
/**
 * How the nixpkgs at a path is pinned: by the repository's own commit, or by a hash in the repository.
 *
 * It looks for the hash itself, however the pin is written, so that it finds npins, niv, flakes, `fetchTarball` and
 * everything else that fetches by hash.
 */
async function pinOf(path, evidence) {
    const { repository, inputs, nix } = evidence.source;
    const inside = inRepository({ file: (0,external_node_path_.join)(path, 'x'), line: 1, column: 1 }, evidence.roots);
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
    return file.endsWith('.nix') ? `${file}:${lineOf(text, at)}` : file;
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
    let best = null;
    for (const match of text.matchAll(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g)) {
        const distance = Math.abs(match.index - at);
        if (distance < 1_000 && (best === null || distance < best.distance))
            best = { revision: match[0], distance };
    }
    return best?.revision ?? null;
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
 * references of its derivation. A host that is not a package is returned unchanged.
 *
 * @throws UserError if the package contains no NixOS system, or several.
 */
async function unwrapToplevel(host, nix) {
    if (host.wrapper === null)
        return host;
    const toplevels = await toplevelsInside(host.wrapper, nix);
    if (toplevels.includes(host.drvPath))
        return host;
    const [drvPath, other] = toplevels;
    if (drvPath === undefined) {
        throw new errors/* UserError */.yo(`${JSON.stringify(host.name)} is a package that contains no NixOS system.`, {
            where: { host: host.name },
            cure: 'Write config.system.build.toplevel, a NixOS evaluation, or a package that links to one.',
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






/** Adds the targets and tags of `hosts`, without the rest of their configuration. */
async function addDeployments(hosts, evaluation, opened) {
    opened.source.context.log.info(`Reading the tags of ${hosts.length} hosts.`);
    const results = await opened.evaluate('deployments', hosts);
    const deployments = {};
    const failures = [];
    for (const result of results) {
        if ('answer' in result)
            deployments[result.host] = portableDeployment(result.answer, opened);
        else
            failures.push(evaluationFailure(result.host, result.failure, opened.source));
    }
    return { evaluation: extended(evaluation, { deployments }), failures };
}
/**
 * Adds the complete evaluation of `hosts`; the derivations are in the store afterwards.
 *
 * @throws UserError if a nixpkgs is not pinned, unless `nixpkgs-pin` is `warn`.
 */
async function addHosts(hosts, evaluation, opened) {
    const results = await opened.evaluate('hosts', hosts);
    const evaluated = results.flatMap(result => ('answer' in result ? [result.answer] : []));
    const failed = results.flatMap(result => ('failure' in result ? [result] : []));
    const pins = await checkNixpkgsPins(evaluated.flatMap(({ nixpkgs }) => nixpkgs ?? []), failed.map(({ failure }) => failure), evaluation.main, opened.evidence);
    const failures = failed.map(({ host, failure }) => evaluationFailure(host, failure, opened.source));
    const answers = {};
    const deployments = {};
    for (const host of evaluated) {
        try {
            const deployment = portableDeployment(host, opened);
            answers[host.name] = { ...(await unwrapToplevel(host, opened.source.nix)), deployment };
            deployments[host.name] = deployment;
        }
        catch (error) {
            failures.push(hostFailure(host.name, error, evaluation.main));
        }
    }
    return { evaluation: extended(evaluation, { answers, deployments, pins }), failures };
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
;// CONCATENATED MODULE: ./src/plan/evaluation/evaluate.ts



/** The least memory with which an evaluator is useful; a host takes 50 MB (nixpkgs 17.09) to 400 MB (25.05) of it. */
const leastMemory = 768 * 1024 * 1024;
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
 * Evaluates hosts in as many evaluators as processors, memory and the number of hosts justify. If a host fails, the others are
 * not affected: the answers before it are kept, and the remaining hosts are evaluated by a new evaluator.
 *
 * @throws `options.errorFor` if Nix fails before it has begun with any host.
 */
async function evaluateHosts(adapter, attribute, hosts, options) {
    const { budget, nix, context } = options;
    const memory = budget.memory ?? (0,external_node_os_.freemem)();
    const count = processes(hosts.length, nix.processors, budget.jobs, memory);
    const files = new Set();
    const results = new Map();
    const outOfMemory = [];
    // Hosts whose tags are read may not be selected.
    const onEvent = attribute === 'hosts' ? progressOf(context) : undefined;
    const run = async (names, heap, last) => {
        let rest = names;
        while (rest.length > 0) {
            const call = { attribute, hosts: rest };
            const result = await (0,evaluation_adapter/* callAdapter */.O4)({ ...adapter, heap }, call, options, onEvent);
            for (const file of result.files)
                files.add(file);
            for (const answer of result.answers)
                results.set(answer.name, { host: answer.name, answer });
            const { failure, begun: culprit } = result;
            if (failure === null)
                return;
            if (culprit === null)
                throw options.errorFor(failure);
            const isAlone = rest[0] === culprit && last;
            rest = rest.slice(rest.indexOf(culprit) + 1);
            if (failure.kind === 'memory' && !isAlone) {
                // The hosts before it may have filled the heap: it gets an evaluator of its own, later.
                outOfMemory.push(culprit);
                continue;
            }
            // The reason is reported once for all hosts that have it.
            context.progress({ host: culprit, stage: 'plan', state: 'failed', text: 'not evaluated' });
            results.set(culprit, { host: culprit, failure });
        }
    };
    const hands = deal(hosts, count);
    await (0,concurrency/* mapConcurrently */.X)(hands, hands.length, hand => run(hand, memory / count, false));
    for (const host of outOfMemory)
        await run([host], memory, true);
    return { hosts: hosts.flatMap(host => results.get(host) ?? []), files };
}
function progressOf({ progress }) {
    return event => 'begun' in event
        ? progress({ host: event.begun, stage: 'plan', state: 'running', text: 'evaluating' })
        : progress({ host: event.answer.name, stage: 'plan', state: 'done', text: 'evaluated' });
}

// EXTERNAL MODULE: ./src/plan/formats/adapter.ts
var formats_adapter = __webpack_require__(79451);
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
            why: `${find === undefined ? file : existing.join(', ')} exists`,
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
        const inside = inRepository({ file, line: 1, column: 1 }, roots);
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
    const usual = formats/* formatNames */.E.flatMap(format => formats/* formats */.F[format].mainFiles);
    return new errors/* UserError */.yo(`No NixOS configuration was found in ${folder}.`, {
        where: { input: 'source' },
        cure: `Set \`source\` to a folder that contains flake.nix, ${[...new Set(usual)].join(', ')}, or to a file.`,
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
    const { severalFiles = false, arguments: takesArguments = false } = formats/* formats */.F[format];
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
    const pin = inputs.nixpkgs ?? (pinNearby === undefined ? null : pinOfFolder(source, pinNearby));
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
            line: 1,
            cure: 'Run `npins init` next to it, or set the input `nixpkgs` to a pin, for example `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
        },
    ]);
}
/** The pin next to or above a source. @throws UserError if there are several and the source cannot choose one itself. */
function pinOfFolder({ folder, root }, need) {
    const [first, second] = pinsAround(folder, root);
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
    const pinAdapter = { ...adapter, file: 'pin', request: { ...given } };
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
/** Pins next to a source, under the names that their tools use, or in the nearest folder above it that has any. */
function pinsAround(source, root) {
    for (const folder of foldersUpTo(root, source)) {
        const names = ['npins', 'nix/sources.nix', 'flake.lock', 'nixpkgs.nix', 'nixpkgs'];
        const existing = names.filter(name => (0,external_node_fs_.existsSync)((0,external_node_path_.join)(folder, name === 'npins' ? 'npins/default.nix' : name)));
        if (existing.length > 0)
            return existing.map(name => (0,external_node_path_.relative)(source, (0,external_node_path_.join)(folder, name)));
    }
    return [];
}

;// CONCATENATED MODULE: ./src/plan/opened-source.ts













/** The source that a configuration names. Nothing is evaluated yet. */
async function sourceOf(config, nix, context) {
    const folder = config.source;
    const repository = await repositoryOf(folder, context);
    const root = repository?.root ?? folder;
    const { attribute, arguments: given = {}, system, nixpkgs, nixpkgsPin, nixPath = null } = config;
    const source = {
        folder,
        files: config.files ?? [],
        repository,
        root,
        inputs: { attribute, arguments: given, system, nixpkgs, nixpkgsPin, nixPath },
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
    constructor(source, evaluation, opened) {
        this.source = source;
        this.evaluation = evaluation;
        this.#main = opened.main;
        this.#adapter = opened.adapter;
        this.#budget = opened.budget;
        this.#files = opened.files;
    }
    /**
     * Chooses the format of a source and evaluates the names of its hosts.
     *
     * @throws UserError if the source as a whole cannot be evaluated.
     */
    static async open(source, config) {
        const choice = await chooseFormat(source, config.format);
        const { format, detected, main } = choice;
        logFormat(format, detected, source.context);
        const { adapter, files: pinFiles } = await withNixpkgs(choice, source);
        const { names, root, notes, files } = await (0,formats_adapter/* namesOf */.eZ)(adapter, source, main);
        for (const name of names)
            checkHostName(name, (0,external_node_path_.relative)(source.root, (0,external_node_path_.join)(source.folder, main)));
        const roots = [...new Set([...adapter.roots, root])];
        const fromRoot = (0,external_node_path_.relative)(source.root, (0,external_node_path_.join)(source.folder, main));
        return new OpenedSource(source, { format, detected, main: fromRoot, names, notes, ...emptyRecords() }, {
            main,
            adapter: { ...adapter, roots },
            budget: { jobs: config.jobs ?? null, memory: config.memory ?? null },
            files: new Set([...pinFiles, ...files]),
        });
    }
    /** What has been evaluated so far. */
    get evidence() {
        return { source: this.source, roots: this.#adapter.roots, files: this.#files };
    }
    /** Evaluates an attribute of the adapter for each of `hosts`. @throws UserError for a failure that no host caused. */
    async evaluate(attribute, hosts) {
        const { nix, context } = this.source;
        const evaluation = await evaluateHosts(this.#adapter, attribute, hosts, {
            nix,
            context,
            budget: this.#budget,
            errorFor: failure => this.source.errorFor(failure, this.#main),
        });
        for (const file of evaluation.files)
            this.#files.add(file);
        return evaluation.hosts;
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
            return result.value;
        if (result.known !== null)
            throw unknownOption(optionPath, result.missing ?? '', result.known, host);
        throw new errors/* UserError */.yo(`${JSON.stringify(host)} is defined by a derivation, which has no options.`, {
            where: { host },
            cure: 'Set `attribute` to the whole evaluation instead of its toplevel.',
        });
    }
}
/** Logs a detected format. It is called before the evaluation, which may fail because the format is not the intended one. */
function logFormat(format, detected, { log }) {
    if (detected !== null)
        log.info(`Format: ${format} (${detected}).`);
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
    const open = once(() => OpenedSource.open(source, config));
    const cached = (await cache?.read()) ?? null;
    if (cached !== null)
        logFormat(cached.format, cached.detected, context);
    const known = cached ?? (await open()).evaluation;
    const targets = readTargets(config.targets, known.names);
    const tagged = needsTags(config.hosts) ? await readTags(known, targets, open) : withoutTags(known);
    const selected = select_select(known.names, config.hosts, host => tagged.tags.get(host) ?? []);
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
    const opened = await OpenedSource.open(await sourceOf(config, nix, context), config);
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
    return { evaluation: known, failures: [], tags: new Map() };
}
/** Each host's tags. A host whose tags cannot be evaluated is a failure, since it may have been selected. */
async function readTags(known, targets, open) {
    const missing = known.names.filter(name => !(name in known.deployments));
    const { evaluation, failures } = missing.length === 0 ? withoutTags(known) : await addDeployments(missing, known, await open());
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
    return { evaluation, failures: [...failures, ...wrong], tags };
}
/** Evaluates those of `hosts` whose derivation is not known, or no longer in the store. */
async function evaluateMissing(hosts, { evaluation: known, failures }, open, nix) {
    const failed = new Set(failures.map(({ host }) => host));
    const missing = (await withoutDerivation(hosts, known, nix)).filter(host => !failed.has(host));
    if (missing.length === 0)
        return { evaluation: known, failures, added: false };
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

/***/ 43824:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  E$: () => (/* binding */ emulateOther),
  oh: () => (/* reexport */ nixAsRoot),
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
// EXTERNAL MODULE: ./src/nix/derivation.ts
var derivation = __webpack_require__(56754);
// EXTERNAL MODULE: ./src/nix/index.ts
var src_nix = __webpack_require__(93779);
// EXTERNAL MODULE: ./src/nix/sign.ts
var sign = __webpack_require__(19178);
// EXTERNAL MODULE: ./node_modules/yaml/dist/index.js
var dist = __webpack_require__(38815);
// EXTERNAL MODULE: ./src/nearest.ts
var nearest = __webpack_require__(37909);
// EXTERNAL MODULE: ./src/ssh-config.ts
var ssh_config = __webpack_require__(90420);
;// CONCATENATED MODULE: ./src/setup/builders.ts




/**
 * Reads the input `builders`: Nix's machines format (one line per machine, or separated by `;`), or a YAML list.
 *
 * @throws UserError for the first builder that is wrong or has no host key.
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
        throw wrong(`neither Nix's machines format nor YAML: ${error.message.split('\n')[0]}`);
    }
    const list = Array.isArray(parsed) ? parsed : [parsed];
    return list.map(each => fromYaml(each));
}
/** The columns of the machines format: Nix manual, "Distributed builds". */
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
        throw wrong(`an entry is not a mapping: ${JSON.stringify(each)}.`);
    }
    for (const field of Object.keys(each)) {
        if (fields.includes(field))
            continue;
        const meant = (0,nearest/* nearest */.p)(field, fields);
        throw wrong(`unknown field '${field}'.`, meant === null ? `The fields are ${fields.join(', ')}.` : `Did you mean ${meant}?`);
    }
    return checked(each);
}
function checked(given) {
    const { protocol, address, ...uri } = hostOf(given);
    const systems = listOf(given, 'systems', address);
    if (systems.length === 0)
        throw wrong(`${address} has no system.`, 'Write one such as aarch64-linux.');
    return {
        protocol,
        address,
        user: userOf(given.user ?? uri.user, address),
        port: portOf(given.port ?? uri.port, address),
        systems,
        key: keyOf(given, address),
        hostKey: hostKeyOf(given, address),
        jobs: numberOf(given, 'jobs', address),
        speed: numberOf(given, 'speed', address),
        features: listOf(given, 'features', address),
        mandatoryFeatures: listOf(given, 'mandatory-features', address),
    };
}
/** `ssh-ng://user@address:port`, of which only the address is required. */
function hostOf(given) {
    const [, scheme, user, bracketed, plain, port] = /^(?:(ssh|ssh-ng):\/\/)?(?:([\w.$-]+)@)?(?:\[([0-9a-fA-F:]+)\]|([\w.%-]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(String(given.host ?? '')) ?? [];
    const address = bracketed ?? plain;
    if (address === undefined || address.startsWith('-')) {
        throw wrong(`the host '${String(given.host ?? '')}' is not an address.`, 'Write it as ssh-ng://user@address or user@address:port.');
    }
    return {
        protocol: scheme === 'ssh' ? 'ssh' : 'ssh-ng',
        address,
        user: user ?? null,
        port: port === undefined ? null : Number(port),
    };
}
function userOf(value, address) {
    if (value === null)
        return null;
    if (typeof value === 'string' && /^[A-Za-z0-9_][\w.$-]*$/.test(value))
        return value;
    throw wrong(`user of ${address} is not a user name: ${JSON.stringify(value)}.`);
}
function portOf(value, address) {
    if (value === null)
        return null;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536)
        return value;
    throw wrong(`port of ${address} is not a port number: ${JSON.stringify(value)}.`);
}
function listOf(given, name, address) {
    const value = given[name] ?? [];
    const words = Array.isArray(value) ? value : String(value).split(/[\s,]+/);
    if (words.every(word => typeof word === 'string' && /^[\w-]+$/.test(word)))
        return words;
    throw wrong(`${name} of ${address} is not a list of names: ${JSON.stringify(value)}.`);
}
function numberOf(given, name, address) {
    const value = given[name] ?? 1;
    if (typeof value === 'number' && value > 0 && (name === 'speed' || Number.isInteger(value)))
        return value;
    throw wrong(`${name} of ${address} is not a positive number: ${JSON.stringify(value)}.`);
}
function keyOf(given, address) {
    const { key, 'key-file': file } = given;
    if (key !== undefined && file !== undefined)
        throw wrong(`${address} has both key and key-file.`);
    if (typeof key === 'string' && /^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(key))
        return { text: `${key.trim()}\n` };
    if (key !== undefined)
        throw wrong(`key of ${address} is not a private SSH key.`, 'Copy the whole text of the file.');
    if (typeof file === 'string' && file.startsWith('/') && !/[\n"]/.test(file))
        return { file };
    if (file !== undefined)
        throw wrong(`key-file of ${address} is not an absolute path.`);
    return null;
}
function hostKeyOf(given, address) {
    const text = String(given['host-key'] ?? '').trim();
    const cure = `Copy it from /etc/ssh/ssh_host_ed25519_key.pub on that machine, or compare the output of \`ssh-keyscan ${address}\` with that file.`;
    if (text === '')
        throw wrong(`${address} has no host key.`, cure);
    // A line of known_hosts has the name before the key, a .pub file has a comment after it.
    const key = /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text)?.[1];
    if (key === undefined)
        throw wrong(`host-key of ${address} is not a host key.`, cure);
    return key;
}
function wrong(message, cure) {
    return new errors/* UserError */.yo(`input 'builders': ${message}`, {
        where: { input: 'builders' },
        ...(cure === undefined ? {} : { cure }),
    });
}
/** The machines' names for ssh and Nix: the address if it is unique. */
function aliases(builders) {
    return builders.map(({ address }, index) => {
        const once = builders.filter(other => other.address === address).length === 1;
        return once && !address.includes(':') ? address : `builder-${index + 1}`;
    });
}
/** The files that the daemon reads, by name; `directory` is where they will be. */
function builderFiles(builders, directory) {
    const names = aliases(builders);
    const at = (list, index) => list[index];
    const keys = builders.flatMap(({ key }, index) => key !== null && 'text' in key ? [[`key-${index + 1}`, key.text]] : []);
    const hosts = builders.map(({ address, user, port, key }, index) => {
        const identity = key === null ? null : 'text' in key ? `${directory}/key-${index + 1}` : key.file;
        const alias = at(names, index);
        const options = [
            `HostName ${address}`,
            `HostKeyAlias ${alias}`,
            ...(user === null ? [] : [`User ${user}`]),
            ...(port === null ? [] : [`Port ${port}`]),
            ...(identity === null ? [] : [`IdentityFile "${identity}"`, 'IdentitiesOnly yes', 'IdentityAgent none']),
        ];
        return { alias, options };
    });
    return {
        ...Object.fromEntries(keys),
        known_hosts: builders.map(({ hostKey }, index) => `${at(names, index)} ${hostKey}\n`).join(''),
        ssh_config: (0,ssh_config/* formatSshConfig */.w)({ knownHosts: `${directory}/known_hosts`, hosts }),
        machines: machinesLines(builders)
            .map(line => `${line}\n`)
            .join(''),
    };
}
/** Nix's machines format. Keys, ports and host keys are in `ssh_config` instead. */
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
 * The daemon's nix.conf: first the machine's own, then ours, then the user's; last the settings that nothing may change.
 *
 * The sandbox has no fallback: if Nix cannot use it, it must fail (NixOS/nix#13928).
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
/** The nix.conf of Nix's commands: the daemon's, and what only evaluation needs. Secrets are in another file. */
function clientConf(run) {
    return lines([
        `include ${(0,external_node_path_.join)(run.directory, 'daemon/nix.conf')}`,
        'accept-flake-config = false',
        `!include ${tokensFile(run)}`,
    ]);
}
/** The file with the token for private flake inputs: in memory, readable only by the user. */
function tokensFile(run) {
    return (0,external_node_path_.join)(run.directory, 'client/access-tokens');
}
function tokensConf(githubToken, ofUser) {
    return lines([...(githubToken === null ? [] : [`extra-access-tokens = github.com=${githubToken}`]), ofUser]);
}
/** A user without a name (a number, in a container) can only be allowed together with all others. */
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





/** Where sudo and the system's programs are, on NixOS too. */
const systemPath = '/run/wrappers/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';
/** Whether setup/root.sh can find this program. */
async function hasProgram(name) {
    const tries = systemPath.split(':').map(directory => (0,promises_.access)((0,external_node_path_.join)(directory, name), external_node_fs_.constants.X_OK));
    return Promise.any(tries).then(() => true, () => false);
}
/**
 * Runs a verb of setup/root.sh as root: directly, or through `sudo -n`.
 *
 * @param input for secrets and settings, since everyone on the machine can read arguments.
 * @throws UserError if there is no way to become root; CommandError if the verb fails.
 */
async function asRoot(context, run, verb, args = [], input = '') {
    return asRootOnMachine(context, ['sh', (0,assets/* asset */.L)('setup/root.sh'), verb, run.directory, ...args], input);
}
/** Runs a command as root: directly, or through `sudo -n`. @throws as `asRoot` */
async function asRootOnMachine(context, command, input = '') {
    const [program = '', ...args] = command;
    const direct = process.getuid?.() === 0;
    // Not our own environment: it contains inputs, and the daemon would keep it as long as it runs.
    const env = { PATH: systemPath, LC_ALL: 'C' };
    try {
        return direct
            ? await context.exec(program, args, { input, env })
            : await context.exec('sudo', ['-n', ...command], { input, env });
    }
    catch (error) {
        if (!direct &&
            error instanceof errors/* CommandError */.Qd &&
            (error.failure.kind === 'missing' || /^sudo: /m.test(error.stderr))) {
            throw new errors/* UserError */.yo('Setting up Nix needs root, and `sudo -n` failed.', {
                cure: 'Run the step as root, or allow its user to use sudo without a password.',
                cause: error,
            });
        }
        throw error;
    }
}

;// CONCATENATED MODULE: ./src/setup/daemon.ts





/** Variables of the job that the daemon gets: certificates, the ssh-agent and proxies. */
const passed = [
    'NIX_SSL_CERT_FILE',
    'SSH_AUTH_SOCK',
    ...['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [name, name.toUpperCase()]),
];
/**
 * Starts the daemon of this run as root with the settings `conf`, and ends an earlier one of this run. It has its own
 * socket, so that neither the machine's own daemon nor /etc/nix/nix.conf is changed, and it needs no init system.
 *
 * @throws Error with its output if it accepts no connection within 20 s.
 */
async function startDaemon(run, nix, conf, environment, context) {
    const input = `${variables(run, nix, environment)}${conf}`;
    await asRoot(context, run, 'daemon', [(0,external_node_path_.join)(nix.bin, 'nix-daemon')], input);
    const deadline = Date.now() + 20_000;
    while (!(await answers(socketOf(run)))) {
        if (Date.now() > deadline || context.signal.aborted) {
            const log = await (0,promises_.readFile)((0,external_node_path_.join)(run.directory, 'daemon/log'), 'utf8').catch(() => '');
            throw new Error(`Nix's daemon did not start within 20 s. ${log.trim().slice(-2000)}`);
        }
        await (0,external_node_timers_promises_.setTimeout)(5);
    }
}
/** The environment of root's Nix, as setup/root.sh reads it: one variable per line, then an empty line. */
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
/** The ELF executable for `system`; null if there is none. */
function probeProgram(system) {
    const program = programs[sameCode[system] ?? system];
    if (program === undefined)
        return null;
    const bytes = program.text.split('\n').map(line => /^ *([0-9a-f]{4,})(?: |$)/.exec(line)?.[1] ?? '');
    return executable(program, Buffer.from(bytes.join(''), 'hex'));
}
/** An ELF executable with one segment, which contains the headers and the code. */
function executable(program, code) {
    const wide = program.bits === 64;
    const [headerSize, segmentSize] = wide ? [64, 56] : [52, 32];
    const header = Buffer.alloc(headerSize + segmentSize);
    const base = 0x10000;
    const size = header.length + code.length;
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
    return Buffer.concat([header, code]);
}
/** Systems whose processors run the program of another system. */
const sameCode = { 'armv6l-linux': 'armv7l-linux' };

;// CONCATENATED MODULE: ./src/setup/binfmt.ts



/** Where the kernel lists its interpreters; empty if binfmt_misc is not mounted. */
const binfmtDirectory = '/proc/sys/fs/binfmt_misc';
/** Reads the file of one registration; null if it matches by a file name's extension. */
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
/** Whether this interpreter runs programs that start with `head`. */
function takes(registration, head) {
    const { enabled, offset, magic, mask } = registration;
    return (enabled && magic.every((byte, i) => ((head[offset + i] ?? 0) & (mask[i] ?? 0xff)) === (byte & (mask[i] ?? 0xff))));
}
/** The registrations that match programs of `system`. Only those with the flag F work in a sandbox. */
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
 * The line that registers `qemu` for programs of `system`.
 *
 * Magic and mask match, as Debian's and NixOS's do, an ELF header of that class and processor, with any OS ABI, of an
 * executable or position-independent executable. With the flag F the kernel opens the interpreter now, so that it works in
 * every sandbox. With P the program keeps its own argv[0], which qemu supports since 6.0 on Linux 5.12 and newer.
 */
function registrationLine(name, system, qemu) {
    const head = probeProgram(system);
    if (head === null)
        throw new Error(`there is no magic for ${system}`);
    const escaped = (bytes) => [...bytes].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    const magic = Buffer.from(head.subarray(0, 20));
    const mask = Buffer.alloc(20, 0xff);
    mask[7] = 0;
    mask[16] = 0xfe;
    return `:${name}:M::${escaped(magic)}:${escaped(mask)}:${qemu}:PF`;
}

;// CONCATENATED MODULE: ./src/setup/probe.ts





/**
 * Builds on this machine a derivation of `system` whose program tries to read a file of the machine, which only works
 * outside of a sandbox.
 */
async function prove(system, run, nix, context) {
    const program = probeProgram(system);
    if (program === null)
        return { ok: false, kind: 'none', log: '' };
    const file = (0,external_node_path_.join)(run.directory, 'client', `probe-${system}`);
    await (0,promises_.writeFile)(file, program, { mode: 0o755 });
    try {
        const { stdout } = await nix.run('nix-build', [
            (0,assets/* asset */.L)('nix/probe.nix'),
            '--no-out-link',
            ...['--argstr', 'system', system],
            ...['--argstr', 'program', file],
            ...['--argstr', 'outside', (0,external_node_path_.join)(run.directory, 'outside')],
            // Neither on a remote builder nor from a cache.
            ...['--option', 'builders', '', '--option', 'substitute', 'false'],
        ], { timeout: 120_000, signal: context.signal });
        const answer = await (0,promises_.readFile)(stdout.trim(), 'latin1');
        return { ok: true, machine: answer.split('\0')[0] ?? '' };
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.failure.kind === 'cancelled')
            throw error;
        const open = /exit code 7\b/.test(error.stderr);
        return { ok: false, kind: open ? 'open' : 'broken', log: error.code === null ? error.message : error.stderr };
    }
}
/** @throws UserError if builds are not isolated from the machine */
async function proveSandbox(system, run, nix, context) {
    const proof = await prove(system, run, nix, context);
    if (proof.ok || proof.kind === 'none')
        return;
    if (proof.kind === 'open') {
        throw new errors/* UserError */.yo("Nix's sandbox is disabled: a probe build could read a file of the machine.", {
            cure: 'Run on a machine where Nix can create namespaces; a container must be privileged.',
        });
    }
    throw new errors/* UserError */.yo(`A probe build in Nix's sandbox failed: ${lastError(proof.log)}`, {
        cure: 'Run on a machine where root can create namespaces and mounts; a container must be privileged.',
    });
}
/** The last line that is an error, or else the last line. */
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
/** The server could not be reached or kept failing; another source may work. */
class UnreachableError extends errors/* UserError */.yo {
    name = 'UnreachableError';
}
/** The server has no such file. */
class MissingError extends errors/* UserError */.yo {
    name = 'MissingError';
}
/** A failure that may be temporary; `wait` is the pause in milliseconds that the server asked for. */
class TemporaryError extends Error {
    wait;
    constructor(message, wait = null) {
        super(message);
        this.wait = wait;
    }
}
/**
 * Downloads `url` to `file` and checks status, content, length and hash. A file that is not as expected is removed.
 *
 * @param sha256 64 hex digits.
 * @throws UnreachableError, MissingError; UserError if the hash differs.
 */
async function download(url, file, sha256, context, patient = patience) {
    await retrying(url, context, patient, async (stall) => {
        const { body, length } = await request(url, context, stall);
        const { hash, size, head } = await write(file, body, stall);
        if (hash === sha256)
            return;
        await (0,promises_.rm)(file, { force: true });
        // Many proxies fail with an error page and status 200 (nix-quick-install-action#71); that may be temporary.
        if (isPage(head))
            throw new TemporaryError('the server sent an HTML page');
        if (length !== null && size !== length)
            throw new TemporaryError(`the server sent ${size} of ${length} bytes`);
        throw new errors/* UserError */.yo(`${url} is not used: its SHA-256 is ${hash}, not ${sha256}.`, {
            cure: 'Compare the hash with the one that the release publishes; if they differ, someone changed the file.',
        });
    });
}
/** The text of a small file. @throws UnreachableError, MissingError */
async function fetchText(url, context, patient = patience) {
    return retrying(url, context, patient, async (stall) => {
        const { body } = await request(url, context, stall);
        const chunks = [];
        await take(body, stall, chunk => chunks.push(chunk));
        const content = Buffer.concat(chunks);
        if (isPage(content))
            throw new TemporaryError('the server sent an HTML page');
        return content.toString();
    });
}
/** Retries `attempt` after temporary failures. @throws UnreachableError when all attempts have failed */
async function retrying(url, context, patient, attempt) {
    for (let count = 1;; count++) {
        const stall = new Stall(patient.stall, context.signal);
        try {
            return await attempt(stall);
        }
        catch (error) {
            if (error instanceof errors/* UserError */.yo || context.signal.aborted)
                throw error;
            if (error.code === 'ENOSPC') {
                throw new errors/* UserError */.yo(`The disk is full: there is no space to download ${url}.`, {
                    cure: 'Free space before the step.',
                    cause: error,
                });
            }
            const why = stall.over ? `the server sent nothing for ${patient.stall / 1000} s` : reason(error);
            // If a name does not resolve or there is no network, further attempts are unlikely to help.
            const attempts = isOffline(error) ? Math.min(2, patient.attempts) : patient.attempts;
            if (count >= attempts) {
                const after = `after ${count} ${count === 1 ? 'attempt' : 'attempts'}`;
                throw new UnreachableError(`${url} could not be downloaded ${after}: ${why}.`, {
                    cure: 'Set `nix-source` to a mirror or a local tarball.',
                    cause: error,
                });
            }
            const requested = error instanceof TemporaryError ? error.wait : null;
            const wait = Math.min(requested ?? patient.pause * 2 ** (count - 1), 60_000);
            context.log.info(`${url}: ${why}. Trying again in ${wait / 1000} s.`);
            await (0,external_node_timers_promises_.setTimeout)(wait, undefined, { signal: context.signal });
        }
        finally {
            stall.end();
        }
    }
}
/**
 * Sends one request and follows redirects. It uses Node's http because fetch takes 1.5 times as long for a file of 50 MB,
 * and the difference is as long as the rest of the set-up.
 */
async function request(url, context, stall, redirects = 5) {
    const agent = await proxyAgent(url, context);
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
            return request(next.href, context, stall, redirects - 1);
    }
    if (status === 404 || status === 410) {
        throw new MissingError(`${url} does not exist (status ${status}).`, {
            cure: 'Set `nix-version` to a released version, such as 2.34.4, or `nix-source` to a source that has it.',
        });
    }
    const after = Number(headers['retry-after'] ?? Number.NaN);
    throw new TemporaryError(`the server answered with status ${status}`, Number.isFinite(after) ? after * 1000 : null);
}
/**
 * An agent for the proxy that the environment names for `url`, if any: `https_proxy`, `http_proxy` and `no_proxy`, in upper
 * or lower case. The library reads them itself, and is only loaded if there are any.
 */
async function proxyAgent(url, { environment }) {
    if (!Object.keys(environment).some(name => /^https?_proxy$/i.test(name)))
        return undefined;
    const { HttpClient } = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942)]).then(__webpack_require__.bind(__webpack_require__, 44942));
    return new HttpClient('nix-ferry').getAgent(url);
}
/** Calls `each` with every chunk. It uses events, since an async iterator takes twice as long. */
async function take(body, stall, each) {
    body.on('data', (chunk) => {
        stall.received();
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
    // Synchronous: promises cost more than the writing, and nothing else needs this thread.
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
/** Ends a request that has received nothing for too long. */
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
    received() {
        this.#timer.refresh();
    }
    end() {
        clearTimeout(this.#timer);
    }
}

;// CONCATENATED MODULE: ./src/setup/qemu.ts







/** qemu's name for the processor of a system; null if the system is not Linux. */
function qemuName(system) {
    const processor = system.replace(/-linux$/, '');
    if (processor === system)
        return null;
    return { armv7l: 'arm', armv6l: 'arm', i686: 'i386' }[processor] ?? processor;
}
/**
 * A static qemu for `system`: the machine's own, or else the one in the distribution's package, which is extracted and not
 * installed (its scripts would register every processor that qemu supports, permanently).
 *
 * @returns its path, and a description of its origin.
 * @throws UserError if there is none.
 */
async function findQemu(system, run, context) {
    const name = qemuName(system);
    if (name === null)
        throw new errors/* UserError */.yo(`${system} cannot be emulated.`);
    for (const path of [`/usr/bin/qemu-${name}-static`, `/usr/bin/qemu-${name}`]) {
        if (await isStatic(path))
            return { path, from: path };
    }
    // Since Debian 13 and Ubuntu 25.04, the static programs are in qemu-user.
    for (const packaged of ['qemu-user-static', 'qemu-user']) {
        const path = await fromPackage(packaged, name, run, context);
        if (path !== null)
            return { path, from: `the distribution's ${packaged}` };
    }
    throw new errors/* UserError */.yo(`There is no static qemu for ${system} on this machine or in its distribution.`, {
        cure: 'Install qemu-user-static before the step, or run the job on a machine of that system.',
    });
}
/** The qemu that the input names, checked. @throws UserError */
async function givenQemu({ source, sha256 }, context) {
    const path = (0,external_node_path_.join)(context.scratch, `qemu-${sha256.slice(0, 16)}`);
    // It was checked for another system before; a registered program cannot be written.
    if (await isStatic(path))
        return { path, from: source };
    if (/^https?:/.test(source)) {
        await download(source, path, sha256, context);
    }
    else {
        await (0,promises_.copyFile)(source, path).catch(cause => {
            throw new errors/* UserError */.yo(`The qemu in \`qemu\` cannot be read: ${cause.message}`, { where: { input: 'qemu' }, cause });
        });
        const hash = (0,external_node_crypto_.createHash)('sha256')
            .update(await (0,promises_.readFile)(path))
            .digest('hex');
        if (hash !== sha256) {
            throw new errors/* UserError */.yo(`${source} is not used: its SHA-256 is ${hash}, not ${sha256}.`, {
                where: { input: 'qemu' },
            });
        }
    }
    await (0,promises_.chmod)(path, 0o755);
    if (!(await isStatic(path))) {
        throw new errors/* UserError */.yo(`${source} is not a static program and would not run in a sandbox.`, {
            where: { input: 'qemu' },
        });
    }
    return { path, from: source };
}
async function fromPackage(packaged, name, run, context) {
    const directory = (0,external_node_path_.join)(context.scratch, packaged);
    const fetch = `mkdir -p "$1" && cd "$1" && apt-get -qq download "$2"`;
    const download = () => context.exec('sh', ['-c', fetch, 'sh', directory, packaged]);
    const programs = [`${directory}/usr/bin/qemu-${name}-static`, `${directory}/usr/bin/qemu-${name}`];
    // It may already have been extracted for another system.
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
/** Whether it is an ELF program without an interpreter, which is the only kind that runs in a sandbox. */
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

// EXTERNAL MODULE: ./src/nix/version.ts
var nix_version = __webpack_require__(78547);
;// CONCATENATED MODULE: ./src/setup/settings.ts



/** Settings that `nix-conf` may not change, and why. `only` is the one value that is accepted. */
const fixed = {
    sandbox: { only: 'true', why: 'builds are always isolated.' },
    'build-use-sandbox': { only: 'true', why: 'builds are always isolated.' },
    'sandbox-fallback': {
        only: 'false',
        why: 'without a fallback, a missing sandbox is an error, not a silent risk.',
    },
    'accept-flake-config': {
        only: 'false',
        why: 'a flake could add its own caches and hooks; add them here instead.',
    },
    'allow-unsafe-native-code-during-evaluation': {
        only: 'false',
        why: 'a configuration could run any program here while it is evaluated.',
    },
    'build-users-group': { only: 'nixbld', why: 'builds run as the users in the group nixbld.' },
    builders: { only: '', why: 'remote builders are set by the input `builders`, with their keys and host keys.' },
};
/** Settings that contain secrets. They are written to a file in memory that only the user can read. */
const secret = ['access-tokens', 'extra-access-tokens'];
/**
 * Reads the input `nix-conf`, line by line.
 *
 * @param known the names of Nix's settings; null: names are not checked.
 * @throws UserError with the line, for what is not a setting and for what may not be set.
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
            throw wrong(`is not a setting: ${content}`, 'Write it as name = value.');
        const plain = name.replace(/^extra-(?!platforms$)/, '');
        const rule = fixed[plain];
        if (rule !== undefined && value !== rule.only)
            throw wrong(`sets ${name}: ${rule.why}`, 'Remove the line.');
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
async function settingNames(nix) {
    return Object.keys(await showSettings(nix));
}
/** Nix's settings, by name. */
async function showSettings(nix) {
    // `nix show-config` was renamed in 2.19.
    const show = (0,nix_version/* compareVersions */.Z)(nix.installation.version, '2.19') < 0 ? ['show-config'] : ['config', 'show'];
    const { stdout } = await nix.run('nix', [...show, '--json']);
    return JSON.parse(stdout);
}

;// CONCATENATED MODULE: ./src/setup/systems.ts

/** Nix's name of the system that Node runs on. */
function localSystem() {
    const processor = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64', arm: 'armv7l', ia32: 'i686' }[process.arch];
    return `${processor ?? process.arch}-${process.platform === 'darwin' ? 'darwin' : 'linux'}`;
}
/** The systems whose derivations Nix can build on this machine without emulation. */
async function ownSystems(nix) {
    const settings = await showSettings(nix);
    return new Set([settings.system?.value, settings['extra-platforms']?.value].flat().map(String));
}
/** The derivations, of all that `drvPaths` need, that no substituter has and that must be built. Builds nothing. */
async function mustBuild(drvPaths, nix, signal) {
    const missing = new Set();
    let building = false;
    await nix.run('nix-store', ['--realise', '--dry-run', ...drvPaths], {
        signal,
        onStderr: line => {
            // Nix's src/libmain/shared.cc: headings end with a colon, the paths below them are indented.
            const path = /^ +(\/\S+)$/.exec(line)?.[1];
            if (path === undefined)
                building = / will be built:$/.test(line);
            else if (building && path.endsWith('.drv'))
                missing.add(path);
        },
    });
    return [...missing];
}

;// CONCATENATED MODULE: ./src/setup/emulation.ts











/**
 * Registers emulators so that the kernel runs programs of `systems` in Nix's sandbox, adds the systems to Nix's settings,
 * and proves it with a build of each.
 *
 * @returns the settings of the daemon, which was restarted.
 * @throws UserError if a system cannot be emulated.
 */
async function emulate(systems, setUp, context) {
    const { run, found, config } = setUp;
    const nix = new src_nix/* Nix */.a(context, setUp.nix);
    for (const system of systems) {
        if (provableSystems.includes(system))
            continue;
        throw new errors/* UserError */.yo(`Derivations for ${system} must be built, and this system cannot be emulated.`, {
            cure: `Only ${provableSystems.join(', ')} can be emulated. Use a remote builder or a runner of that system.`,
        });
    }
    // One after the other: one package may contain the qemu of several.
    for (const system of systems) {
        if (runsByItself(system))
            continue;
        const active = await activeRegistration(system, run);
        if (active === null)
            await registerOwn(system, run, config, context);
        else
            context.log.info(`Emulation of ${system}: ${active.interpreter}, already registered as ${active.name}.`);
    }
    const settings = { ...setUp.settings, extraPlatforms: [...setUp.settings.extraPlatforms, ...systems] };
    await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
    await Promise.all(systems.map(system => proveEmulation(system, run, config, nix, context)));
    return settings;
}
/** If an emulator that the machine already had does not work, registers another one. */
async function proveEmulation(system, run, config, nix, context) {
    let proof = await prove(system, run, nix, context);
    const active = await activeRegistration(system, run);
    if (!proof.ok && active?.name !== registrationName(run, system)) {
        if (active !== null)
            context.log.warning(`${active.interpreter} (${active.name}) does not run here; trying another.`);
        // The kernel prefers the newest registration.
        await registerOwn(system, run, config, context);
        proof = await prove(system, run, nix, context);
    }
    if (!proof.ok) {
        throw new errors/* UserError */.yo(`Programs for ${system} do not run here under emulation: ${lastError(proof.log)}`, {
            where: { input: 'emulate' },
            cure: 'Set `qemu` to a newer static one, or use a remote builder or a runner of that system.',
        });
    }
    context.log.info(`A program for ${system} ran in the sandbox, on a machine that it sees as ${proof.machine}.`);
}
/** Many aarch64 processors also run 32-bit programs; if this one does not, the probe fails. */
function runsByItself(system) {
    return localSystem() === 'aarch64-linux' && /^armv[67]l-linux$/.test(system);
}
/**
 * The registration that runs a sandboxed program of `system`: the newest one with the flag F, the others do not work in a
 * sandbox. One of another run on this machine does not count, since it is removed when that run ends.
 */
async function activeRegistration(system, run) {
    const all = await registrationsOf(system);
    const ofAnotherRun = (name) => /^nix-ferry-[0-9a-f]{16}-/.test(name) && name !== registrationName(run, system);
    return all.find(({ name, flags }) => flags.includes('F') && !ofAnotherRun(name)) ?? null;
}
function registrationName(run, system) {
    return `${(0,external_node_path_.basename)(run.directory)}-${system}`;
}
async function registerOwn(system, run, config, context) {
    const { path, from } = config.qemu !== null ? await givenQemu(config.qemu, context) : await findQemu(system, run, context);
    await asRoot(context, run, 'register', [system], registrationLine(registrationName(run, system), system, path));
    context.log.info(`Emulation of ${system}: registered ${from}.`);
}

// EXTERNAL MODULE: ./src/nix/explain.ts
var explain = __webpack_require__(33468);
;// CONCATENATED MODULE: ./src/setup/find.ts





/** The oldest supported version: Debian 12's. */
const oldestNix = '2.8.0';
/** The garbage collector's root of a Nix that `setup/root.sh` installed. */
const ownRoot = '/nix/var/nix/gcroots/nix-ferry';
/**
 * Finds the first Nix, on PATH or where installers put it, that runs and is new enough.
 *
 * @param wanted the version that it must have; null: any.
 * @returns null if there is none; the log says why one was skipped.
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
            if ((0,nix_version/* compareVersions */.Z)(version, oldestNix) < 0) {
                context.log.info(`Skipping ${program}: Nix ${version} is older than ${oldestNix}.`);
            }
            else if (wanted !== null && version !== wanted) {
                context.log.info(`Skipping ${program}: it is Nix ${version}, not ${wanted}.`);
            }
            else {
                return { bin, version };
            }
        }
        catch (error) {
            context.log.info(`Skipping ${program}, which does not run: ${(0,errors/* explain */.WE)(error)}`);
        }
    }
    return null;
}
/** The last version number that `nix --version` prints: variants print names and numbers of their own before it. */
async function nixVersion(context, program) {
    const { stdout } = await context.exec(program, ['--version'], { timeout: 20_000 });
    const version = stdout.match(/\d+\.\d+(\.\d+)?/g)?.at(-1);
    if (version === undefined)
        throw new Error(`\`nix --version\` printed ${stdout.trim()}`);
    return version;
}

;// CONCATENATED MODULE: ./src/setup/release.ts








/** The version that is installed if none is requested. */
const pinnedVersion = '2.34.4';
/** Nix's official releases. */
const officialSource = 'https://releases.nixos.org/nix';
/** SHA-256 of the release tarballs, from the `install` script of each release. */
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
/** @throws UserError if it is neither a version, a version with a hash, nor `system` */
function parseVersion(text) {
    if (text === null || text.trim() === '')
        return { version: null, sha256: null, systemOnly: false };
    if (text.trim() === 'system')
        return { version: null, sha256: null, systemOnly: true };
    const [, version, sha256] = /^v?(\d+\.\d+(?:\.\d+)?)(?:@sha256:([0-9a-f]{64}))?$/.exec(text.trim()) ?? [];
    if (version !== undefined)
        return { version, sha256: sha256 ?? null, systemOnly: false };
    throw new errors/* UserError */.yo(`input 'nix-version': '${text.trim()}' is not a version.`, {
        where: { input: 'nix-version' },
        cure: `Write a version such as ${pinnedVersion}, a version with its hash such as ${pinnedVersion}@sha256:<64 hex digits>, or system.`,
    });
}
/**
 * Downloads a release tarball to the scratch directory, or finds the local one, and checks its hash.
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
    context.log.debug(`${url} has the expected SHA-256.`);
    return file;
}
async function publishedHash(url, context, patience) {
    const text = (await fetchText(url, context, patience)).trim();
    const hash = /^[0-9a-f]{64}(?=\s|$)/.exec(text)?.[0];
    if (hash === undefined)
        throw new errors/* UserError */.yo(`${url} does not contain a SHA-256.`, { where: { input: 'nix-source' } });
    context.log.info(`No hash is given for this version; trusting the one at ${url}: ${hash}.`);
    return hash;
}
async function localRelease(file, wanted, context) {
    if (!(await (0,promises_.stat)(file).catch(() => null))?.isFile()) {
        throw new errors/* UserError */.yo(`input 'nix-source': ${file} is not a file`, {
            where: { input: 'nix-source' },
            cure: "Write the part of a mirror's URL before `/nix-<version>/`, or the path of a release tarball.",
        });
    }
    const published = await (0,promises_.readFile)(`${file}.sha256`, 'utf8').catch(() => '');
    const expected = wanted.sha256 ?? /^[0-9a-f]{64}(?=\s|$)/.exec(published.trim())?.[0] ?? null;
    if (expected === null) {
        context.log.info(`No hash is given for ${file}; trusting it.`);
        return file;
    }
    const hash = (0,external_node_crypto_.createHash)('sha256');
    await (0,external_node_stream_promises_.pipeline)((0,external_node_fs_.createReadStream)(file), hash);
    const actual = hash.digest('hex');
    if (actual === expected)
        return file;
    throw new errors/* UserError */.yo(`${(0,external_node_path_.basename)(file)} is not used: its SHA-256 is ${actual}, not ${expected}.`, {
        where: { input: 'nix-source' },
        cure: 'Download the tarball again.',
    });
}
/** The distribution's CA certificates, which Nix finds by itself; null if there are none. */
async function systemCertificates() {
    for (const file of ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt']) {
        const exists = await (0,promises_.access)(file).then(() => true, () => false);
        if (exists)
            return file;
    }
    return null;
}

;// CONCATENATED MODULE: ./src/setup/install.ts







/** A program that unpacks releases is missing. */
class UnpackError extends errors/* UserError */.yo {
    name = 'UnpackError';
}
/**
 * Finds a suitable Nix on this machine, or else installs a release. If no particular one is requested and the releases
 * cannot be reached or unpacked, installs the distribution's Nix.
 *
 * @param prepared settles when the run's directories exist.
 * @throws UserError if none can be installed.
 */
async function findOrInstall(run, prepared, config, context) {
    const wanted = parseVersion(config.nixVersion);
    const found = await findNix(config.environment, wanted.version, context);
    if (found !== null)
        return found;
    if (wanted.systemOnly) {
        throw new errors/* UserError */.yo(`This machine has no Nix ${oldestNix} or newer, and \`nix-version\` is system.`, {
            where: { input: 'nix-version' },
            cure: 'Leave `nix-version` empty to install Nix.',
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
        throw new UnpackError(`Unpacking a release of Nix needs ${program}, which is not installed.`, {
            cure: `Before the step, install ${program} (on Debian and Ubuntu: ${program === 'xz' ? 'xz-utils' : program}) or Nix itself.`,
        });
    }
    const fetched = Promise.all([fetchRelease(wanted, config, context, config.patience), prepared]);
    // Root's part starts during the download and waits for the name of the checked file.
    const unpacked = asRoot(context, run, 'unpack', [], fetched.then(([file]) => file)).catch(error => {
        if (!(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
        const known = (0,explain/* explainNixError */.L)(error.stderr);
        throw new errors/* UserError */.yo(`The release of Nix could not be unpacked: ${known?.message ?? error.message}.`, {
            cure: known?.cure ?? 'Set `nix-version` or `nix-source` to another release.',
            cause: error,
        });
    });
    const [[tarball], { stdout }] = await Promise.all([fetched, unpacked]);
    const [path = '', certificates = ''] = stdout.trim().split('\n');
    const bin = (0,external_node_path_.join)(path, 'bin');
    // The name of a release contains its version. The probe of the sandbox shows that it runs.
    const version = /^nix-(\d+\.\d+(?:\.\d+)?)-/.exec((0,external_node_path_.basename)(tarball))?.[1] ?? (await nixVersion(context, (0,external_node_path_.join)(bin, 'nix')));
    context.log.info(`Installed Nix ${version} from ${tarball}.`);
    if ((await systemCertificates()) !== null)
        return { bin, version };
    return { bin, version, certificates: (0,external_node_path_.join)(certificates, 'etc/ssl/certs/ca-bundle.crt') };
}
/** Installs the distribution's Nix. @throws UserError if there is none or it is too old */
async function installPackage(run, config, context, why) {
    const cure = 'Set `nix-source` to a mirror or a local tarball, or install Nix before the step.';
    try {
        await asRoot(context, run, 'package', ['nix-bin']);
    }
    catch (error) {
        if (!(0,errors/* exitedWithFailure */.m1)(error))
            throw error;
        throw new errors/* UserError */.yo(`${why} The distribution's nix-bin could not be installed either: ${(0,errors/* explain */.WE)(error)}`, {
            cure,
            cause: error,
        });
    }
    const path = `/usr/bin:${config.environment.PATH ?? ''}`;
    const found = await findNix({ ...config.environment, PATH: path }, null, context);
    if (found === null)
        throw new errors/* UserError */.yo(`${why} The distribution's Nix is older than ${oldestNix}.`, { cure });
    context.log.notice(`${why} Using the distribution's Nix ${found.version} instead.`);
    return found;
}

;// CONCATENATED MODULE: ./src/setup/machine.ts







/**
 * The machine's own Nix, if it is suitable as it is: no input needs other settings, it accepts builds from this user, and
 * builds are isolated. Needs no root and changes nothing.
 *
 * @returns null if it is not suitable; the log says why.
 */
async function machineNix(config, context, ports) {
    const settings = config.nixConf.trim() !== '' || config.builders !== null || config.githubToken !== null;
    if (config.daemon === 'own' || settings || ports.cache !== undefined || config.nixVersion !== null)
        return null;
    const found = await findNix(config.environment, null, context);
    if (found === null)
        return null;
    const nix = { bin: found.bin, version: found.version, env: {} };
    // Not in the scratch directory: if build users could not read it, the probe would mistake that for a sandbox.
    const directory = await (0,promises_.mkdtemp)('/tmp/nix-ferry-probe-');
    try {
        await (0,promises_.chmod)(directory, 0o755);
        await (0,promises_.mkdir)((0,external_node_path_.join)(directory, 'client'));
        await (0,promises_.writeFile)((0,external_node_path_.join)(directory, 'outside'), 'outside\n');
        await proveSandbox(localSystem(), { directory }, new src_nix/* Nix */.a(context, nix), context);
        return { nix, found };
    }
    catch (error) {
        context.log.debug(`The machine's own Nix is not suitable as it is: ${(0,errors/* explain */.WE)(error)}`);
        return null;
    }
    finally {
        await (0,promises_.rm)(directory, { recursive: true, force: true });
    }
}

;// CONCATENATED MODULE: ./src/setup/remote.ts









/** Writes the files that the daemon needs for `builders` and reads when it starts. */
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
 * Builds a small derivation on each builder for each of its systems, all at once, before anything depends on them.
 *
 * @throws UserError for the first builder that cannot be reached, denies access, has another host key, or cannot build for
 *   a system in `builders`.
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
            // A path that exists on no machine, and that no other probe uses.
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
/** What ssh and Nix print and what it means. */
const meanings = [
    {
        pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|key is (?:not )?known|No .* host key is known/i,
        message: 'has a host key other than the one pinned in `builders`; nothing was sent to it.',
        cure: 'Compare the pinned key with /etc/ssh/ssh_host_ed25519_key.pub on that machine.',
    },
    {
        pattern: /Permission denied|Too many authentication failures|invalid format|error in libcrypto/,
        message: 'denied access.',
        cure: 'Add the public key to its authorized_keys, and the private key to `key`.',
    },
    {
        pattern: /timed out|refused|No route|Could not resolve|unreachable|Name or service|Connection (?:closed|reset)/i,
        message: 'cannot be reached.',
        cure: 'Check its address, port and firewall.',
    },
    {
        pattern: /(?:not found|No such file).*nix|nix-(?:daemon|store).*not found/i,
        message: 'has no Nix on the PATH of SSH sessions.',
        cure: 'Install Nix there for all users.',
    },
    {
        pattern: /is required to build|Required system|Failed to find a machine|Exec format error|executing .*probe/,
        message: 'cannot build for this system.',
        cure: 'Correct `systems` in `builders`.',
    },
];
function explainBuilder(builder, system, error) {
    const meaning = meanings.find(({ pattern }) => pattern.test(error.stderr));
    const detail = `(${lastError(error.stderr)})`;
    return new errors/* UserError */.yo(`The remote builder ${builder.address} (${system}) ${meaning?.message ?? 'failed to build a test derivation.'} ${detail}`, { where: { input: 'builders' }, ...(meaning === undefined ? {} : { cure: meaning.cure }), cause: error });
}

;// CONCATENATED MODULE: ./src/setup/config.ts
/** The key of `SetupPorts.saveState` for what `teardown` needs. */
const stateKey = 'setup';

;// CONCATENATED MODULE: ./src/setup/run.ts





/** Names a new run, and saves the name before anything is created with it. */
function newRun(ports) {
    const directory = `${memory()}/nix-ferry-${(0,external_node_crypto_.randomBytes)(8).toString('hex')}`;
    const run = { directory };
    ports.saveState(stateKey, JSON.stringify(run));
    return run;
}
/** A directory in memory, so that no key or token is ever written to a disk; /run if there is none. */
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
 * Removes everything that the set-up left: daemon, registrations, keys, tokens, files. Software stays: Nix with its store, a
 * package of the distribution, and the nixbld accounts, which a concurrent job may be using and no one can log in to.
 * Never throws; a failure is a warning.
 *
 * @param state what was saved under `stateKey`; nothing is done if it is empty.
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
            // A second Ctrl-C may reach it before it starts to ignore that.
            ended = await asRoot(context, run, 'end').then(() => true, error => {
                if (error instanceof errors/* CommandError */.Qd && error.failure.kind === 'signal' && error.failure.signal === 'SIGINT')
                    return false;
                throw error;
            });
        }
    }
    catch (error) {
        context.log.warning(`The files and processes of Nix's set-up could not be removed: ${(0,errors/* explain */.WE)(error)}`);
    }
}
function parseRun(state) {
    const parsed = JSON.parse(state);
    if (typeof parsed?.directory !== 'string' || !/^\/(run|dev\/shm)\/nix-ferry-[0-9a-f]{16}$/.test(parsed.directory)) {
        throw new Error('the saved state names no run');
    }
    return { directory: parsed.directory };
}

// EXTERNAL MODULE: ./src/nix/arguments.ts
var nix_arguments = __webpack_require__(40383);
// EXTERNAL MODULE: ./src/nix/pack.ts
var pack = __webpack_require__(91702);
;// CONCATENATED MODULE: ./src/setup/store-cache.ts







/** The format of an entry: incremented when older ones can no longer be used. */
const entryFormat = 1;
/**
 * The key of what this fleet builds, and the prefixes to look for if there is no such entry, the most similar first: the
 * same hosts with the same lock, other hosts with it, the same systems.
 */
function storeCacheKeys({ hosts, lock }) {
    const digest = (...parts) => (0,external_node_crypto_.createHash)('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
    const systems = [...new Set(hosts.map(host => host.system))].sort().join('+');
    const parts = [
        `nix-ferry-store-${entryFormat}-${systems}`,
        digest(lock ?? ''),
        digest(...hosts.map(host => host.name).sort()),
        digest(...hosts.map(host => host.drvPath).sort()),
    ];
    const upTo = (count) => `${parts.slice(0, count).join('-')}-`;
    return { key: parts.join('-'), prefixes: [upTo(3), upTo(2), upTo(1)] };
}
/**
 * Creates an empty cache, so that Nix's settings can refer to it before anything is restored. Its folders are created
 * here because the daemon would create them as root's.
 */
async function emptyStoreCache(directory) {
    await (0,promises_.rm)(directory, { recursive: true, force: true });
    await (0,promises_.mkdir)((0,external_node_path_.join)(directory, 'nar'), { recursive: true });
    await (0,promises_.mkdir)((0,external_node_path_.join)(directory, 'realisations'));
    await writeCacheInfo(directory);
}
/** Its priority is before those of public caches, which are 30 to 50. */
function writeCacheInfo(directory) {
    return (0,promises_.writeFile)((0,external_node_path_.join)(directory, 'nix-cache-info'), 'StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 10\n');
}
/**
 * Restores the entry and removes from it what is not signed by one of `trustedKeys`. Nix checks the rest again when it uses
 * it. Never throws: if it fails, it logs a warning and the cache is empty.
 *
 * @returns the key of the entry; null if there is none that can be used.
 */
async function restoreStoreCache(port, fleet, trustedKeys, nix, context) {
    const { key, prefixes } = storeCacheKeys(fleet);
    try {
        await emptyStoreCache(port.directory);
        const restored = await port.restore(key, prefixes);
        if (restored === null) {
            context.log.info('The store cache has no entry for this fleet.');
            return null;
        }
        await writeCacheInfo(port.directory);
        const entries = await removeUntrusted(port.directory, trustedKeys, nix, context);
        context.log.info(`Restored ${entries} paths from the store cache entry ${restored}.`);
        return entries === 0 ? null : restored;
    }
    catch (error) {
        context.log.warning(`The store cache is not used: ${(0,errors/* explain */.WE)(error)}`);
        await emptyStoreCache(port.directory).catch(() => undefined);
        return null;
    }
}
/** Removes the paths that none of `trustedKeys` signed. @returns how many are left */
async function removeUntrusted(directory, trustedKeys, nix, context) {
    const names = (await (0,promises_.readdir)(directory)).filter(name => name.endsWith('.narinfo'));
    if (names.length === 0)
        return 0;
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
        context.log.warning(`Ignoring ${untrusted.size} paths of the store cache that are not signed by a trusted key.`);
        await Promise.all([...untrusted].map(name => (0,promises_.rm)((0,external_node_path_.join)(directory, name))));
    }
    return names.length - untrusted.size;
}
/**
 * Saves what was built and no public cache has, from the toplevels' closures and from everything that was built for them;
 * nothing if the restored entry has all of it. Never throws: if it fails, it logs a warning.
 *
 * @param built the fleet, and the store paths of the toplevels that were built.
 */
async function writeStoreCache(port, { fleet, toplevels }, signingKey, nix, context) {
    const { key } = storeCacheKeys(fleet);
    try {
        const closure = await closureOfBuilt(fleet, toplevels, nix);
        const own = (await (0,sign/* publicKeyOf */.k)(signingKey, nix)).split(':')[0] ?? '';
        const paths = [...closure.values()].filter(info => !isPublic(info, own));
        const saved = new Set(await (0,promises_.readdir)(port.directory).catch(() => []));
        if (paths.every(({ path }) => saved.has((0,pack/* narInfoName */.Dt)(path)))) {
            context.log.info('The store cache already has everything that was built.');
            return;
        }
        const directory = (0,external_node_path_.join)(context.scratch, 'store-cache');
        await (0,pack/* pack */.qq)({ paths, closure, directory }, nix, context);
        const unsigned = paths.map(({ path }) => path);
        await (0,sign/* signPaths */.s)(directory, unsigned, signingKey, nix, context);
        await writeCacheInfo(directory);
        // The port's directory is part of what identifies the entry.
        await (0,promises_.rm)(port.directory, { recursive: true, force: true });
        await (0,promises_.rename)(directory, port.directory);
        if (await port.save(key))
            context.log.info(`Saved ${paths.length} paths in the store cache entry ${key}.`);
        else
            context.log.warning(`The store cache was not saved. If this entry exists already, delete it: \`gh cache delete ${key}\`.`);
    }
    catch (error) {
        if (!context.signal.aborted)
            context.log.warning(`The store cache was not saved: ${(0,errors/* explain */.WE)(error)}`);
    }
}
/** Whether a public cache has the path, which then has a signature by a key other than ours. */
function isPublic(info, own) {
    return info.signatures.some(signature => !signature.startsWith(`${own}:`));
}
/** The closure of the toplevels and of every output, of all derivations that the fleet needs, that is in the store. */
async function closureOfBuilt({ hosts }, toplevels, nix) {
    const query = async (words, paths) => {
        const found = [];
        for (const some of (0,nix_arguments/* inParts */.o)(paths)) {
            const { stdout } = await nix.run('nix-store', ['--query', ...words, ...some]);
            for (const path of stdout.split('\n'))
                if (path !== '')
                    found.push(path);
        }
        return found;
    };
    const required = await query(['--requisites'], hosts.map(host => host.drvPath));
    const outputs = await query(['--outputs'], required.filter(path => path.endsWith('.drv')));
    const closure = new Map();
    for (const some of (0,nix_arguments/* inParts */.o)([...new Set([...toplevels, ...(await nix.valid(outputs))])])) {
        for (const info of await nix.closure(some))
            closure.set(info.path, info);
    }
    return closure;
}

;// CONCATENATED MODULE: ./src/setup/root-nix.ts





/**
 * Runs `nix` as root, for what the daemon allows only users whom it trusts: importing paths. The user itself is never made
 * trusted, since builds and evaluation run as this user too.
 *
 * @throws CommandError if Nix fails; UserError if there is no way to become root.
 */
async function nixAsRoot({ run, found, config, nix: installation }, args, context) {
    const command = [(0,external_node_path_.join)(found.bin, 'nix'), ...args, '--extra-experimental-features', 'nix-command flakes'];
    if (run !== null) {
        await asRoot(context, run, 'direct', command, variables(run, found, config.environment));
        return;
    }
    try {
        // In the machine's own store, which may belong to this user.
        await new src_nix/* Nix */.a(context, installation).run('nix', args, { signal: context.signal });
    }
    catch (error) {
        if (!(0,errors/* exitedWithFailure */.m1)(error) || !/lacks a (valid )?signature|not (a )?trusted/.test(error.stderr))
            throw error;
        await asRootOnMachine(context, command);
    }
}

;// CONCATENATED MODULE: ./src/setup/index.ts
























/**
 * Finds or installs Nix, writes its settings, starts a daemon of this run, and proves that builds are isolated and that the
 * remote builders work.
 *
 * @throws UserError for a wrong input, before anything is changed; and if Nix cannot be installed, or not with a sandbox.
 */
async function setup(config, context, ports) {
    parseVersion(config.nixVersion);
    const conf = parseNixConf(config.nixConf, null);
    const builders = config.builders === null ? [] : parseBuilders(config.builders);
    const machine = await machineNix(config, context, ports);
    if (machine !== null) {
        context.log.info(`Using the machine's own Nix ${machine.found.version} in ${machine.found.bin}; its sandbox works.`);
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
    context.log.debug(`The daemon of Nix ${found.version} is running.`);
    await Promise.all([
        proveSandbox(localSystem(), run, new src_nix/* Nix */.a(context, nix), context),
        builders.length === 0 ? null : checkBuilders(run, builders, found, config.environment, context),
    ]);
    context.log.info(`Using Nix ${found.version} in ${found.bin}; its sandbox works.`);
    if (ports.publish !== undefined) {
        ports.publish.addPath(found.bin);
        ports.publish.setOutput('nix-version-installed', found.version);
        for (const [name, value] of Object.entries(nix.env))
            ports.publish.exportVariable(name, value);
    }
    return { nix, run, found, config, settings, builders };
}
/** Writes the files that must exist before the daemon starts, which needs no Nix. */
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
    parseNixConf(config.nixConf, await settingNames(withoutSettings(nix, context)));
}
/** For commands before the settings of the run exist. */
function withoutSettings(nix, context) {
    return new src_nix/* Nix */.a(context, { ...nix, env: { NIX_CONF_DIR: '/var/empty' } });
}
/** The directory of the store cache, and the keys that its paths may be signed by. */
async function storeCache(config, conf, nix, ports, context) {
    if (ports.cache === undefined || config.cache === 'never')
        return { directory: null, keys: [] };
    const signingKey = config.signingKey ?? null;
    const own = signingKey === null ? [] : [await (0,sign/* publicKeyOf */.k)(signingKey, withoutSettings(nix, context))];
    if (own.length + conf.trustedPublicKeys.length === 0) {
        context.log.info('The store cache is not used: it needs `signing-key`, so that no one else can add paths to it.');
        return { directory: null, keys: [] };
    }
    await emptyStoreCache(ports.cache.directory);
    return { directory: ports.cache.directory, keys: own };
}
/**
 * After evaluation: makes sure that what must be built can be built, and is not built again. A dry run shows what must be
 * built. If there is anything, the store cache is restored; if derivations of a system that neither this machine nor a
 * remote builder has are still to be built, that system is emulated.
 *
 * @throws UserError if `emulate` is `never` and a system would have to be emulated, or if emulation fails.
 */
async function prepareSystems(setUp, fleet, context, ports) {
    const { config, settings } = setUp;
    const foreign = fleet.hosts.filter(host => host.system !== localSystem());
    const cache = settings.substituters.length > 0 ? ports.cache : undefined;
    if (fleet.hosts.length === 0 || (foreign.length === 0 && cache === undefined))
        return setUp;
    const nix = new src_nix/* Nix */.a(context, setUp.nix);
    const drvPaths = fleet.hosts.map(host => host.drvPath);
    const query = config.emulate !== 'always' || cache !== undefined;
    let toBuild = query ? await mustBuild(drvPaths, nix, context.signal) : [];
    if (toBuild.length > 0 && cache !== undefined) {
        const keys = [...settings.trustedPublicKeys, ...parseNixConf(config.nixConf, null).trustedPublicKeys];
        const restored = await restoreStoreCache(cache, fleet, keys, nix, context);
        if (restored !== null && foreign.length > 0)
            toBuild = await mustBuild(drvPaths, nix, context.signal);
    }
    if (foreign.length === 0)
        return setUp;
    const needed = await foreignSystems(config.emulate === 'always' ? foreign : [], toBuild, setUp, nix);
    if (needed.size === 0)
        return setUp;
    if (config.emulate === 'never')
        throw wouldEmulate(needed);
    const own = await ownDaemon(setUp, context, ports);
    return { ...own, settings: await emulate([...needed.keys()], own, context) };
}
/** The systems that must be emulated, each with its derivations: those of `hosts` and those of `toBuild`. */
async function foreignSystems(hosts, toBuild, { builders }, nix) {
    const needed = new Map();
    const add = (system, drvPath) => {
        needed.set(system, [...(needed.get(system) ?? []), drvPath]);
    };
    for (const { system, drvPath } of hosts)
        add(system, drvPath);
    for (const [drvPath, system] of await (0,derivation/* systemsOf */.cT)(toBuild, nix))
        add(system, drvPath);
    const remote = builders.flatMap(builder => builder.systems);
    for (const system of [...(await ownSystems(nix)), ...remote, 'builtin'])
        needed.delete(system);
    return needed;
}
/**
 * For the set-up as a separate step with `emulate: always`, when no evaluation shows what is needed: emulates the other
 * of the two systems that runners have.
 *
 * @throws UserError when emulation fails.
 */
async function emulateOther(setUp, context, ports) {
    const other = localSystem() === 'x86_64-linux' ? 'aarch64-linux' : 'x86_64-linux';
    if ((await ownSystems(new src_nix/* Nix */.a(context, setUp.nix))).has(other))
        return setUp;
    const own = await ownDaemon(setUp, context, ports);
    return { ...own, settings: await emulate([other], own, context) };
}
/** A set-up with its own daemon, whose settings can be changed. */
async function ownDaemon(setUp, context, ports) {
    const { run, ...own } = setUp.run === null ? await setup({ ...setUp.config, daemon: 'own' }, context, ports) : setUp;
    if (run === null)
        throw new Error('a set-up with its own daemon must have a run');
    return { ...own, run };
}
/** After the build: saves what was built for later runs, if this run is trusted to. Never throws. */
async function saveStoreCache(setUp, fleet, toplevels, context, ports) {
    const { signingKey } = setUp.config;
    if (ports.cache === undefined || setUp.settings.substituters.length === 0 || toplevels.length === 0)
        return;
    if (signingKey === null)
        return;
    if (!ports.cache.trusted) {
        context.log.info('The store cache is not saved: later runs must not use what this event builds.');
        return;
    }
    await writeStoreCache(ports.cache, { fleet, toplevels }, signingKey, new src_nix/* Nix */.a(context, setUp.nix), context);
}
function wouldEmulate(needed) {
    const described = [...needed].map(([system, drvPaths]) => {
        const names = drvPaths.slice(0, 10).map(derivation/* derivationName */.Jt);
        const more = drvPaths.length > 10 ? ` and ${drvPaths.length - 10} more` : '';
        return `${drvPaths.length} for ${system}: ${names.join(', ')}${more}`;
    });
    const message = `Derivations for another system must be built, but \`emulate\` is never: ${described.join('; ')}.`;
    return new errors/* UserError */.yo(message, {
        where: { input: 'emulate' },
        cure: 'Run the job on a runner of that system (ubuntu-24.04-arm for aarch64-linux), add a remote builder to `builders`, ' +
            'use a cache that has them, or set `emulate: auto`.',
    });
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
