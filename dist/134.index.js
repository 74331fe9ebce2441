export const id = 134;
export const ids = [134];
export const modules = {

/***/ 91134:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  cli: () => (/* binding */ cli)
});

// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: ./src/nix/index.ts
var src_nix = __webpack_require__(93779);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/demo/fleet.ts




/** The system of each host of the embedded fleet. */
const systems = { router: 'aarch64-linux', server: 'x86_64-linux' };
/**
 * Copies the embedded fleet into a new Git repository. The busyboxes that build it are committed too, because a flake sees
 * only what Git tracks.
 *
 * @param directory does not exist yet.
 * @param cache kept between runs; the busyboxes are downloaded into it from the distribution once.
 * @returns the path of a busybox for each host.
 * @throws UserError if the distribution's packages cannot be downloaded.
 */
async function copyFleet(directory, cache, context) {
    const { signal } = context;
    const embedded = (0,external_node_path_.dirname)((0,assets/* asset */.L)('examples/embedded/flake.nix'));
    const bootstrap = (0,external_node_path_.join)(cache, 'bootstrap');
    await fetchParts(['fetch-bootstrap.sh', bootstrap, ...Object.values(systems)], context);
    await (0,promises_.mkdir)(directory, { recursive: true });
    await (0,promises_.cp)(embedded, directory, { recursive: true });
    await (0,promises_.cp)(bootstrap, (0,external_node_path_.join)(directory, 'nixpkgs', 'bootstrap'), { recursive: true });
    // Without the user's Git settings (signing, hooks, ignored files).
    const env = { ...context.environment, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...args) => context.exec('git', ['-C', directory, ...args], { env, signal });
    await git('init', '--quiet');
    await git('add', '--all', '--force');
    const author = ['-c', 'user.name=Nix Ferry demo', '-c', 'user.email=demo@localhost'];
    await git(...author, 'commit', '--quiet', '--message', 'The embedded fleet');
    return new Map(Object.entries(systems).map(([host, system]) => [host, (0,external_node_path_.join)(bootstrap, system, 'busybox')]));
}
/** The directory with sshd and its libraries, downloaded once; null if the machine has sshd. */
async function sshdPackages(cache, present, context) {
    if (present)
        return null;
    const directory = (0,external_node_path_.join)(cache, `sshd-${await distribution()}`);
    await fetchParts(['fetch-sshd.sh', directory], context);
    return directory;
}
/** Runs a script that downloads packages of the distribution. @throws UserError with what the script printed */
async function fetchParts([script = '', ...args], context) {
    try {
        await context.exec('sh', [(0,assets/* asset */.L)(`examples/embedded/${script}`), ...args], { signal: context.signal });
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || context.signal.aborted)
            throw error;
        throw new errors/* UserError */.yo(`A part of the demo could not be downloaded: ${error.stderr.trim()}`, { cause: error });
    }
}
/** Such as `debian-12`: packages of one release do not work with the libraries of another. */
async function distribution() {
    const text = await (0,promises_.readFile)('/etc/os-release', 'utf8').catch(() => '');
    const field = (name) => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(text)?.[1] ?? 'unknown';
    return `${field('ID')}-${field('VERSION_ID')}`;
}

// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(31421);
// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(77030);
// EXTERNAL MODULE: external "node:timers/promises"
var external_node_timers_promises_ = __webpack_require__(58500);
// EXTERNAL MODULE: ./src/concurrency.ts
var concurrency = __webpack_require__(81532);
;// CONCATENATED MODULE: ./src/demo/target.ts








/** How long a target may take to answer, in milliseconds. */
const startTimeout = 20_000;
/**
 * Starts a target for each busybox, at 127.0.0.2, 127.0.0.3, … on free ports.
 *
 * @param state a directory of this run, which does not exist yet.
 * @throws UserError if root may not create namespaces on this machine.
 */
