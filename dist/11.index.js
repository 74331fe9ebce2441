export const id = 11;
export const ids = [11];
export const modules = {

/***/ 20011:
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
// EXTERNAL MODULE: ./src/nix/index.ts
var src_nix = __webpack_require__(93779);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/assets.ts
var assets = __webpack_require__(25462);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/demo/fleet.ts




/** The systems of the embedded fleet's hosts, by host. */
const systems = { router: 'aarch64-linux', server: 'x86_64-linux' };
/**
 * Copies the embedded fleet into a Git repository of its own, with the busyboxes that build it committed there: a flake
 * sees only what Git tracks.
 *
 * @param directory does not exist yet.
 * @param cache kept between runs; the busyboxes are fetched into it from the distribution once.
 * @returns the busybox of each host's processor.
 * @throws UserError when the distribution's packages cannot be had.
 */
async function copyFleet(directory, cache, context) {
    const { signal } = context;
    const embedded = (0,external_node_path_.dirname)((0,assets/* asset */.L)('examples/embedded/flake.nix'));
    const bootstrap = (0,external_node_path_.join)(cache, 'bootstrap');
    await fetchParts(['fetch-bootstrap.sh', bootstrap, ...Object.values(systems)], context);
    await (0,promises_.mkdir)(directory, { recursive: true });
    await (0,promises_.cp)(embedded, directory, { recursive: true });
    await (0,promises_.cp)(bootstrap, (0,external_node_path_.join)(directory, 'nixpkgs', 'bootstrap'), { recursive: true });
    // The user's own Git settings (signing, hooks, ignored files) have no part in it.
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...args) => context.exec('git', ['-C', directory, ...args], { env, signal });
    await git('init', '--quiet');
    await git('add', '--all', '--force');
    const author = ['-c', 'user.name=Nix Ferry demo', '-c', 'user.email=demo@localhost'];
    await git(...author, 'commit', '--quiet', '--message', 'The embedded fleet');
    return new Map(Object.entries(systems).map(([host, system]) => [host, (0,external_node_path_.join)(bootstrap, system, 'busybox')]));
}
/** Where sshd and what it needs lies unpacked, fetched once; null where the machine has it. */
async function sshdPackages(cache, present, context) {
    if (present)
        return null;
    const directory = (0,external_node_path_.join)(cache, `sshd-${await distribution()}`);
    await fetchParts(['fetch-sshd.sh', directory], context);
    return directory;
}
/** Runs a script that fetches packages of the distribution. @throws UserError with what it said */
async function fetchParts([script = '', ...args], context) {
    try {
        await context.exec('sh', [(0,assets/* asset */.L)(`examples/embedded/${script}`), ...args], { signal: context.signal });
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || context.signal.aborted)
            throw error;
        throw new errors/* UserError */.yo(`A part of the demo cannot be fetched: ${error.stderr.trim()}`, { cause: error });
    }
}
/** As `debian-12`: what was unpacked for one release does not fit the libraries of the next. */
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
 * @throws UserError where the machine does not let root make namespaces.
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
/** Writes down which Nix the targets get: this machine's, with all that it consists of. */
async function writeNix(state, nix) {
    const { bin } = nix.installation;
    const real = bin === null ? '/usr/bin' : await (0,promises_.realpath)(bin);
    await (0,promises_.writeFile)((0,external_node_path_.join)(state, 'nix-bin'), real);
    await (0,promises_.writeFile)((0,external_node_path_.join)(state, 'nix-paths'), await nixPaths(real, nix));
}
async function nixPaths(bin, nix) {
    if (bin.startsWith('/nix/store/'))
        return (await nix.run('nix-store', ['--query', '--requisites', bin])).stdout;
    // The targets have /usr; elsewhere the programs' libraries are thought to be beside them.
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
/** Words that stand before a command which needs root. */
function rootWords() {
    return process.getuid?.() === 0 ? [] : ['sudo', '-n'];
}
async function start(state, { name, address, port }, busybox, sshd, context) {
    const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
    const script = [(0,assets/* asset */.L)('examples/embedded/target.sh'), state, name, address, String(port), busybox, sshd ?? ''];
    const [command = '', ...args] = [...rootWords(), 'unshare', ...namespaces, 'sh', ...script];
    // Out of the foreground process group: Ctrl-C goes to us, and we end it.
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
            throw new errors/* UserError */.yo(`The target ${name} does not start: ${said.trim() || 'its SSH server does not answer'}.`, {
                cure: 'The demo needs a machine where root may mount and make namespaces: a real or virtual one, or a privileged container.',
            });
        }
        await (0,external_node_timers_promises_.setTimeout)(30);
    }
    return child;
}
/** Whether something at the port says that it speaks SSH. */
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
/** The target ends with its standard input; so it also does when this program dies. */
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
 * Sees to it, before anything is done, that the demo can have what it needs.
 *
 * @throws UserError for the first thing that is missing.
 */
