export const id = 995;
export const ids = [995,596];
export const modules = {

/***/ 73190:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ withStallLimit),
/* harmony export */   m: () => (/* binding */ exec)
/* harmony export */ });
/* harmony import */ var node_child_process__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(31421);
/* harmony import */ var node_child_process__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_child_process__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);
/**
 * Our own way to run programs. @actions/exec, which `Context.query` uses in the action (src/runner.ts), does not give its
 * caller the child process: it cannot cancel it, stop it after a time or write a promise to its input, it drops a last line
 * without a newline from line listeners, and it does not report signals.
 */



const keptStderr = 64 * 1024;
const graceMilliseconds = 5_000;
/** Characters after which a line is cut. Lines of Nix's log hold what a host's evaluation answered: some 100 KB. */
const longestLine = 16 * 1024 * 1024;
/** Milliseconds without output after which the pipes of a child that has exited are closed, and the limit in any case. */
const afterExit = { quiet: 1_000, limit: 10_000 };
/**
 * Runs a program, without a shell.
 *
 * Lines longer than 16 Mi characters are cut. A process that the child leaves behind may keep its pipes open: they are
 * read until nothing has arrived for one second after the child exited, for ten seconds at most.
 *
 * @throws CommandError when it exits with a code not in `allow`, is ended, or cannot be started.
 */
const exec = (command, args, options = {}) => new Promise((resolve, reject) => {
    const argv = [command, ...args];
    if (options.signal?.aborted) {
        reject(new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .CommandError */ .Qd(argv, { kind: 'cancelled' }, ''));
        return;
    }
    const child = start(command, args, options);
    const output = collect(child, options);
    const ending = endWhenAsked(child, options);
    if (options.stall)
        endWhenSilent(child, options.stall, ending.end);
    const fail = (failure) => reject(new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .CommandError */ .Qd(argv, failure, output.stderr().slice(-_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .stderrLimit */ .c3)));
    feed(child, options.input);
    // Also emitted if the child may not be ended because it runs as root (sudo); it is then left to itself.
    child.on('error', error => {
        ending.clear();
        fail(ending.cause() ?? notStarted(error, options.cwd));
    });
    child.once('exit', () => closeWhenQuiet(child));
    child.once('close', (code, signal) => {
        ending.clear();
        output.flush();
        if (code !== null && (options.allow ?? [0]).includes(code)) {
            resolve({ code, stdout: output.stdout(), stderr: output.stderr() });
        }
        else
            fail(ending.cause() ?? (code === null ? { kind: 'signal', signal: String(signal) } : { kind: 'exit', code }));
    });
});
/** @throws CommandError for what `spawn` itself refuses, such as arguments that are too long. */
function start(command, args, { cwd, env, input }) {
    try {
        return (0,node_child_process__WEBPACK_IMPORTED_MODULE_0__.spawn)(command, args, {
            cwd,
            env: env,
            stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        });
    }
    catch (error) {
        if (error.syscall === undefined)
            throw error;
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .CommandError */ .Qd([command, ...args], notStarted(error, cwd), '');
    }
}
function notStarted({ code, message }, cwd) {
    // `spawn` reports ENOENT for a missing directory too.
    if (cwd !== undefined && !(0,node_fs__WEBPACK_IMPORTED_MODULE_1__.existsSync)(cwd)) {
        return { kind: 'not-started', reason: `the directory ${cwd} does not exist` };
    }
    if (code === 'ENOENT')
        return { kind: 'missing' };
    if (code === 'EACCES' || code === 'EPERM')
        return { kind: 'not-permitted' };
    return { kind: 'not-started', reason: code ?? message };
}
function feed(child, input) {
    // A child that exits before it has read its input is judged by its exit code, not by the broken pipe.
    child.stdin?.on('error', () => undefined);
    if (input instanceof Promise) {
        input.then(text => child.stdin?.end(text), () => child.stdin?.end());
    }
    else
        child.stdin?.end(input);
}
/** Calls `end` if the child prints nothing for this many milliseconds. */
function endWhenSilent(child, milliseconds, end) {
    const timer = setTimeout(() => end({ kind: 'stalled', milliseconds }), milliseconds);
    for (const stream of [child.stdout, child.stderr])
        stream?.on('data', () => void timer.refresh());
    const clear = () => clearTimeout(timer);
    child.once('exit', clear).once('error', clear);
}
/** Ends the child at its time limit or when the run is cancelled; `cause` is why it was ended, null if it was not. */
function endWhenAsked(child, { timeout, signal }) {
    let cause = null;
    const end = (failure) => {
        cause ??= failure;
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), graceMilliseconds).unref();
    };
    const cancel = () => end({ kind: 'cancelled' });
    const timer = timeout === undefined ? undefined : setTimeout(() => end({ kind: 'timeout', milliseconds: timeout }), timeout);
    signal?.addEventListener('abort', cancel, { once: true });
    return {
        cause: () => cause,
        end,
        clear() {
            clearTimeout(timer);
            signal?.removeEventListener('abort', cancel);
        },
    };
}
/** Runs programs as `run` does; those that have no time limit of their own end after `milliseconds` without output. */
function withStallLimit(run, milliseconds) {
    return (command, args, options = {}) => run(command, args, options.timeout === undefined ? { stall: milliseconds, ...options } : options);
}
/** Gathers what the child prints. `flush` hands on the last line, if no newline ended it. */
function collect(child, { onStdout, onStdoutChunk, onStderr }) {
    const chunks = [];
    let stderr = '';
    const errors = readLines(child.stderr, line => {
        stderr += `${line}\n`;
        // Not for each line, because it copies the text.
        if (stderr.length > 4 * keptStderr)
            stderr = stderr.slice(-keptStderr);
        onStderr?.(line);
    });
    const lines = onStdout === undefined ? null : readLines(child.stdout, onStdout);
    if (lines === null)
        child.stdout?.on('data', onStdoutChunk ?? ((chunk) => chunks.push(chunk)));
    return {
        stdout: () => Buffer.concat(chunks).toString(),
        stderr: () => stderr.slice(-keptStderr),
        flush() {
            lines?.flush();
            errors.flush();
        },
    };
}
function readLines(stream, each) {
    // Joined only when the line is complete: appending to one string takes time quadratic in the length of a line.
    let parts = [];
    let length = 0;
    const add = (text) => {
        const part = text.slice(0, longestLine - length);
        if (part !== '')
            parts.push(part);
        length += part.length;
    };
    const complete = () => {
        const line = parts.join('');
        parts = [];
        length = 0;
        each(line);
    };
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk) => {
        const [first = '', ...others] = chunk.split('\n');
        add(first);
        for (const text of others) {
            complete();
            add(text);
        }
    });
    return { flush: () => (length > 0 ? complete() : undefined) };
}
/** Closes the pipes of a child that has exited once they are quiet; see `exec`. */
function closeWhenQuiet(child) {
    const streams = [child.stdout, child.stderr];
    const close = () => streams.forEach(stream => void stream?.destroy());
    let read = false;
    const heard = () => {
        read = true;
    };
    for (const stream of streams)
        stream?.on('data', heard);
    const look = () => {
        // Output that has already arrived is read first, even if this thread was busy for a while.
        setImmediate(() => {
            if (!read)
                return close();
            read = false;
            quiet.refresh();
        });
    };
    const quiet = setTimeout(look, afterExit.quiet);
    const limit = setTimeout(close, afterExit.limit);
    child.once('close', () => {
        clearTimeout(quiet);
        clearTimeout(limit);
    });
}