async function startTargets({ nix, busyboxes, sshd }, state, context) {
    const names = [...busyboxes.keys()];
    await (0,promises_.mkdir)(state, { mode: 0o700 });
    await Promise.all([
        makeKey((0,external_node_path_.join)(state, 'key'), context),
        writeNix(state, nix),
        ...names.map(name => makeKey((0,external_node_path_.join)(state, name), context)),
        ...names.map(name => (0,promises_.mkdir)((0,external_node_path_.join)(state, `${name}.root`))),
    ]);
    await (0,promises_.writeFile)((0,external_node_path_.join)(state, 'authorized_keys'), await (0,promises_.readFile)((0,external_node_path_.join)(state, 'key.pub')));
    const children = [];
    const end = async () => {
        await Promise.all(children.map(stop));
    };
    try {
        const places = await (0,concurrency/* mapConcurrently */.X)([...busyboxes], busyboxes.size, async ([name, busybox], index) => {
            const place = { name, address: `127.0.0.${index + 2}`, port: await freePort(`127.0.0.${index + 2}`) };
            children.push(await start(state, place, busybox, sshd, context));
            return place;
        });
        const hostKeys = places.map(async ({ name, address, port }) => {
            const [type, key] = (await (0,promises_.readFile)((0,external_node_path_.join)(state, `${name}.pub`), 'utf8')).split(' ');
            return `[${address}]:${port} ${type} ${key}\n`;
        });
        const knownHosts = (await Promise.all(hostKeys)).join('');
        await (0,promises_.writeFile)((0,external_node_path_.join)(state, 'known_hosts'), knownHosts);
        return {
            yaml: places.map(({ name, address, port }) => `${name}: root@${address}:${port}\n`).join(''),
            knownHosts,
            deployKey: await (0,promises_.readFile)((0,external_node_path_.join)(state, 'key'), 'utf8'),
            addresses: new Map(places.map(({ name, address, port }) => [name, `root@${address}:${port}`])),
            async ask(name, command) {
                const place = places.find(each => each.name === name);
                if (place === undefined)
                    throw new Error(`there is no target ${name}`);
                const { stdout } = await context.exec('ssh', [...sshArguments(state, place.address, place.port), command]);
                return stdout.trim();
            },
            end,
        };
    }
    catch (error) {
        await end();
        throw error;
    }
}
function sshArguments(state, address, port) {
    const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'StrictHostKeyChecking=yes'];
    return [
        ...['-F', 'none', '-i', (0,external_node_path_.join)(state, 'key'), '-p', String(port)],
        ...[...options, `UserKnownHostsFile=${(0,external_node_path_.join)(state, 'known_hosts')}`].flatMap(option => ['-o', option]),
        `root@${address}`,
    ];
}
async function makeKey(path, context) {
    await context.exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'nix-ferry demo', '-f', path]);
}
/** Writes which Nix the targets get: this machine's, with all paths that it needs. */
async function writeNix(state, nix) {
    const { bin } = nix.installation;
    const real = bin === null ? '/usr/bin' : await (0,promises_.realpath)(bin);
    await (0,promises_.writeFile)((0,external_node_path_.join)(state, 'nix-bin'), real);
    await (0,promises_.writeFile)((0,external_node_path_.join)(state, 'nix-paths'), await nixPaths(real, nix));
}
async function nixPaths(bin, nix) {
    if (bin.startsWith('/nix/store/'))
        return (await nix.run('nix-store', ['--query', '--requisites', bin])).stdout;
    // The targets have /usr. Elsewhere, the libraries are expected next to the programs.
    return ['/usr/bin', '/bin'].includes(bin) ? '' : `${(0,external_node_path_.dirname)(bin)}\n`;
}
async function freePort(address) {
    return await new Promise((resolve, reject) => {
        const server = (0,external_node_net_.createServer)();
        server.once('error', reject);
        server.listen(0, address, () => {
            const bound = server.address();
            server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0));
        });
    });
}
/** The words before a command that needs root. */
function rootWords() {
    return process.getuid?.() === 0 ? [] : ['sudo', '-n'];
}
async function start(state, { name, address, port }, busybox, sshd, context) {
    const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
    const script = [(0,assets/* asset */.L)('examples/embedded/target.sh'), state, name, address, String(port), busybox, sshd ?? ''];
    const [command = '', ...args] = [...rootWords(), 'unshare', ...namespaces, 'sh', ...script];
    // Not in the foreground process group: Ctrl-C reaches this process, which then stops the target.
    const child = (0,external_node_child_process_.spawn)(command, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => undefined);
    child.stdout.resume();
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
        said = (said + text).slice(-4096);
    });
    let ended = false;
    child.once('error', error => {
        said += error.message;
        ended = true;
    });
    child.once('close', () => {
        ended = true;
    });
    const until = Date.now() + startTimeout;
    while (!(await answers(address, port))) {
        if (context.signal.aborted)
            await stop(child);
        if (ended || context.signal.aborted || Date.now() > until) {
            await stop(child);
            context.signal.throwIfAborted();
            throw new errors/* UserError */.yo(`The target ${name} did not start: ${said.trim() || 'its SSH server does not answer'}.`, {
                cure: 'The demo needs a machine on which root may mount and create namespaces: a real or virtual one, or a privileged container.',
            });
        }
        await (0,external_node_timers_promises_.setTimeout)(30);
    }
    return child;
}
/** Whether an SSH server answers at the port. */
async function answers(address, port) {
    return await new Promise(resolve => {
        const socket = (0,external_node_net_.connect)({ host: address, port, timeout: 2_000 });
        const settle = (answer) => {
            socket.destroy();
            resolve(answer);
        };
        socket.once('data', data => settle(data.toString().startsWith('SSH-')));
        for (const event of ['error', 'timeout', 'close'])
            socket.once(event, () => settle(false));
    });
}
/** The target ends when its standard input is closed, so it also ends if this program dies. */
async function stop(child) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
        return;
    const closed = new Promise(resolve => child.once('close', () => resolve()));
    child.stdin?.end();
    const timer = setTimeout(() => child.kill('SIGTERM'), 5_000);
    await closed;
    clearTimeout(timer);
}
/**
 * Checks, before anything else, that the machine has what the demo needs.
 *
 * @throws UserError for the first requirement that is not met.
 */