async function checkMachine(context) {
    const tries = [
        [['git', '--version'], 'There is no git.', 'Run `apt-get install git`.'],
        [['ssh', '-V'], 'There is no ssh.', 'Run `apt-get install openssh-client`.'],
        [
            ['apt-get', '--version'],
            'The demo takes its parts from the packages of Debian or Ubuntu; there is no apt-get.',
            '',
        ],
    ];
    if (process.getuid?.() !== 0) {
        tries.push([
            ['sudo', '-n', 'true'],
            'The demo needs root, and `sudo -n` does not give it.',
            'Run it as root, or let this user call sudo without a password.',
        ]);
    }
    tries.push([
        [...rootWords(), 'unshare', '--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
        'This machine does not let root make namespaces and mount in them.',
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
 * Carries the embedded fleet, an x86_64 server and an aarch64 router, from source to activated on targets inside this
 * machine, asks the targets what they now run, and has the pipeline find that nothing is left to do.
 *
 * Leaves nothing behind but Nix, where it had to be installed, and what was fetched.
 *
 * @returns whether all of it was so.
 * @throws UserError where the machine cannot do it.
 */
async function demo(ports, context) {
    const { say } = ports;
    const begun = performance.now();
    await checkMachine(context);
    const foreign = process.arch === 'arm64' ? systems.server : systems.router;
    const source = (0,external_node_path_.join)(context.scratch, 'fleet');
    say('Getting ready: a copy of examples/embedded in a Git repository, Nix, and targets inside this machine.');
    const parts = [
        copyFleet(source, ports.cache, context),
        sshdPackages(ports.cache, (0,external_node_fs_.existsSync)('/usr/sbin/sshd'), context),
        ports.prepare(foreign),
    ];
    // Whichever fails: none is still at work when this goes on.
    await Promise.allSettled(parts);
    const [busyboxes, sshd, prepared] = await Promise.all(parts);
    let targets;
    try {
        const nix = new src_nix/* Nix */.a(context.exec, prepared);
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
        if (!came(switched, ['deployed']))
            return false;
        say('\nWhat the targets say:');
        const facts = await Promise.all(Object.keys(systems).map(name => inspect(name, targets)));
        for (const fact of facts) {
            say(`  ${fact.name.padEnd(8)}runs ${fact.current}`);
            say(`          profile ${fact.profile}; uname -m of its own program: ${fact.machine}; hello: ${fact.hello}`);
        }
        if (!facts.every(fact => isTrue(fact, switched))) {
            say('That is not what the plan named.');
            return false;
        }
        say('\n$ ferry run --mode dry-activate      # once more: nothing is left to do');
        const again = await ports.run({ ...inputs, mode: 'dry-activate' });
        context.signal.throwIfAborted();
        const idle = came(again, ['unchanged', 'planned']) && again.outcomes.every(each => count(each.units) === 0);
        say(idle ? `\nBoth hosts run what their source says. ${seconds(begun)} in all.` : '\nSomething would change still.');
        return idle;
    }
    finally {
        await targets?.end();
    }
}
/** Whether the run reached its end with every host of the fleet in one of `outcomes`. */
function came(run, outcomes) {
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
    return `${((performance.now() - begun) / 1000).toFixed(1)} s`;
}

// EXTERNAL MODULE: ./src/inputs.ts
var inputs = __webpack_require__(38422);
// EXTERNAL MODULE: ./src/pipeline.ts + 34 modules
var pipeline = __webpack_require__(11374);
// EXTERNAL MODULE: ./src/report/index.ts + 8 modules
var report = __webpack_require__(66456);
// EXTERNAL MODULE: ./src/setup/index.ts + 20 modules
var setup = __webpack_require__(5212);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/deploy/index.ts + 11 modules
var deploy = __webpack_require__(65890);
// EXTERNAL MODULE: ./src/exec.ts
var exec = __webpack_require__(73190);
// EXTERNAL MODULE: ./src/scratch.ts
var src_scratch = __webpack_require__(7897);
;// CONCATENATED MODULE: ./src/terminal.ts









async function openTerminal(env) {
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    // Each of them, not the first alone: a second one (timeout(1) sends two, an impatient person too) must not end the
    // cleaning up. A terminal that is closed sends SIGHUP.
    process.on('SIGINT', cancel).on('SIGTERM', cancel).on('SIGHUP', cancel);
    const scratch = await (0,promises_.realpath)(await (0,promises_.mkdtemp)((0,external_node_path_.join)((0,src_scratch/* scratchParent */.d)((0,external_node_os_.tmpdir)()), 'ferry-')));
    const progress = (0,report.openProgress)(process.stderr, env.CI === undefined && env.TERM !== 'dumb');
    const cache = (0,external_node_path_.join)(env.XDG_CACHE_HOME ?? (0,external_node_path_.join)(env.HOME ?? scratch, '.cache'), 'nix-ferry');
    const context = {
        exec: exec/* exec */.m,
        log: terminalLog(progress, env.FERRY_DEBUG === '1'),
        progress: event => progress.event(event),
        signal: cancelled.signal,
        scratch,
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
                return await work({
                    setup: { saveState },
                    daemon: 'any',
                    artifacts: null,
                    archives: (0,external_node_path_.join)(process.cwd(), 'archives'),
                    planCache: (0,external_node_path_.join)(cache, 'plans'),
                    repository: null,
                    run: null,
                    who: `${(0,external_node_os_.userInfo)().username}@${(0,external_node_os_.hostname)()}`,
                    environment: env,
                });
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
        secret: secret => secrets.push(secret),
    };
}

;// CONCATENATED MODULE: ./src/demo-command.ts








const about = `ferry demo

Carry an example fleet of an x86_64 and an aarch64 host from its source to two machines inside this one, and show it.
For Debian and Ubuntu, as root or as a user who may call sudo without a password. What it fetches is kept in
$XDG_CACHE_HOME/nix-ferry/demo; all else it removes, except Nix where it had to install it.
`;
/**
 * The command `demo`: wires the demo to the pipeline.
 *
 * @returns how it ended, by the names that the command line's exit codes have.
 */
async function demoCommand(words) {
    if (words.some(word => word === '--help' || word === '-h')) {
        process.stdout.write(about);
        return 'ok';
    }
    if (words.length > 0)
        throw new errors/* UserError */.yo(`'${words[0]}' is no flag of the demo.`, { cure: 'It takes none.' });
    const terminal = await openTerminal(process.env);
    const { context } = terminal;
    try {
        // The targets' emulation outlives the runs that go to them, as real machines would.
        const ended = await terminal.within(outer => demo({
            cache: (0,external_node_path_.join)(terminal.cache, 'demo'),
            async prepare(system) {
                const config = (0,inputs/* readInputs */.Ko)({ emulate: 'always', cache: 'never' }, name => `--${name}`);
                const setUp = await (0,setup/* setup */.mj)((0,pipeline.setupConfigOf)(config, outer), context, outer.setup);
                const hosts = [{ name: 'demo', drvPath: '', system }];
                return (await (0,setup/* prepareSystems */.qr)(setUp, { hosts, lock: null }, context, outer.setup)).nix;
            },
            async run(given) {
                const config = (0,inputs/* readInputs */.Ko)(given, name => `--${name}`);
                const archives = (0,external_node_path_.join)(context.scratch, 'archives');
                const done = await terminal.within(ports => (0,pipeline.run)('run', config, { ...ports, archives, planCache: null }, context));
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
        terminal.line('Cancelled; all of the demo is gone.');
        return 'cancelled';
    }
    finally {
        await terminal.close();
    }
}

;// CONCATENATED MODULE: ./src/flags.ts



const switches = { json: 'Print the result as JSON on standard output.', help: 'Show this text.' };
/** Inputs of many lines, whose value may be `@FILE`. */
const flags_long = ['arguments', 'known-hosts', 'targets', 'builders', 'nix-conf'];
/**
 * Reads flags named like the inputs: `--mode switch` or `--mode=switch`; `--comment` alone says true.
 *
 * A secret is never taken from the argument list, which every process of the machine can read: its flag names a file
 * (`-`: standard input), or the variable `FERRY_DEPLOY_KEY`, `FERRY_SIGNING_KEY`, `FERRY_GITHUB_TOKEN` holds it.
 *
 * @throws UserError for the first flag that is wrong.
 */
function readFlags(args, allowed, env) {
    const flags = { inputs: {}, switches: new Set(), words: [] };
    for (const name of allowed) {
        const value = inputs/* inputs */.QL[name].secret ? env[`FERRY_${name.toUpperCase().replaceAll('-', '_')}`] : undefined;
        if (value !== undefined && value !== '')
            flags.inputs[name] = value;
    }
    const rest = [...args];
    for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
        if (arg === '-h')
            flags.switches.add('help');
        else if (!arg.startsWith('--'))
            flags.words.push(arg);
        else {
            const [, name = '', inline] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
            if (name in switches)
                flags.switches.add(name);
            else {
                if (!allowed.includes(name)) {
                    throw (0,inputs/* unknownInput */.pv)(name, [...allowed, ...Object.keys(switches)], flag => `--${flag}`);
                }
                flags.inputs[name] = flagValue(name, inline, rest);
            }
        }
    }
    return flags;
}
function flagValue(name, inline, rest) {
    const isSwitch = inputs/* inputs */.QL[name].default === 'false';
    if (inline === undefined && isSwitch && !['true', 'false'].includes(rest[0] ?? ''))
        return 'true';
    const value = inline ?? rest.shift();
    if (value === undefined)
        throw new errors/* UserError */.yo(`--${name} needs a value.`, { where: { input: name } });
    if (inputs/* inputs */.QL[name].secret) {
        if (/\n|PRIVATE KEY/.test(value)) {
            throw new errors/* UserError */.yo(`--${name} takes a file, not the secret: an argument list is no secret.`, {
                where: { input: name },
                cure: `Write --${name} FILE, --${name} - for standard input, or set FERRY_${name.toUpperCase().replaceAll('-', '_')}.`,
            });
        }
        return readText(name, value);
    }
    return flags_long.includes(name) && value.startsWith('@') ? readText(name, value.slice(1)) : value;
}
function readText(name, file) {
    try {
        return (0,external_node_fs_.readFileSync)(file === '-' ? 0 : file, 'utf8');
    }
    catch (error) {
        throw new errors/* UserError */.yo(`--${name}: ${file} cannot be read: ${error.message}.`, { where: { input: name } });
    }
}
/** The text of `--help` for one command. */
function help(usage, about, allowed) {
    const rows = allowed.map(name => {
        const { default: fallback, description, words, secret } = inputs/* inputs */.QL[name];
        const value = secret ? 'FILE' : words.length > 0 ? words.join('|') : fallback === 'false' ? '' : 'VALUE';
        const shown = fallback === '' || fallback === 'false' || secret ? '' : ` (${fallback})`;
        return [`  --${name} ${value}`.trimEnd(), `${description}${shown}`];
    });
    for (const [name, about] of Object.entries(switches))
        rows.push([`  --${name}`, about]);
    const lines = rows.map(([flag, text]) => flag.length <= 28 ? `${flag.padEnd(30)}${text}` : `${flag}\n${' '.repeat(30)}${text}`);
    return `${usage}\n\n${about}\n\n${lines.join('\n')}\n`;
}

// EXTERNAL MODULE: ./src/nearest.ts
var nearest = __webpack_require__(37909);
// EXTERNAL MODULE: ./src/step.ts
var src_step = __webpack_require__(84353);
// EXTERNAL MODULE: ./src/version.ts
var version = __webpack_require__(311);
;// CONCATENATED MODULE: ./src/cli.ts










const commands = {
    plan: one('plan', 'Evaluate the hosts and say what would be built and where it would go.'),
    build: one('build', "Build each host's closure."),
    archive: one('archive', "Build each host's closure and keep it as files that Nix can import, in ./archives."),
    deploy: one('deploy', 'Build the hosts, or take them from archives (--from, --archive DIR), and activate them.'),
    run: one('run', 'All of it: plan, build, archive, deploy.'),
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
const demoAbout = 'Carry an example fleet to machines inside this one, and show it.';
/** Exit codes, as the README lists them. */
const exitCodes = {
    ok: 0,
    defect: 1,
    input: 2,
    setup: 3,
    plan: 4,
    build: 5,
    archive: 6,
    deploy: 7,
    cancelled: 130,
};
const overview = `ferry ${version/* version */.r}: carries NixOS from a repository to running machines.

ferry COMMAND [flags]

${[...Object.entries(commands).map(([name, { about }]) => [name, about]), ['demo', demoAbout]]
    .map(([name, about]) => `  ${name.padEnd(10)}${about}`)
    .join('\n')}

ferry COMMAND --help tells a command's flags. Exit codes: 0 all is as asked; 1 a defect of ferry; 2 wrong input;
3 Nix cannot be set up; 4 a host cannot be evaluated; 5 a host cannot be built; 6 an archive cannot be made;
7 a target is not as asked; 130 cancelled.
`;
/** Runs the command line of this process and sets its exit code. */
async function cli() {
    try {
        process.exitCode = await main(process.argv.slice(2));
    }
    catch (error) {
        const wrong = error instanceof errors/* UserError */.yo;
        process.stderr.write(`ferry: ${wrong ? (0,errors/* explain */.WE)(error) : error instanceof Error ? error.stack : error}\n`);
        process.exitCode = wrong ? exitCodes.input : exitCodes.defect;
    }
}
/** @returns the exit code. */
async function main(args) {
    const [name = '--help', ...rest] = args;
    if (name === '--version')
        return say(`${version/* version */.r}\n`);
    if (name === '--help' || name === '-h' || name === 'help')
        return say(overview);
    if (name === 'demo')
        return exitCodes[await demoCommand(rest)];
    const command = commands[name];
    if (command === undefined) {
        const meant = (0,nearest/* nearest */.p)(name, [...Object.keys(commands), 'demo']);
        throw new errors/* UserError */.yo(`There is no command '${name}'.`, {
            cure: meant === null ? '`ferry --help` lists them.' : `Did you mean ${meant}?`,
        });
    }
    const { usage, about, step } = command;
    const allowed = src_step/* inputsOfStep */.N[step];
    // In `deploy` nothing is archived: there, --archive says what is deployed.
    const words = name === 'deploy' ? rest.map(word => word.replace(/^--archive(?==|$)/, '--from')) : rest;
    const flags = readFlags(words, allowed, process.env);
    if (flags.switches.has('help'))
        return say(help(usage, about, allowed));
    if (flags.words.length !== command.words) {
        const extra = flags.words[command.words];
        throw new errors/* UserError */.yo(extra === undefined ? `The command is \`${usage}\`.` : `'${extra}' is no flag.`, {
            cure: `\`ferry ${name} --help\` lists the flags.`,
        });
    }
    const config = (0,inputs/* readInputs */.Ko)(flags.inputs, input => `--${input}`, allowed);
    const terminal = await openTerminal(process.env);
    // No child shall inherit a key.
    for (const variable of Object.keys(process.env))
        if (variable.startsWith('FERRY_'))
            delete process.env[variable];
    try {
        return name === 'option' ? await printOption(flags, config, terminal) : await walk(step, flags, config, terminal);
    }
    finally {
        await terminal.close();
    }
}
async function walk(step, flags, config, terminal) {
    const done = await terminal.within(ports => (0,pipeline.run)(step, config, ports, terminal.context));
    await (0,report.report)(done, terminal.context.log, null);
    process.stdout.write(flags.switches.has('json') ? json(done) : (0,report.text)(done));
    return exitCodeOf(done, terminal.context);
}
async function printOption({ words }, config, terminal) {
    const [host = '', path = ''] = words;
    const value = await terminal.within(ports => (0,pipeline.optionOf)(host, path, config, ports, terminal.context));
    return say(`${JSON.stringify(value, null, 2)}\n`);
}
function say(what) {
    process.stdout.write(what);
    return exitCodes.ok;
}
/** The run as JSON; of a closure only the paths, since hosts share most of them. */
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
    // What ended the run ended the last stage that was begun; else the first stage in which a host failed.
    const stage = run.error === null ? failures[0]?.stage : Object.keys(run.timings).at(-1);
    return stage === undefined || stage === 'report' ? exitCodes.defect : exitCodes[stage];
}


/***/ }),

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


/***/ })

};