/***/ }),

/***/ 72228:
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
    const args = await argumentsFor(system, run);
    if (args === null)
        return { ok: false, kind: 'none', log: '' };
    try {
        const { stdout } = await nix.run('nix-build', [
            ...args,
            '--no-out-link',
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
/** The arguments that name the probe's derivation; null if there is no program for the system. */
async function argumentsFor(system, run) {
    const program = probeProgram(system);
    if (program === null)
        return null;
    const file = (0,external_node_path_.join)(run.directory, 'client', `probe-${system}`);
    await (0,promises_.writeFile)(file, program, { mode: 0o755 });
    return [
        (0,assets/* asset */.L)('nix/probe.nix'),
        ...['--argstr', 'system', system],
        ...['--argstr', 'program', file],
        ...['--argstr', 'outside', (0,external_node_path_.join)(run.directory, 'outside')],
    ];
}
/** Adds the probe's derivation to the store without building it. @throws CommandError if the store does not accept it. */
async function checkStore(system, run, nix, { signal }) {
    const args = await argumentsFor(system, run);
    if (args !== null)
        await nix.run('nix-instantiate', args, { timeout: 120_000, signal });
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
    const shell = missingSandboxPath(proof.log);
    if (shell !== null) {
        throw new errors/* UserError */.yo(`A probe build in Nix's sandbox failed: ${shell}, which the sandbox contains, does not exist.`, {
            cure: `Install the package that has it (${(0,external_node_path_.basename)(shell)}), or set \`sandbox-paths\` in \`nix-conf\` to paths that exist, for example \`/bin/sh=/bin/busybox\`.`,
        });
    }
    throw new errors/* UserError */.yo(`A probe build in Nix's sandbox failed: ${lastError(proof.log)}`, {
        cure: 'Run on a machine where root can create namespaces and mounts; a container must be privileged.',
    });
}
/** The path of the setting `sandbox-paths` that Nix did not find, which most often is its shell; null if it failed otherwise. */
function missingSandboxPath(log) {
    const [, path] = /getting (?:attributes of path|status of) [`'"]?(\/[^`'"\s]+?)[`'"]?: No such file or directory/.exec(log) ?? [];
    return path === undefined || path.startsWith('/nix/store/') ? null : path;
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

// EXTERNAL MODULE: ./src/setup/systems.ts
var systems = __webpack_require__(65807);
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
    return (0,systems/* localSystem */.T1)() === 'aarch64-linux' && /^armv[67]l-linux$/.test(system);
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
// EXTERNAL MODULE: ./src/nix/version.ts
var nix_version = __webpack_require__(78547);
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
    const system = (0,systems/* localSystem */.T1)();
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
 * builds are isolated; if nothing is built, it is enough that it accepts derivations. Needs no root and changes nothing.
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
        const check = config.builds ? proveSandbox : checkStore;
        await check((0,systems/* localSystem */.T1)(), { directory }, new src_nix/* Nix */.a(context, nix), context);
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

// EXTERNAL MODULE: ./src/setup/settings.ts
var setup_settings = __webpack_require__(29140);
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
        const own = (await (0,sign/* publicKeyOf */.kc)(signingKey, nix)).split(':')[0] ?? '';
        const paths = [...closure.values()].filter(info => !isPublic(info, own));
        const saved = new Set(await (0,promises_.readdir)(port.directory).catch(() => []));
        if (paths.every(({ path }) => saved.has((0,pack/* narInfoName */.Dt)(path)))) {
            context.log.info('The store cache already has everything that was built.');
            return;
        }
        const directory = (0,external_node_path_.join)(context.scratch, 'store-cache');
        await (0,pack/* pack */.qq)({ paths, closure, directory }, nix, context);
        const unsigned = paths.map(({ path }) => path);
        await (0,sign/* signPaths */.sT)(directory, unsigned, signingKey, nix, context);
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
 * Finds or installs Nix, writes its settings, starts a daemon of this run, and proves that remote builders work and, if
 * anything is to be built, that builds are isolated.
 *
 * @throws UserError for a wrong input, before anything is changed; and if Nix cannot be installed, or not with a sandbox.
 */
async function setup(config, context, ports) {
    parseVersion(config.nixVersion);
    const conf = (0,setup_settings/* parseNixConf */.XR)(config.nixConf, null);
    const builders = config.builders === null ? [] : parseBuilders(config.builders);
    const machine = await machineNix(config, context, ports);
    if (machine !== null) {
        context.log.info(`Using the machine's own Nix ${machine.found.version} in ${machine.found.bin}${provenSandbox(config)}.`);
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
        config.builds ? proveSandbox((0,systems/* localSystem */.T1)(), run, new src_nix/* Nix */.a(context, nix), context) : null,
        builders.length === 0 ? null : checkBuilders(run, builders, found, config.environment, context),
    ]);
    context.log.info(`Using Nix ${found.version} in ${found.bin}${provenSandbox(config)}.`);
    if (ports.publish !== undefined) {
        ports.publish.addPath(found.bin);
        ports.publish.setOutput('nix-version-installed', found.version);
        for (const [name, value] of Object.entries(nix.env))
            ports.publish.exportVariable(name, value);
    }
    return { nix, run, found, config, settings, builders };
}
function provenSandbox({ builds }) {
    return builds ? '; its sandbox works' : '';
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
    (0,setup_settings/* parseNixConf */.XR)(config.nixConf, await (0,setup_settings/* settingNames */.H$)(withoutSettings(nix, context)));
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
    const own = signingKey === null ? [] : [await (0,sign/* publicKeyOf */.kc)(signingKey, withoutSettings(nix, context))];
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
    const foreign = fleet.hosts.filter(host => host.system !== (0,systems/* localSystem */.T1)());
    const cache = settings.substituters.length > 0 ? ports.cache : undefined;
    if (fleet.hosts.length === 0 || (foreign.length === 0 && cache === undefined))
        return setUp;
    const nix = new src_nix/* Nix */.a(context, setUp.nix);
    const drvPaths = fleet.hosts.map(host => host.drvPath);
    const query = config.emulate !== 'always' || cache !== undefined;
    let toBuild = query ? await (0,systems/* mustBuild */.mc)(drvPaths, nix, context.signal) : [];
    if (toBuild.length > 0 && cache !== undefined) {
        const keys = [...settings.trustedPublicKeys, ...(0,setup_settings/* parseNixConf */.XR)(config.nixConf, null).trustedPublicKeys];
        const restored = await restoreStoreCache(cache, fleet, keys, nix, context);
        if (restored !== null && foreign.length > 0)
            toBuild = await (0,systems/* mustBuild */.mc)(drvPaths, nix, context.signal);
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
    for (const system of [...(await (0,systems/* ownSystems */.$y)(nix)), ...remote, 'builtin'])
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
    const other = (0,systems/* localSystem */.T1)() === 'x86_64-linux' ? 'aarch64-linux' : 'x86_64-linux';
    if ((await (0,systems/* ownSystems */.$y)(new src_nix/* Nix */.a(context, setUp.nix))).has(other))
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

/***/ 29140:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   H$: () => (/* binding */ settingNames),
/* harmony export */   XR: () => (/* binding */ parseNixConf),
/* harmony export */   l0: () => (/* binding */ showSettings)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);
/* harmony import */ var _nearest_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(37909);
/* harmony import */ var _nix_version_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(78547);



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
        const wrong = (message, cure) => new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`input 'nix-conf', line ${index + 1}, ${message}`, {
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
            const meant = (0,_nearest_js__WEBPACK_IMPORTED_MODULE_1__/* .nearest */ .p)(name, known) ?? (0,_nearest_js__WEBPACK_IMPORTED_MODULE_1__/* .nearest */ .p)(plain, known);
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
    const show = (0,_nix_version_js__WEBPACK_IMPORTED_MODULE_2__/* .compareVersions */ .Z)(nix.installation.version, '2.19') < 0 ? ['show-config'] : ['config', 'show'];
    const { stdout } = await nix.run('nix', [...show, '--json']);
    return JSON.parse(stdout);
}


/***/ }),

/***/ 65807:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $y: () => (/* binding */ ownSystems),
/* harmony export */   T1: () => (/* binding */ localSystem),
/* harmony export */   mc: () => (/* binding */ mustBuild)
/* harmony export */ });
/* harmony import */ var _settings_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(29140);

/** Nix's name of the system that Node runs on. */
function localSystem() {
    const processor = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64', arm: 'armv7l', ia32: 'i686' }[process.arch];
    return `${processor ?? process.arch}-${process.platform === 'darwin' ? 'darwin' : 'linux'}`;
}
/** The systems whose derivations Nix can build on this machine without emulation. */
async function ownSystems(nix) {
    const settings = await (0,_settings_js__WEBPACK_IMPORTED_MODULE_0__/* .showSettings */ .l0)(nix);
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


/***/ }),