async function checkMachine(context) {
    const tries = [
        [['git', '--version'], 'Git is not installed.', 'Run `apt-get install git`.'],
        [['ssh', '-V'], 'ssh is not installed.', 'Run `apt-get install openssh-client`.'],
        [['apt-get', '--version'], 'apt-get is not installed, and the demo is made from packages of Debian or Ubuntu.', ''],
    ];
    if (process.getuid?.() !== 0) {
        tries.push([
            ['sudo', '-n', 'true'],
            'The demo needs root, and `sudo -n` does not work.',
            'Run it as root, or as a user with sudo without a password.',
        ]);
    }
    tries.push([
        [...rootWords(), 'unshare', '--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
        'Root may not create namespaces and mount in them on this machine.',
        'Run the demo on a real or virtual machine, or in a privileged container.',
    ]);
    for (const [[command = '', ...args], message, cure] of tries) {
        try {
            await context.exec(command, args, { timeout: 20_000, signal: context.signal });
        }
        catch (error) {
            if (!(error instanceof errors/* CommandError */.Qd))
                throw error;
            context.signal.throwIfAborted();
            throw new errors/* UserError */.yo(message, { ...(cure === '' ? {} : { cure }), cause: error });
        }
    }
}

;// CONCATENATED MODULE: ./src/demo/index.ts






/**
 * Builds the embedded fleet, an x86_64 server and an aarch64 router, and deploys it to targets inside this machine. Then
 * asks the targets what they run, and runs the pipeline again to show that nothing is left to do.
 *
 * Leaves nothing behind except downloads, and Nix if it had to be installed.
 *
 * @returns whether the targets run what was built.
 * @throws UserError if the machine cannot run the demo.
 */
async function demo(ports, context) {
    const { say } = ports;
    const begun = performance.now();
    await checkMachine(context);
    const foreign = process.arch === 'arm64' ? systems.server : systems.router;
    const source = (0,external_node_path_.join)(context.scratch, 'fleet');
    say('Preparing a copy of examples/embedded in a Git repository, Nix, and targets inside this machine.');
    const parts = [
        copyFleet(source, ports.cache, context),
        sshdPackages(ports.cache, (0,external_node_fs_.existsSync)('/usr/sbin/sshd'), context),
        ports.prepare(foreign),
    ];
    // If one fails, wait until none of them is running.
    await Promise.allSettled(parts);
    const [busyboxes, sshd, prepared] = await Promise.all(parts);
    let targets;
    try {
        const nix = new src_nix/* Nix */.a(context, prepared);
        targets = await startTargets({ nix, busyboxes, sshd }, (0,external_node_path_.join)(context.scratch, 'targets'), context);
        say(`Nix ${prepared.version}; ${seconds(begun)} so far.`);
        for (const [name, system] of Object.entries(systems)) {
            say(`  ${name.padEnd(8)}${system.padEnd(15)}${targets.addresses.get(name)}`);
        }
        const inputs = {
            source,
            targets: targets.yaml,
            'known-hosts': targets.knownHosts,
            'deploy-key': targets.deployKey,
        };
        say('\n$ ferry run --mode switch');
        const switched = await ports.run({ ...inputs, mode: 'switch' });
        context.signal.throwIfAborted();
        if (!allEnded(switched, ['deployed']))
            return false;
        say('\nThe targets report:');
        const facts = await Promise.all(Object.keys(systems).map(name => inspect(name, targets)));
        for (const fact of facts) {
            say(`  ${fact.name.padEnd(8)}runs ${fact.current}`);
            say(`          profile ${fact.profile}; its own uname -m: ${fact.machine}; hello: ${fact.hello}`);
        }
        if (!facts.every(fact => isTrue(fact, switched))) {
            say('This is not what was planned.');
            return false;
        }
        say('\n$ ferry run --mode dry-activate      # again: nothing is left to do');
        const again = await ports.run({ ...inputs, mode: 'dry-activate' });
        context.signal.throwIfAborted();
        const idle = allEnded(again, ['unchanged', 'planned']) && again.outcomes.every(each => count(each.units) === 0);
        say(idle ? `\nBoth hosts run what their source says. ${seconds(begun)} in total.` : '\nSomething would still change.');
        return idle;
    }
    finally {
        await targets?.end();
    }
}
/** Whether the run finished with one of `outcomes` for every host of the fleet. */
function allEnded(run, outcomes) {
    const hosts = Object.keys(systems);
    return (run.error === null &&
        run.outcomes.length === hosts.length &&
        run.outcomes.every(each => hosts.includes(each.host) && outcomes.includes(each.outcome)));
}
function count(units) {
    return Object.values(units).reduce((sum, names) => sum + names.length, 0);
}
async function inspect(name, targets) {
    const sw = '/run/current-system/sw/bin';
    const said = await targets.ask(name, `readlink -f /run/current-system && readlink -f /nix/var/nix/profiles/system && ${sw}/uname -m && ${sw}/hello`);
    const [current = '', profile = '', machine = '', hello = ''] = said.split('\n');
    return { name, current, profile, machine, hello };
}
function isTrue({ name, current, profile, machine }, run) {
    const host = run.fleet?.hosts.find(each => each.name === name);
    return (host !== undefined && current === host.toplevel.outPath && profile === current && `${machine}-linux` === host.system);
}
function seconds(begun) {
    return (0,amounts/* duration */.p0)((performance.now() - begun) / 1000);
}

// EXTERNAL MODULE: ./src/inputs.ts + 10 modules
var inputs = __webpack_require__(44452);
// EXTERNAL MODULE: ./src/pipeline.ts + 10 modules
var pipeline = __webpack_require__(27368);
// EXTERNAL MODULE: ./src/report/index.ts + 4 modules
var report = __webpack_require__(17401);
// EXTERNAL MODULE: ./src/setup/index.ts + 19 modules
var setup = __webpack_require__(72228);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/deploy/index.ts + 21 modules
var deploy = __webpack_require__(29208);
// EXTERNAL MODULE: ./src/exec.ts
var exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/scratch.ts
var src_scratch = __webpack_require__(7897);
// EXTERNAL MODULE: ./src/time-limits.ts
var time_limits = __webpack_require__(54343);
;// CONCATENATED MODULE: ./src/terminal.ts










/** @param secretVariables see Deployer. */
async function openTerminal(env, secretVariables = {}) {
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    // Every signal, not only the first: a second one (timeout(1) sends two, and so does an impatient user) must not interrupt
    // the cleanup. A terminal that is closed sends SIGHUP.
    process.on('SIGINT', cancel).on('SIGTERM', cancel).on('SIGHUP', cancel);
    const scratch = await (0,promises_.realpath)(await (0,promises_.mkdtemp)((0,external_node_path_.join)((0,src_scratch/* scratchParent */.d)((0,external_node_os_.tmpdir)()), 'ferry-')));
    const progress = (0,report.openProgress)(process.stderr, env.CI === undefined && env.TERM !== 'dumb');
    const cache = (0,external_node_path_.join)(env.XDG_CACHE_HOME ?? (0,external_node_path_.join)(env.HOME ?? scratch, '.cache'), 'nix-ferry');
    const context = {
        exec: exec/* exec */.m,
        query: (command, args, options) => (0,exec/* exec */.m)(command, args, { ...options, timeout: time_limits/* queryLimit */.Ay }),
        log: terminalLog(progress, env.FERRY_DEBUG === '1'),
        progress: event => progress.event(event),
        signal: cancelled.signal,
        scratch,
        environment: env,
    };
    return {
        context,
        cache,
        line: text => progress.line(text),
        async within(work) {
            const state = new Map();
            const saveState = (key, value) => {
                state.set(key, value);
                (0,external_node_fs_.writeFileSync)((0,external_node_path_.join)(scratch, `state-${key}`), value);
            };
            try {
                return await work(portsOf(env, cache, saveState, secretVariables));
            }
            finally {
                progress.end();
                await (0,deploy/* endLeftSession */.Bu)(scratch, exec/* exec */.m);
                await (0,setup/* teardown */.zN)(state.get(setup/* stateKey */.bP), context);
            }
        },
        async close() {
            progress.end();
            await (0,promises_.rm)(scratch, { recursive: true, force: true });
        },
    };
}
/** What a runner would offer a step, on a person's machine. */
function portsOf(environment, cache, saveState, secretVariables) {
    const who = `${(0,external_node_os_.userInfo)().username}@${(0,external_node_os_.hostname)()}`;
    return {
        setup: { saveState },
        machine: { daemon: 'any', environment },
        archives: { directory: (0,external_node_path_.join)(process.cwd(), 'archives'), artifacts: null },
        planCache: (0,external_node_path_.join)(cache, 'plans'),
        repository: null,
        branch: null,
        pull: null,
        previewed: null,
        deployer: { who, run: null, ownSsh: true, ownCode: true, secretVariables },
    };
}
function terminalLog(progress, debug) {
    const secrets = [];
    const line = (kind, message, where) => {
        const number = where?.line === undefined ? '' : `:${where.line}`;
        const place = where?.file === undefined ? '' : `${where.file}${number}: `;
        progress.line(secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), `${kind}${place}${message}`));
    };
    return {
        debug: message => (debug ? line('debug: ', message) : undefined),
        info: message => line('', message),
        notice: (message, where) => line('note: ', message, where),
        warning: (message, where) => line('warning: ', message, where),
        error: (message, where) => line('error: ', message, where),
        // A shorter one is part of everything.
        secret: secret => void (secret.trim().length > 3 && secrets.push(secret)),
    };
}

;// CONCATENATED MODULE: ./src/demo-command.ts








const about = `ferry demo

Build an example fleet of an x86_64 and an aarch64 host and deploy it to two machines that run inside this one.

Needs Debian or Ubuntu, and root or sudo without a password. Downloads are kept in $XDG_CACHE_HOME/nix-ferry/demo.
Everything else is removed, except Nix if the demo had to install it.
`;
/**
 * The command `demo`: connects the demo to the pipeline.
 *
 * @returns how it ended, as a name of an exit code in src/cli.ts.
 */
async function demoCommand(words) {
    if (words.some(word => word === '--help' || word === '-h')) {
        process.stdout.write(about);
        return 'ok';
    }
    if (words.length > 0)
        throw new errors/* UserError */.yo(`Unexpected argument '${words[0]}'.`, { cure: 'The demo takes no flags.' });
    const terminal = await openTerminal(process.env);
    const { context } = terminal;
    try {
        // The targets' emulation lasts longer than the runs that deploy to them, as with real machines.
        const ended = await terminal.within(outer => demo({
            cache: (0,external_node_path_.join)(terminal.cache, 'demo'),
            async prepare(system) {
                const config = (0,inputs/* readInputs */.Ko)({ emulate: 'always', cache: 'never' }, name => `--${name}`);
                const setUp = await (0,setup/* setup */.mj)({ ...config.setup, ...outer.machine, builds: true }, context, outer.setup);
                const hosts = [{ name: 'demo', drvPath: '', system }];
                return (await (0,setup/* prepareSystems */.qr)(setUp, { hosts, lock: null }, context, outer.setup)).nix;
            },
            async run(given) {
                const config = (0,inputs/* readInputs */.Ko)(given, name => `--${name}`);
                const directory = (0,external_node_path_.join)(context.scratch, 'archives');
                const done = await terminal.within(ports => (0,pipeline.run)('run', config, { ...ports, archives: { directory, artifacts: null }, planCache: null }, context));
                await (0,report.report)(done, context.log, null);
                process.stdout.write((0,report.text)(done));
                return done;
            },
            say: line => process.stdout.write(`${line}\n`),
        }, context));
        return context.signal.aborted ? 'cancelled' : ended ? 'ok' : 'deploy';
    }
    catch (error) {
        if (!context.signal.aborted)
            throw error;
        terminal.line('Cancelled. Everything that the demo made has been removed.');
        return 'cancelled';
    }
    finally {
        await terminal.close();
    }
}

// EXTERNAL MODULE: ./src/environment.ts
var src_environment = __webpack_require__(92678);
// EXTERNAL MODULE: external "node:util"
var external_node_util_ = __webpack_require__(57975);
;// CONCATENATED MODULE: ./src/flags.ts




const switches = { json: 'Print the result as JSON on standard output.', help: 'Show this text.' };
/**
 * Reads flags that are named like the inputs: `--mode switch` or `--mode=switch`; `--comment` alone means true.
 *
 * A secret is never read from an argument, because every process of the machine can see the arguments: its flag names a
 * file (`-`: standard input), or the variable `FERRY_DEPLOY_KEY`, `FERRY_SIGNING_KEY` or `FERRY_GITHUB_TOKEN` holds it.
 *
 * @throws UserError for the first flag that is wrong.
 */