/***/ 54343:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Ay: () => (/* binding */ queryLimit),
/* harmony export */   Q4: () => (/* binding */ explainStall),
/* harmony export */   RN: () => (/* binding */ inTime),
/* harmony export */   ux: () => (/* binding */ within)
/* harmony export */ });
/* harmony import */ var _amounts_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(94078);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);


/** Milliseconds for a short command that answers a question (`Query`): a file system may hang, and so may a lock of Git. */
const queryLimit = 120_000;
/**
 * Does `work` with a context whose signal is aborted after `seconds`; 0: no limit.
 *
 * @param input the input that sets the limit.
 * @throws UserError if the time is over before `work` has ended.
 */
async function inTime(context, input, seconds, work) {
    if (seconds === 0)
        return work(context);
    const time = AbortSignal.timeout(seconds * 1000);
    try {
        return await work({ ...context, signal: AbortSignal.any([context.signal, time]) });
    }
    catch (error) {
        if (!time.aborted || context.signal.aborted)
            throw error;
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`It took longer than \`${input}\`, ${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_1__/* .duration */ .p0)(seconds)}.`, {
            cure: `Raise \`${input}\`, or select fewer hosts with \`hosts\`.`,
            cause: error,
        });
    }
}
/** For a command that took too long: the error says in which stage, and which input to raise or where to look. */
function explainStall(error, stage) {
    if (!(error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd))
        return error;
    const { kind } = error.failure;
    if (kind !== 'stalled' && kind !== 'timeout')
        return error;
    const cures = {
        stalled: 'If it is only slow, raise `stall-timeout`.',
        timeout: 'Check that the disks and services that it uses answer, then run again.',
    };
    return new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`Stage ${stage}: ${error.message}.`, { cure: cures[kind], cause: error });
}
/**
 * The result of `request`, if it comes within so many seconds and before `signal` is aborted: the clients of GitHub's services
 * retry for 15 minutes and cannot be stopped.
 */
function within(seconds, request, signal) {
    return new Promise((resolve, reject) => {
        const giveUp = () => {
            end();
            reject(new Error(`the service did not answer within ${seconds} s.`));
        };
        const timer = setTimeout(giveUp, seconds * 1000);
        const end = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', giveUp);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        request.then(resolve, reject).finally(end);
    });
}


/***/ })

};