function readFlags(args, allowed, env) {
    const flags = { inputs: secretsIn(env, allowed), switches: new Set(), words: [] };
    const tokens = tokensOf(args, allowed);
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
        if (token.kind === 'positional')
            flags.words.push(token.value);
        if (token.kind !== 'option')
            continue;
        const { name, rawName } = token;
        if (!rawName.startsWith('--') && name !== 'help')
            throw new errors/* UserError */.yo(`There is no flag ${rawName}.`);
        if (isSwitch(name)) {
            if (token.value !== undefined)
                throw new errors/* UserError */.yo(`--${name} takes no value.`);
            flags.switches.add(name);
            continue;
        }
        const declared = allowed.includes(name) ? inputs/* inputs */.QL.get(name) : undefined;
        if (declared === undefined)
            throw (0,inputs/* unknownInput */.pv)(name, [...allowed, ...Object.keys(switches)], flag => `--${flag}`);
        flags.inputs[name] = flagValue(name, declared, token.value ?? followingBoolean(declared, tokens));
    }
    return flags;
}
/** Not strict: our own errors suggest what was meant. */
function tokensOf(args, allowed) {
    const options = { help: { type: 'boolean', short: 'h' } };
    for (const name of [...allowed, ...Object.keys(switches)]) {
        const declared = inputs/* inputs */.QL.get(name);
        const type = declared === undefined || isBoolean(declared) ? 'boolean' : 'string';
        options[name] = { ...options[name], type };
    }
    return (0,external_node_util_.parseArgs)({ args: [...args], options, strict: false, tokens: true }).tokens;
}
function isSwitch(name) {
    return Object.hasOwn(switches, name);
}
function isBoolean(declared) {
    return declared.default === 'false';
}
/** `--comment` alone means true, `--comment false` false. */
function followingBoolean(declared, tokens) {
    if (!isBoolean(declared))
        return undefined;
    const [next] = tokens;
    if (next?.kind !== 'positional' || !['true', 'false'].includes(next.value))
        return 'true';
    tokens.shift();
    return next.value;
}
function flagValue(name, { secret, long }, value) {
    const where = { input: name };
    if (value === undefined)
        throw new errors/* UserError */.yo(`--${name} needs a value.`, { where });
    if (secret && /\n|PRIVATE KEY/.test(value)) {
        throw new errors/* UserError */.yo(`--${name} takes the name of a file, not the secret: other users can see arguments.`, {
            where,
            cure: `Write --${name} FILE, --${name} - for standard input, or set ${variableOf(name)}.`,
        });
    }
    if (secret)
        return readText(name, value);
    return long && value.startsWith('@') ? readText(name, value.slice(1)) : value;
}
function secretsIn(env, allowed) {
    const names = allowed.filter(name => inputs/* inputs */.QL.get(name)?.secret === true && env[variableOf(name)]);
    return Object.fromEntries(names.map(name => [name, env[variableOf(name)] ?? '']));
}
function variableOf(name) {
    return `FERRY_${name.toUpperCase().replaceAll('-', '_')}`;
}
function readText(name, file) {
    try {
        return (0,external_node_fs_.readFileSync)(file === '-' ? 0 : file, 'utf8');
    }
    catch (error) {
        throw new errors/* UserError */.yo(`--${name}: ${file} cannot be read: ${error.message}.`, { where: { input: name } });
    }
}
/** Columns of a line of help, and where its descriptions begin. */
const width = 110;
const indent = 28;
/** The headings of `--help`, in their order. An input of several groups is listed in the first one. */
const headings = {
    plan: 'Source and hosts',
    deploy: 'Deployment',
    preview: 'Preview',
    build: 'Building',
    setup: 'Nix and caches',
    archive: 'Making archives',
    fetch: 'Deploying existing archives',
    report: 'Report',
    targetSetup: 'Gate of the target',
};
/** The text of `--help` for one command. */
function help(usage, about, allowed) {
    const shown = new Set();
    const sections = Object.keys(headings).map(group => {
        const names = (0,inputs/* namesOf */.eZ)(group).filter(name => allowed.includes(name) && !shown.has(name));
        for (const name of names)
            shown.add(name);
        return names.length === 0 ? '' : `${headings[group]}:\n${names.map(inputRow).join('\n')}\n\n`;
    });
    const general = Object.entries(switches).map(([name, text]) => row(`  --${name}`, text));
    return `${usage}\n\n${about}\n\n${sections.join('')}General:\n${general.join('\n')}\n`;
}
function inputRow(name) {
    const { default: fallback, description, words, secret } = inputs/* inputs */.QL.get(name);
    const value = secret ? 'FILE' : words.length > 0 ? words.join('|') : fallback === 'false' ? '' : 'VALUE';
    const said = fallback === '' || fallback === 'false' || secret ? '' : ` Default: ${fallback}`;
    return row(`  --${name} ${value}`.trimEnd(), `${description.replaceAll('`', '')}${said}`);
}
/** A flag and its description, in lines of `width`. */
function row(flag, description) {
    const lines = [''];
    for (const word of description.split(' ')) {
        const line = lines.at(-1) ?? '';
        if (indent + line.length + 1 + word.length > width)
            lines.push(word);
        else
            lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
    const below = lines.map(line => ' '.repeat(indent) + line);
    if (flag.length > indent - 2)
        return [flag, ...below].join('\n');
    return [flag.padEnd(indent) + lines[0], ...below.slice(1)].join('\n');
}

// EXTERNAL MODULE: ./src/nearest.ts
var nearest = __webpack_require__(37909);
// EXTERNAL MODULE: ./src/step.ts
var src_step = __webpack_require__(84353);
// EXTERNAL MODULE: ./src/deploy/failure.ts
var failure = __webpack_require__(34457);
// EXTERNAL MODULE: ./src/deploy/gate.ts
var deploy_gate = __webpack_require__(97772);
// EXTERNAL MODULE: ./src/deploy/remote.ts
var remote = __webpack_require__(61361);
// EXTERNAL MODULE: ./src/deploy/reply.ts
var deploy_reply = __webpack_require__(50847);
// EXTERNAL MODULE: ./src/deploy/session.ts + 1 modules
var deploy_session = __webpack_require__(81903);
// EXTERNAL MODULE: ./src/deploy/values.ts
var deploy_values = __webpack_require__(28625);
// EXTERNAL MODULE: ./src/plan/fleet.ts
var fleet = __webpack_require__(1127);
// EXTERNAL MODULE: ./src/plan/index.ts + 28 modules
var plan = __webpack_require__(78223);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./src/activation-script.ts
var activation_script = __webpack_require__(28299);
// EXTERNAL MODULE: ./src/preview/describe.ts
var describe = __webpack_require__(25927);
;// CONCATENATED MODULE: ./src/target-setup/files.ts





const place = '/var/lib/nix-ferry-gate/current';
const socket = '/run/ferry-gate.socket';
/** The script that sets a gate up on a target. Its last line calls what both parts define. */
function setupScript() {
    return ['setup-look.sh', 'setup.sh'].map(gateFile).join('');
}
/**
 * The files of a gate on its target, by name, and their version: files of the same version are the same.
 * target/gate/setup.sh says where they are there.
 */
function gateFiles(gate) {
    const files = {
        gate: gateFile('gate.sh'),
        root: gateFile('root.sh'),
        serve: gateFile('serve.sh'),
        setup: setupScript(),
        activate: (0,activation_script/* activationScript */.s)(),
        describe: (0,describe/* describeScript */.N)(),
        settings: [
            `socket ${socket}`,
            `host ${gate.host}`,
            `signing-keys ${gate.signingKeys.join(' ')}`,
            `cache-keys ${gate.cacheKeys.join(' ')}`,
            `allow-older ${gate.allowOlder}`,
            '',
        ].join('\n'),
        keys: [
            ...gate.deployKeys.map(key => authorize('deploy', key)),
            ...gate.previewKeys.map(key => authorize('preview', key)),
            '',
        ].join('\n'),
        'nix.conf': `extra-trusted-public-keys = ${gate.signingKeys.join(' ')}\n`,
    };
    for (const name of ['ferry-gate.socket', 'ferry-gate@.service', 'ferry-gate-keep.service', 'nix-daemon.conf']) {
        files[name] = gateFile(name);
    }
    const version = (0,external_node_crypto_.createHash)('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 32);
    return { files, version };
}
function gateFile(name) {
    return (0,external_node_fs_.readFileSync)((0,assets/* asset */.L)(`target/gate/${name}`), 'utf8');
}
/** A line of authorized_keys, as the module writes it (target/gate.nix). */
function authorize(kind, { type, base64, comment }) {
    return `restrict,command="/bin/sh ${place}/gate ${kind} ${type} ${base64}" ${type} ${base64} ${comment}`.trim();
}
/** What to write into the configuration of the machine, which has the same effect. */
function moduleText(gate) {
    const { host, deployKeys, previewKeys, signingKeys, cacheKeys, allowOlder } = gate;
    const ssh = ({ type, base64, comment }) => `${type} ${base64} ${comment}`.trim();
    const options = [
        'enable = true;',
        `host = ${nixString(host)};`,
        ...nixList('signingKeys', signingKeys),
        ...nixList('cacheKeys', cacheKeys),
        ...nixList('deployKeys', deployKeys.map(ssh)),
        ...nixList('previewKeys', previewKeys.map(ssh)),
        ...(allowOlder ? ['allowOlder = true;'] : []),
    ];
    return [
        'imports = [ (nix-ferry + "/target/module.nix") ];',
        'services.nix-ferry.gate = {',
        ...options.map(line => `  ${line}`),
        '};',
        '',
    ].join('\n');
}
/** An option that is a list; nothing if it is empty. */
function nixList(name, values) {
    if (values.length === 0)
        return [];
    return [`${name} = [`, ...values.map(value => `  ${nixString(value)}`), '];'];
}
function nixString(text) {
    return `"${text.replaceAll(/["\\]|\$(?=\{)/g, '\\$&')}"`;
}

// EXTERNAL MODULE: ./src/target-setup/keys.ts
var keys = __webpack_require__(15085);
;// CONCATENATED MODULE: ./src/target-setup/index.ts












/** Milliseconds for each of the two calls. */
const callTime = 300_000;
/** Why the machine cannot be set up. */
class Refused extends Error {
}
/** The connection was lost when the machine may have begun. */
class Lost extends Error {
}
/**
 * Makes the gate of restricted keys on a machine whose configuration does not have the module (target/gate.nix), or takes it
 * away again.
 *
 * @param name a host in `targets`, or an address as `user@address:port`.
 * @throws UserError before anything is changed, for inputs that are wrong.
 */
async function setUpTarget(name, config, context) {
    const target = targetCalled(name, config.targets);
    if (!config.remove)
        checkGate(config);
    const [reached] = (0,deploy/* aliasTargets */.PK)([{ host: name, target }]);
    if (reached === undefined)
        throw new Error('no target');
    const session = (0,fleet/* isLocal */.IX)(target)
        ? (0,deploy_session/* localSession */.qA)(context)
        : await (0,deploy/* openTargets */.Rs)([reached], { ...config.access, parallel: 1 }, context);
    const reach = { alias: reached.alias, target: reached.target, session };
    try {
        return config.remove ? await remove(name, reach, context) : await install(name, config, reach, context);
    }
    catch (error) {
        return { done: 'failed', host: name, message: whyFailed(error, reach) };
    }
    finally {
        await session.close();
    }
}
function targetCalled(name, targets) {
    const given = Object.hasOwn(targets, name) ? targets[name] : undefined;
    const target = (0,plan/* targetOf */.$r)((0,plan/* parseTargetSettings */.ae)(given ?? name, given === undefined ? 'HOST' : `targets.${name}`));
    if (target === null) {
        throw new errors/* UserError */.yo(`targets.${name} has no address.`, { where: { input: 'targets' }, cure: 'Write one.' });
    }
    if (!(0,deploy_gate/* throughGate */.zj)(target))
        return target;
    throw new errors/* UserError */.yo(`The user ${deploy_gate/* gateUser */.Lh} is the one that target-setup makes, and can only speak to the gate.`, {
        cure: `Write an administrator's user, as in \`root@${target.address}\`.`,
    });
}
/** @throws UserError as the module's assertions would. */
function checkGate({ gateDeployKeys, gatePreviewKeys, gateSigningKeys }) {
    if (gateDeployKeys.length + gatePreviewKeys.length === 0) {
        throw new errors/* UserError */.yo('There is no key for the gate.', {
            where: { input: 'gate-deploy-keys' },
            cure: 'Write --gate-deploy-keys @deploy.pub, --gate-preview-keys @preview.pub, or both.',
        });
    }
    if (gateDeployKeys.length > 0 && gateSigningKeys.length === 0) {
        throw new errors/* UserError */.yo('--gate-deploy-keys needs --gate-signing-keys: nothing could be deployed.', {
            where: { input: 'gate-signing-keys' },
            cure: '`nix key generate-secret --key-name NAME | tee secret | nix key convert-secret-to-public` makes a key.',
        });
    }
    const both = gatePreviewKeys.find(key => gateDeployKeys.some(other => (0,keys/* sameKey */.el)(key, other)));
    if (both !== undefined) {
        throw new errors/* UserError */.yo(`A key is in both --gate-deploy-keys and --gate-preview-keys: ${both.comment || both.type}.`, {
            where: { input: 'gate-preview-keys' },
            cure: 'Remove it from one of them, or make a second key.',
        });
    }
}
async function install(name, config, reach, context) {
    const there = await call(reach, 'look', [], context);
    if (there.get('owner') === 'module') {
        throw new Refused('its configuration has services.nix-ferry.gate already, or something else has made /etc/ssh/authorized_keys.d/nix-ferry: change the keys there');
    }
    const obstacle = there.get('obstacle');
    if (obstacle !== '')
        throw new Refused(obstacle ?? 'its answer is incomplete');
    checkNix(there.get('nix') ?? '');
    const gate = {
        host: config.gateHost ?? (Object.hasOwn(config.targets, name) ? name : (there.get('hostname') ?? '')),
        deployKeys: config.gateDeployKeys,
        previewKeys: config.gatePreviewKeys,
        signingKeys: config.gateSigningKeys,
        cacheKeys: config.gateCacheKeys,
        allowOlder: config.gateAllowOlder,
    };
    const { files, version } = gateFiles(gate);
    const values = Object.entries(files).map(([file, text]) => [file, (0,deploy_values/* encode */.lF)(text)]);
    const done = await change(reach, 'install', [version], context, values);
    return {
        done: 'set-up',
        changed: done.get('changed') === 'yes',
        host: gate.host,
        target: (0,fleet/* targetName */.je)({ ...reach.target, user: deploy_gate/* gateUser */.Lh }),
        module: moduleText(gate),
    };
}
/** The oldest Nix that has all that a gate needs. */
const oldestNix = [2, 8];
function checkNix(version) {
    const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
    const [least, then] = oldestNix;
    if (major > least || (major === least && minor >= then))
        return;
    throw new Refused(`it has Nix ${version || 'of an unknown version'}, and a gate needs ${least}.${then} or later`);
}
async function remove(name, reach, context) {
    const there = await call(reach, 'look', [], context);
    if (there.get('obstacle') === 'this needs root')
        throw new Refused('this needs root');
    const done = await change(reach, 'remove', [], context);
    return { done: 'removed', changed: done.get('changed') === 'yes', host: name };
}
/** A call that changes the machine. @throws Lost, and as `call` */
async function change(...args) {
    try {
        return await call(...args);
    }
    catch (error) {
        const [{ target }, verb, , { signal }] = args;
        if (!(0,deploy_session/* isConnectionError */.Rk)(error) && !signal.aborted)
            throw error;
        throw new Lost(`The connection to ${target.address} ended before its answer to \`${verb}\`. If the machine has received everything, it completes the command by itself. Run it again to find out`);
    }
}
/**
 * Calls a verb of target/gate/setup.sh.
 *
 * @returns its answer.
 * @throws Refused if it failed; CommandError if there was no answer.
 */
async function call({ alias, target, session }, verb, args, { signal }, files = []) {
    const script = setupScript();
    const bootstrap = 'self=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$self"';
    const words = ['sh', '-c', bootstrap, 'nix-ferry', String(Buffer.byteLength(script)), verb, ...args];
    const command = [...(0,remote/* escalationOf */.B4)(target), ...words].map(remote/* quote */.hD).join(' ');
    const { reply, read } = (0,deploy_reply/* replyReader */.w)();
    const options = { input: script + (0,deploy_values/* valueLines */.Hd)(files), onStdout: read, timeout: callTime, signal };
    const { stderr } = await session.ssh(alias, command, options);
    const { values } = reply;
    if (values.get('end') === 'failed')
        throw new Refused(`${values.get('why')}. The machine is as it was`);
    if (values.has('end'))
        return values;
    throw new errors/* CommandError */.Qd(['ssh'], { kind: 'exit', code: 1 }, stderr || 'the answer is incomplete');
}
function whyFailed(thrown, { target, session, alias }) {
    const error = (0,deploy_gate/* explainRefusal */.GC)(thrown, target);
    const { address } = target;
    if (error instanceof Lost)
        return `${error.message}.`;
    if (error instanceof Refused)
        return `${address} cannot be set up: ${error.message}.`;
    if (error instanceof deploy_gate/* GateRefusal */.I) {
        return `${address} accepts this key only for its gate: target-setup needs an administrator's access.`;
    }
    if ((0,deploy_session/* isConnectionError */.Rk)(error)) {
        const access = { publicKey: session.publicKey, keyName: session.keyNames.get(alias) ?? null };
        return (0,failure/* connectionFailure */.D)(error, target, 'probe', access).message;
    }
    if (!(error instanceof errors/* CommandError */.Qd))
        throw error;
    const said = error.stderr.trim().split('\n').slice(-4).join('\n') || error.message;
    return `${address} cannot be set up: ${said}`;
}

;// CONCATENATED MODULE: ./src/target-setup-command.ts






const targetSetupAbout = 'Prepare a NixOS machine for restricted keys (services.nix-ferry.gate).';
const usage = 'ferry target-setup HOST [flags]';
const more = `${targetSetupAbout}

HOST is an address, as user@address:port, or a host in --targets; the user is root, or may use sudo without a password.
The last lines that it prints belong in the configuration of the machine.`;
/**
 * The command `target-setup`.
 *
 * @param given the environment with the variables for secrets. @param own that of this process now.
 * @returns how it ended, as a name of an exit code in src/cli.ts.
 * @throws UserError for arguments that are wrong.
 */
async function targetSetupCommand(args, given, own) {
    const flags = readFlags(args, src_step/* inputsOfTargetSetup */.FI, given);
    if (flags.switches.has('help')) {
        process.stdout.write(help(usage, more, src_step/* inputsOfTargetSetup */.FI));
        return 'ok';
    }
    const host = hostOf(flags);
    const config = (0,inputs/* readInputs */.Ko)(flags.inputs, name => `--${name}`, src_step/* inputsOfTargetSetup */.FI);
    const terminal = await openTerminal(own);
    const { context } = terminal;
    try {
        const result = await terminal.within(({ deployer: { ownSsh } }) => {
            const access = { ...config.deploy, ownSsh };
            return setUpTarget(host, { ...config.targetSetup, targets: config.plan.targets, access }, context);
        });
        if (result.done === 'failed')
            context.log.error(result.message);
        process.stdout.write(flags.switches.has('json') ? `${JSON.stringify(result, null, 2)}\n` : target_setup_command_text(result));
        if (context.signal.aborted)
            return 'cancelled';
        return result.done === 'failed' ? 'deploy' : 'ok';
    }
    finally {
        await terminal.close();
    }
}
function hostOf({ words: [host, extra] }) {
    if (host !== undefined && extra === undefined)
        return host;
    throw new errors/* UserError */.yo(host === undefined ? `Missing arguments: the command is \`${usage}\`.` : `Unexpected argument '${extra}'.`, { cure: '`ferry target-setup --help` lists the flags.' });
}
function target_setup_command_text(result) {
    switch (result.done) {
        case 'failed':
            return '';
        case 'removed':
            return result.changed ? `The gate of ${result.host} is removed.\n` : `${result.host} had no gate to remove.\n`;
        case 'set-up': {
            const { host, target, module, changed } = result;
            const done = changed ? 'accepts these keys now' : 'accepted these keys already; nothing was changed';
            return `The gate of ${host} ${done}.

Write into \`targets\`:

  ${host}: ${target}

Write into the configuration of the machine, so that its next systems have the gate:

${module.replaceAll(/^(?=.)/gm, '  ')}`;
        }
    }
}

// EXTERNAL MODULE: ./src/version.ts
var version = __webpack_require__(311);
;// CONCATENATED MODULE: ./src/cli.ts












const commands = {
    plan: one('plan', 'Evaluate the hosts and show what would be built and where it would be deployed.'),
    build: one('build', "Build each host's closure."),
    archive: one('archive', "Build each host's closure and write it to ./archives, as files that Nix can import."),
    preview: {
        usage: 'ferry preview [flags]',
        about: 'Build the hosts and show what would change on their targets, which are only asked.',
        ...{ step: 'deploy', words: 0, mode: 'preview' },
    },
    deploy: one('deploy', 'Build the hosts, or read archives (--from DIR or --archive DIR), and activate them on the targets.'),
    secrets: {
        usage: 'ferry secrets [flags]',
        about: 'Send the secrets of the hosts to their targets, as after a reboot, and activate nothing.',
        ...{ step: 'deploy', words: 0, mode: 'secrets' },
    },
    run: one('run', 'Do all of this: plan, build, archive, deploy.'),
    option: {
        usage: 'ferry option HOST OPTION [flags]',
        about: "Print the final value of an option of a host's configuration, as JSON.",
        step: 'plan',
        words: 2,
    },
};
function one(step, about) {
    return { usage: `ferry ${step} [flags]`, about, step, words: 0 };
}
/** The commands that are no steps of the pipeline. */
const others = {
    'target-setup': targetSetupAbout,
    demo: 'Deploy an example fleet to machines that run inside this one.',
};
/** Exit codes; the README lists them too. */
const exitCodes = {
    ok: 0,
    defect: 1,
    input: 2,
    setup: 3,
    plan: 4,
    build: 5,
    archive: 6,
    preview: 7,
    deploy: 7,
    cancelled: 130,
};
const overview = `ferry ${version/* version */.r}: builds NixOS hosts from a repository and deploys them.

ferry COMMAND [flags]

${[...Object.entries(commands).map(([name, { about }]) => [name, about]), ...Object.entries(others)]
    .map(([name, about]) => `  ${name.padEnd(14)}${about}`)
    .join('\n')}

Run ferry COMMAND --help for the flags of a command.

Exit codes: 0 success; 1 internal error; 2 wrong input; 3 Nix cannot be set up; 4 a host cannot be evaluated;
5 a host cannot be built; 6 an archive cannot be made; 7 a target did not reach the requested state; 130 cancelled.
`;
/**
 * Runs the command line of this process and sets its exit code.
 *
 * @param given the environment with the variables for secrets.
 */
async function cli(given) {
    try {
        process.exitCode = await main(process.argv.slice(2), given);
    }
    catch (error) {
        const wrong = error instanceof errors/* UserError */.yo;
        process.stderr.write(`ferry: ${wrong ? (0,errors/* explain */.WE)(error) : error instanceof Error ? error.stack : error}\n`);
        process.exitCode = wrong ? exitCodes.input : exitCodes.defect;
    }
}
/** @returns the exit code. */
async function main(args, environment) {
    const [name = '--help', ...rest] = args;
    if (name === '--version')
        return print(`${version/* version */.r}\n`);
    if (name === '--help' || name === '-h' || name === 'help')
        return print(overview);
    if (name === 'demo')
        return exitCodes[await demoCommand(rest)];
    if (name === 'target-setup')
        return exitCodes[await targetSetupCommand(rest, environment, process.env)];
    const command = commands[name];
    if (command === undefined) {
        const meant = (0,nearest/* nearest */.p)(name, [...Object.keys(commands), ...Object.keys(others)]);
        throw new errors/* UserError */.yo(`There is no command '${name}'.`, {
            cure: meant === null ? '`ferry --help` lists the commands.' : `Did you mean ${meant}?`,
        });
    }
    const { usage, about, step } = command;
    const allowed = command.mode === undefined ? src_step/* inputsOfStep */.NB[step] : src_step/* inputsOfMode */.AS[command.mode];
    // `deploy` makes no archives: there, --archive names the archives to deploy.
    const words = name === 'deploy' ? rest.map(word => word.replace(/^--archive(?==|$)/, '--from')) : rest;
    const flags = readFlags(words, allowed, environment);
    if (flags.switches.has('help'))
        return print(help(usage, about, allowed));
    if (flags.words.length !== command.words) {
        const extra = flags.words[command.words];
        throw new errors/* UserError */.yo(extra === undefined ? `Missing arguments: the command is \`${usage}\`.` : `Unexpected argument '${extra}'.`, {
            cure: `\`ferry ${name} --help\` lists the flags.`,
        });
    }
    const { mode } = command;
    const given = mode === undefined ? flags.inputs : { ...flags.inputs, mode };
    const config = (0,inputs/* readInputs */.Ko)(given, input => `--${input}`, mode === undefined ? allowed : [...allowed, 'mode']);
    const terminal = await openTerminal(process.env, (0,src_environment/* secretVariablesIn */.X)(environment));
    try {
        return name === 'option'
            ? await printOption(flags, config, terminal)
            : await runStep(step, flags, config, terminal);
    }
    finally {
        await terminal.close();
    }
}
async function runStep(step, flags, config, terminal) {
    const done = await terminal.within(ports => (0,pipeline.run)(step, config, ports, terminal.context));
    await (0,report.report)(done, terminal.context.log, null);
    process.stdout.write(flags.switches.has('json') ? json(done) : (0,report.text)(done, inColour(process.stdout, process.env)));
    return exitCodeOf(done, terminal.context);
}
/** Whether to print colours: on a terminal, unless `NO_COLOR` (no-color.org) is set. */
function inColour({ isTTY }, { NO_COLOR, TERM }) {
    return isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}
async function printOption({ words }, config, terminal) {
    const [host = '', path = ''] = words;
    const value = await terminal.within(ports => (0,pipeline.optionOf)(host, path, config, ports, terminal.context));
    return print(`${JSON.stringify(value, null, 2)}\n`);
}
function print(what) {
    process.stdout.write(what);
    return exitCodes.ok;
}
/** The run as JSON. A closure is only its paths, because hosts share most of them. */
function json(run) {
    return `${JSON.stringify(run, (key, value) => (key === 'closure' && Array.isArray(value) ? value.map(({ path }) => path) : value), 2)}\n`;
}
function exitCodeOf(run, context) {
    if (context.signal.aborted)
        return exitCodes.cancelled;
    const { ok, failures } = (0,report.verdict)(run);
    if (ok)
        return exitCodes.ok;
    if (run.error?.where?.input !== undefined)
        return exitCodes.input;
    // An error that ended the run belongs to the last stage that was started; else the first stage in which a host failed.
    const stage = run.error === null ? failures[0]?.stage : Object.keys(run.timings).at(-1);
    return stage === undefined || stage === 'report' ? exitCodes.defect : exitCodes[stage];
}


/***/ })

};
