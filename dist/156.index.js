export const id = 156;
export const ids = [156];
export const modules = {

/***/ 86438:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   I8: () => (/* binding */ readBootedParts),
/* harmony export */   JI: () => (/* binding */ rebootSentence),
/* harmony export */   oQ: () => (/* binding */ bootedParts)
/* harmony export */ });
/**
 * What only a boot makes effective, as files of a toplevel, and what to call them. `target/activation/booted.sh` compares
 * the same files on a target, and a preview compares them on the runner.
 */
const bootedParts = {
    kernel: 'kernel',
    initrd: 'initrd',
    'kernel-modules': 'kernel modules',
    systemd: 'systemd',
    'kernel-params': 'kernel parameters',
    'init-interface-version': 'init interface',
};
/** Reads names of parts, separated by spaces. */
function readBootedParts(text) {
    return text.split(' ').filter((name) => Object.hasOwn(bootedParts, name));
}
/** "the machine was not booted with its kernel, kernel parameters": the reason of a reboot, for a system. */
function rebootSentence(parts) {
    return `the machine was not booted with its ${parts.map(part => bootedParts[part]).join(', ')}`;
}


/***/ }),

/***/ 81541:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Z: () => (/* binding */ newDigest),
/* harmony export */   d: () => (/* binding */ isSameDigest)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);

/**
 * The digest that a target is to keep, with a new salt, as `SALT DIGEST`. Its key is derived from the signing key, which no
 * target has: whoever reads the digest without that key learns nothing, and cannot guess at a weak secret.
 */
function newDigest(digested, signingKey) {
    const key = keyFrom(signingKey);
    const salt = saltOf(key, (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(8).toString('hex'));
    return `${salt} ${digestOf(digested, salt, key)}`;
}
/**
 * Whether a target got this content, with this owner and mode, when it got the secret that it keeps the digest of.
 *
 * @returns null if the digest was made with another signing key.
 */
function isSameDigest({ salt, digest }, digested, signingKey) {
    const key = keyFrom(signingKey);
    return salt === saltOf(key, salt.slice(0, 16)) ? digest === digestOf(digested, salt, key) : null;
}
function keyFrom(signingKey) {
    return (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHmac)('sha256', signingKey.trim()).update('nix-ferry: digests of secrets').digest();
}
function saltOf(key, random) {
    return random + (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHmac)('sha256', key).update(`salt ${random}`).digest('hex').slice(0, 16);
}
function digestOf({ host, secret, content }, salt, key) {
    const { destination, user, group, permissions } = secret;
    return content.keyedDigest(key, JSON.stringify([salt, host, destination, user, group, permissions]));
}


/***/ }),

/***/ 42024:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  Vz: () => (/* binding */ changeBetween),
  C2: () => (/* binding */ change_changeOf),
  Ft: () => (/* binding */ isSame)
});

;// CONCATENATED MODULE: ./src/preview/line-diff.ts
/** Unchanged lines that are shown around a change. */
const around = 2;
/** Cells of the table of a comparison, which takes time and memory in proportion to them. */
const largestTable = 1_000_000;
/** The difference of two small texts in lines, as a unified diff without its head; longer unchanged parts are `…`. */
function lineDiff(before, after) {
    const lines = compare(linesOf(before), linesOf(after));
    const near = (index) => lines.slice(Math.max(0, index - around), index + around + 1).some(([sign]) => sign !== ' ');
    const shown = [];
    for (const [index, [sign, text]] of lines.entries()) {
        if (near(index))
            shown.push(`${sign}${text}`);
        else if (shown.at(-1) !== '…')
            shown.push('…');
    }
    return shown.map(line => `${line}\n`).join('');
}
function linesOf(text) {
    return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
/** By the longest common subsequence. Texts with very many lines are removed and added as a whole. */
function compare(before, after) {
    if (before.length * after.length > largestTable) {
        return [...before.map((line) => ['-', line]), ...after.map((line) => ['+', line])];
    }
    const lengths = table(before, after);
    const lines = [];
    let [i, j] = [0, 0];
    while (i < before.length || j < after.length) {
        if (i < before.length && j < after.length && before[i] === after[j]) {
            lines.push([' ', before[i] ?? '']);
            i++;
            j++;
        }
        else if (i < before.length && (j >= after.length || at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
            lines.push(['-', before[i++] ?? '']);
        }
        else
            lines.push(['+', after[j++] ?? '']);
    }
    return lines;
}
/** The length of the longest common subsequence of the lines from i and from j. */
function table(before, after) {
    const lengths = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
    for (let i = before.length - 1; i >= 0; i--) {
        const row = lengths[i] ?? [];
        for (let j = after.length - 1; j >= 0; j--) {
            row[j] =
                before[i] === after[j] ? at(lengths, i + 1, j + 1) + 1 : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
        }
    }
    return lengths;
}
function at(lengths, i, j) {
    return lengths[i]?.[j] ?? 0;
}

;// CONCATENATED MODULE: ./src/preview/etc.ts

/** Unit files are reported as units; the others are the owner and the mode of a file. */
const ignored = /^systemd\/system(\/|$)|\.(mode|uid|gid)$/;
const secretName = /shadow|passw|secret|key|token|credential|\.pem$|wpa_supplicant|wireguard/i;
const secretText = /PRIVATE KEY|passw|secret|token|api.?key|credential|\bpsk\b|\b(bearer|basic) [A-Za-z0-9+/=]{8}/i;
/** Compares the files that two generations put into /etc. */
function compareEtc(before, after) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => !ignored.test(name));
    return names.sort().flatMap((name) => {
        const [was, is] = [before[name], after[name]];
        if (was === undefined && is === undefined)
            return [];
        if (was !== undefined && is !== undefined && same(was, is))
            return [];
        const kind = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
        return [{ name, kind, rebuilt: rebuilt(was, is), diff: diffOf(name, was, is) }];
    });
}
/** Files are the same if their contents are; directories, if their links lead to the same place. */
function same(was, is) {
    return was.hash === null && is.hash === null ? was.target === is.target : was.hash === is.hash;
}
/** If nothing is left of a text but other hashes, or a directory of the same name is another, it was rebuilt. */
function rebuilt(was, is) {
    if (was === undefined || is === undefined)
        return false;
    const [old, now] = was.hash === null && is.hash === null ? [was.target, is.target] : [was.text, is.text];
    return old !== null && now !== null && withoutHashes(old) === withoutHashes(now);
}
function withoutHashes(text) {
    return text.replace(/\/nix\/store\/[0-9a-z]{32}-/g, '/nix/store/');
}
function diffOf(name, was, is) {
    const [old, now] = [textOf(was), textOf(is)];
    if (old === null || now === null || secretName.test(name) || secretText.test(old) || secretText.test(now))
        return null;
    return lineDiff(old, now);
}
/** A file that does not exist is empty. */
function textOf(entry) {
    return entry === undefined ? '' : entry.text;
}

;// CONCATENATED MODULE: ./src/preview/firewall.ts
/** Compares the rules of two systems, as in their descriptions. */
function compareFirewalls(before, after) {
    const [was, is] = [openPorts(before ?? []), openPorts(after ?? [])];
    const turned = (before === null) === (after === null) ? null : after === null ? 'off' : 'on';
    return {
        opened: [...is].filter(port => !was.has(port)),
        closed: [...was].filter(port => !is.has(port)),
        turned,
    };
}
/**
 * The ports that rules open. Source of their forms: nixos/modules/services/networking/firewall-iptables.nix
 * (`ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept -i eth0`) and firewall-nftables.nix
 * (`iifname eth0 tcp dport { 22, 8000-8010 } accept`). Rules with other conditions are not ports that are open to all.
 */
function openPorts(rules) {
    return new Set(rules.flatMap(rule => (rule.includes('--dport') ? iptablesPort(rule) : nftablesPorts(rule))));
}
function iptablesPort(rule) {
    const words = rule.trim().split(/\s+/);
    const after = (word) => words[words.indexOf(word) + 1];
    const [protocol, port] = [after('-p'), after('--dport')];
    const accepted = words.includes('-j') && after('-j') === 'nixos-fw-accept';
    if (!accepted || protocol === undefined || port === undefined || words.includes('-s'))
        return [];
    return [named(protocol, port.replace(':', '-'), words.includes('-i') ? after('-i') : undefined)];
}
function nftablesPorts(rule) {
    const form = /^(?:iifname (\S+) )?(tcp|udp) dport (?:\{ ([^}]*) \}|(\S+)) accept\b/;
    const [, device, protocol = '', set, single = ''] = form.exec(rule.trim().replace(/\s+/g, ' ')) ?? [];
    if (protocol === '')
        return [];
    return (set ?? single).split(/\s*,\s*/).map(port => named(protocol, port, device?.replaceAll('"', '')));
}
function named(protocol, port, device) {
    return `${protocol} ${port}${device === undefined ? '' : ` on ${device}`}`;
}

;// CONCATENATED MODULE: ./src/preview/unit-file.ts
/** A unit file that switch-to-configuration cannot read: it then ends with an error, before it changes anything. */
class UnparsableUnit extends Error {
    file;
    constructor(file, why) {
        super(`${file}: ${why}`);
        this.file = file;
    }
}
/**
 * Reads a unit file and its drop-ins, in their order, as switch-to-configuration does: with the crate rust-ini 0.21 (quotes
 * are removed, backslashes mean nothing) and `parse_systemd_ini` of switch-to-configuration-ng.
 *
 * @throws UnparsableUnit
 */
function readUnit(files) {
    const unit = new Map();
    for (const file of files) {
        for (const { section, entries } of new Parser(file).sections()) {
            if (section === 'Install')
                continue;
            const keys = unit.get(section) ?? new Map();
            unit.set(section, keys);
            // For a key that is given n times, all its n values are added n times: of two drop-ins with one value each, this makes
            // something else than of one with both.
            for (const [key] of entries)
                addValues(keys, key, entries);
        }
    }
    return unit;
}
function addValues(keys, key, entries) {
    const values = entries.filter(([other]) => other === key).map(([, value]) => value);
    // An empty value removes earlier ones.
    const cleared = values.lastIndexOf('');
    const added = values.slice(cleared + 1);
    keys.set(key, [...(cleared === -1 ? (keys.get(key) ?? []) : []), ...added]);
}
const blank = /\s/;
class Parser {
    #name;
    #text;
    #at = 0;
    constructor({ name, text }) {
        this.#name = name;
        this.#text = text;
    }
    sections() {
        const sections = [];
        let key = '';
        for (this.#skip(blank); this.#at < this.#text.length; this.#skip(blank)) {
            const char = this.#text[this.#at] ?? '';
            if (char === ';' || char === '#')
                this.#comment();
            else if (char === '[')
                sections.push({ section: this.#bracketed(), entries: [] });
            else if (char === '=' || char === ':') {
                if (key === '')
                    throw this.#error('a key is missing');
                const value = this.#value();
                // Keys before the first section have no effect.
                sections.at(-1)?.entries.push([key, value]);
                key = '';
            }
            else
                key = this.#until(/[=:]/, '`=` is missing').trim();
        }
        return sections;
    }
    #skip(what) {
        while (this.#at < this.#text.length && what.test(this.#text[this.#at] ?? ''))
            this.#at++;
    }
    #comment() {
        if (this.#at > 0 && this.#text[this.#at - 1] !== '\n')
            throw this.#error('a comment is indented');
        this.#line();
    }
    #bracketed() {
        this.#at++;
        const name = this.#until(/\]/, '`]` is missing');
        this.#at++;
        return name.trim();
    }
    #value() {
        this.#at++;
        this.#skip(/[^\S\n\r]/);
        const quote = this.#text[this.#at];
        if (quote !== '"' && quote !== "'")
            return this.#line().trim();
        this.#at++;
        const quoted = this.#until(quote === '"' ? /"/ : /'/, 'a quotation mark is not closed');
        this.#at++;
        return (quoted + this.#line()).trim();
    }
    /** The rest of the line. */
    #line() {
        const end = this.#text.slice(this.#at).search(/[\n\r]/);
        const line = end === -1 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, this.#at + end);
        this.#at += line.length;
        return line;
    }
    #until(what, missing) {
        const length = this.#text.slice(this.#at).search(what);
        if (length === -1)
            throw this.#error(missing);
        const found = this.#text.slice(this.#at, this.#at + length);
        this.#at += length;
        return found;
    }
    #error(why) {
        return new UnparsableUnit(this.#name, why);
    }
}

;// CONCATENATED MODULE: ./src/preview/new-units.ts

/**
 * The units that a switch starts because something that runs wants them only in the new system: active targets are started
 * again, with all that they want. Source: systemd.unit(5), `Wants=` and the like and the directories `.wants/`.
 */
function newlyWanted(before, after, states) {
    const targets = Object.keys(states).filter(unit => unit.endsWith('.target') && unit in after.units);
    const had = wantedBy(targets, before);
    const wanted = [...wantedBy(targets, after)].filter(unit => !had.has(unit) && !(unit in states));
    return new Set(wanted.filter(unit => !unit.endsWith('.target') && definition(unit, after.units) !== null));
}
/** All that these units want, directly or not. */
function wantedBy(from, { units, wants }) {
    const links = new Map();
    for (const link of wants) {
        const [, unit = '', wanted = ''] = /^(.*)\.(?:wants|requires|upholds)\/(.*)$/.exec(link) ?? [];
        links.set(unit, [...(links.get(unit) ?? []), wanted]);
    }
    const reached = new Set(from);
    for (const unit of reached) {
        for (const next of [...(links.get(unit) ?? []), ...namedIn(unit, units)])
            reached.add(next);
    }
    for (const unit of from)
        reached.delete(unit);
    return reached;
}
function namedIn(unit, units) {
    const text = definition(unit, units);
    if (text === null)
        return [];
    const keys = ['Wants', 'Requires', 'BindsTo', 'Upholds'];
    try {
        const section = readUnit([{ name: unit, text }]).get('Unit');
        return keys.flatMap(key => section?.get(key) ?? []).flatMap(value => value.split(/\s+/));
    }
    catch (error) {
        // systemd reads what it can of such a file.
        if (error instanceof UnparsableUnit)
            return [];
        throw error;
    }
}
/** The text of a unit's own file or of its template's; null without one. */
function definition(unit, units) {
    return units[unit] ?? units[unit.replace(/@[^.]*\./, '@.')] ?? null;
}

;// CONCATENATED MODULE: ./src/preview/packages.ts
/** Words that end a version, and are no output's name. */
const stages = /^(unstable|stable|alpha|beta|rc|pre|git|dirty|snapshot|final|release)$/;
/**
 * Takes a store path's name apart as `builtins.parseDrvName` does: the version begins after the first dash that no letter
 * follows. The name of an output at the end (`openssl-3.0.13-bin`) is removed: outputs are one package.
 */
function packageName(path) {
    const full = path.replace(/^.*\//s, '').replace(/^[0-9a-z]{32}-/, '');
    const at = full.search(/-[^A-Za-z]/);
    if (at === -1)
        return { name: full, version: '' };
    const version = full.slice(at + 1);
    const [, own = version, output = ''] = /^(.+)-([a-z]+|lib32|lib64)$/.exec(version) ?? [];
    return { name: full.slice(0, at), version: stages.test(output) ? version : own };
}
/**
 * Compares two closures.
 *
 * @param toplevels their toplevels, which are no packages: their names contain those of hosts, whose changes would all differ.
 */
function comparePackages(before, after, toplevels = []) {
    const [was, is] = [packagesOf(before, toplevels), packagesOf(after, toplevels)];
    const changes = {
        ...{ added: [], removed: [], updated: [], rebuilt: { names: [], bytes: 0 } },
        others: compareOthers(before, after),
        bytes: { before: total(before), after: total(after) },
    };
    for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
        const [old, now] = [was.get(name), is.get(name)];
        if (old === undefined && now !== undefined)
            changes.added.push(entryOf(name, now));
        else if (now === undefined && old !== undefined)
            changes.removed.push(entryOf(name, old));
        else if (old !== undefined && now !== undefined)
            compareOne(name, old, now, changes);
    }
    return changes;
}
function compareOne(name, old, now, changes) {
    const [from, to] = [only(old, now), only(now, old)];
    const bytes = now.bytes - old.bytes;
    if (from.length > 0 || to.length > 0)
        changes.updated.push({ name, from, to, bytes });
    else if (pathsOf(old) !== pathsOf(now)) {
        changes.rebuilt.names.push(name);
        changes.rebuilt.bytes += bytes;
    }
}
function only(a, b) {
    return [...a.versions.keys()].filter(version => !b.versions.has(version)).sort();
}
function pathsOf({ versions }) {
    const paths = [...versions.values()].flat().map(({ path }) => path);
    return paths.sort().join('\n');
}
function packagesOf(closure, leftOut) {
    const packages = new Map();
    for (const path of closure) {
        const { name, version } = packageName(path.path);
        if (version === '' || leftOut.includes(path.path))
            continue;
        const known = packages.get(name) ?? { versions: new Map(), bytes: 0 };
        packages.set(name, known);
        known.bytes += path.bytes;
        known.versions.set(version, [...(known.versions.get(version) ?? []), path]);
    }
    return packages;
}
function entryOf(name, { versions, bytes }) {
    return { name, versions: [...versions.keys()].sort(), bytes };
}
function compareOthers(before, after) {
    const others = (closure) => closure.filter(({ path }) => packageName(path).version === '');
    const [was, is] = [others(before), others(after)];
    const missing = (a, b) => {
        const known = new Set(b.map(({ path }) => path));
        return a.filter(({ path }) => !known.has(path)).length;
    };
    return { added: missing(is, was), removed: missing(was, is), bytes: total(is) - total(was) };
}
function total(closure) {
    return closure.reduce((sum, { bytes }) => sum + bytes, 0);
}

// EXTERNAL MODULE: ./src/deploy/booted.ts
var booted = __webpack_require__(86438);
;// CONCATENATED MODULE: ./src/preview/boot-loader.ts

/**
 * How boot loaders are installed: the name of the program in the closure, and the package whose version counts. Source:
 * nixpkgs, nixos/modules/system/boot/loader/, and earlier names of the same files.
 */
const loaders = [
    // The version of systemd-boot is that of systemd, which is a reason of its own.
    { loader: 'systemd-boot', installer: /^(install-systemd-boot\.sh|systemd-boot(-builder\.(py|sh))?)$/, package: null },
    { loader: 'GRUB', installer: /^install-grub\.(sh|pl)$/, package: 'grub' },
    { loader: 'extlinux', installer: /^(install-extlinux-conf|extlinux-conf-builder)\.sh$/, package: null },
    { loader: 'Limine', installer: /^limine-install\.(py|sh)$/, package: 'limine' },
    { loader: 'rEFInd', installer: /^refind-install(\.py)?$/, package: 'refind' },
    { loader: 'init script', installer: /^init-script-builder\.sh$/, package: null },
];
/**
 * How the boot loader changes, in words: `boot loader GRUB 2.06 → 2.12`. Null if it stays, or if one of the systems does not
 * say which one it installs.
 */
function bootLoaderChange(before, after) {
    const [was, is] = [bootLoaderOf(before ?? []), bootLoaderOf(after ?? [])];
    if (was === null || is === null)
        return null;
    if (was.loader !== is.loader)
        return `boot loader ${boot_loader_named(was)} → ${boot_loader_named(is)}`;
    if (was.version === is.version || was.version === '' || is.version === '')
        return null;
    return `boot loader ${boot_loader_named(was)} → ${is.version}`;
}
function boot_loader_named({ loader, version }) {
    return `${loader} ${version}`.trim();
}
function bootLoaderOf(closure) {
    const names = closure.map(({ path }) => path.replace(/^.*\/[0-9a-z]{32}-/s, ''));
    const found = loaders.find(({ installer }) => names.some(name => installer.test(name)));
    if (found === undefined)
        return null;
    const versions = names.map(packageName).filter(({ name }) => name === found.package);
    return {
        loader: found.loader,
        version: versions
            .map(({ version }) => version)
            .sort()
            .at(-1) ?? '',
    };
}

;// CONCATENATED MODULE: ./src/preview/reboot.ts



/**
 * Why a reboot is needed after a switch to `after`. What was booted counts, not what was switched to since: a machine on
 * which nobody has rebooted since an update of the kernel still needs it.
 */
function rebootReasons({ system, booted }, after) {
    const from = booted ?? system;
    const already = new Set(reasons(from, system).map(({ part }) => part));
    const loader = bootLoaderChange(system.closure, after.closure);
    return [
        ...reasons(from, after).map(reason => ({ ...reason, pending: already.has(reason.part) })),
        // A switch installs it at once, and the machine says nothing of what has started it.
        ...(loader === null ? [] : [{ part: 'boot loader', text: loader, pending: false }]),
    ];
}
/** A part that one of the systems does not have is not compared, because older systems lack some. */
function reasons(from, to) {
    const found = Object.keys(booted/* bootedParts */.oQ).flatMap(file => {
        const part = booted/* bootedParts */.oQ[file];
        const change = changeOf(file, from, to);
        return change === null ? [] : [{ part, text: `${part} ${change}` }];
    });
    return [...found, ...inhibitors(from.files['switch-inhibitors'], to.files['switch-inhibitors'])];
}
/** How a part changes, in words; null: it does not. */
function changeOf(file, from, to) {
    // The contents of these are compared, and where the others lead.
    const side = file === 'kernel-params' || file === 'init-interface-version' ? 'files' : 'parts';
    const [was, is] = [from[side][file], to[side][file]];
    if (was === undefined || is === undefined || was === is)
        return null;
    if (file === 'kernel-params')
        return compareWords(was, is) || null;
    return file === 'init-interface-version' ? `${was} → ${is}` : versions(was, is);
}
/** `6.6.30 → 6.6.35`, or that it was rebuilt. */
function versions(was, is) {
    const version = (path) => packageName(path.split('/').slice(0, 4).join('/')).version;
    const [old, now] = [version(was), version(is)];
    if (old === '' || now === '')
        return 'changed';
    return old === now ? `${now}, rebuilt` : `${old} → ${now}`;
}
/** `+quiet -debug`; empty if the words are the same. */
function compareWords(was, is) {
    const [old, now] = [was, is].map(text => text.split(/\s+/).filter(word => word !== ''));
    const added = now?.filter(word => !old?.includes(word)).map(word => `+${word}`) ?? [];
    const removed = old?.filter(word => !now?.includes(word)).map(word => `-${word}`) ?? [];
    return [...added, ...removed].join(' ');
}
/** Components that switch-to-configuration refuses to exchange in a running system. */
function inhibitors(was, is) {
    const now = readInhibitors(is);
    return [...readInhibitors(was)].flatMap(([name, value]) => {
        const other = now.get(name);
        if (other === undefined || other === value)
            return [];
        return [{ part: 'switch inhibitor', text: `${name} ${value} → ${other}` }];
    });
}
/** The names and values of the file `switch-inhibitors`, an object of JSON; none if it is damaged. */
function readInhibitors(text = '{}') {
    try {
        return new Map(Object.entries(JSON.parse(text)).map(([name, value]) => [name, String(value)]));
    }
    catch {
        return new Map();
    }
}

// EXTERNAL MODULE: ./src/preview/secrets.ts
var preview_secrets = __webpack_require__(7729);
;// CONCATENATED MODULE: ./src/preview/units.ts

/** Keys of [Unit] that may change without consequences. */
const harmless = new Set([
    ...['X-Reload-Triggers', 'Description', 'Documentation', 'OnFailure', 'OnSuccess', 'OnFailureJobMode'],
    ...['IgnoreOnIsolate', 'StopWhenUnneeded', 'RefuseManualStart', 'RefuseManualStop', 'AllowIsolate', 'CollectMode'],
    'SourcePath',
]);
/**
 * What a switch does to the units.
 *
 * @throws UnparsableUnit for a unit file that switch-to-configuration cannot read either.
 */
function planUnits(situation) {
    const { start, restart, reload } = situation.pending;
    const plan = {
        ...{ stop: new Set(), kept: new Set(), hidden: new Set() },
        ...{ start: new Set(start), restart: new Set(restart), reload: new Set(reload) },
    };
    const shadowed = new Set(situation.shadowed);
    for (const [unit, { active }] of Object.entries(situation.states)) {
        const runs = active === 'active' || active === 'activating';
        if (runs && !shadowed.has(unit))
            planUnit(unit, situation, plan);
    }
    return plan;
}
function planUnit(unit, situation, plan) {
    const { before, after } = situation;
    const base = definedBy(unit, situation);
    if (!(base in before))
        return;
    const was = () => readUnit(filesOf(unit, base, before));
    const removed = base !== unit && declared(unit, before) && !declared(unit, after);
    if (removed || (after[base] ?? null) === null) {
        if (flag(was(), 'Unit', 'X-StopOnRemoval', true))
            plan.stop.add(unit);
        return;
    }
    const is = readUnit(filesOf(unit, base, after));
    if (unit.endsWith('.target')) {
        planTarget(unit, is, plan);
        return;
    }
    const difference = compareUnits(was(), is);
    if (difference === 'restart')
        planModified(unit, base, is, situation, plan);
    else if (difference === 'reload' && !plan.restart.has(unit))
        plan.reload.add(unit);
}
/** The name of the file that defines a unit: its own, or that of its template. */
function definedBy(unit, { before, after }) {
    return unit in before || unit in after ? unit : unit.replace(/^(.*)@[^.]*\.(.*)$/s, '$1@.$2');
}
/** Whether drop-ins declare an instance of a template. */
function declared(unit, files) {
    return dropins(unit, files).some(({ text }) => text !== null);
}
function dropins(unit, files) {
    return Object.entries(files)
        .filter(([name]) => name.startsWith(`${unit}.d/`) && name.endsWith('.conf'))
        .map(([name, text]) => ({ name, text }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}
function filesOf(unit, base, files) {
    const all = [{ name: base, text: files[base] ?? null }, ...dropins(base, files)];
    if (unit !== base)
        all.push(...dropins(unit, files));
    // A masked file is empty.
    return all.map(({ name, text }) => ({ name, text: text ?? '' }));
}
function planTarget(unit, is, plan) {
    const sleeps = /^(suspend|hibernate|hybrid-sleep)\.target$/.test(unit);
    if (!sleeps && !flag(is, 'Unit', 'RefuseManualStart', false) && !flag(is, 'Unit', 'X-OnlyManualStart', false)) {
        plan.start.add(unit);
        plan.hidden.add(unit);
    }
    if (flag(is, 'Unit', 'X-StopOnReconfiguration', false))
        plan.stop.add(unit);
}
/** What happens to a unit that has changed by more than a reload can take up. */
function planModified(unit, base, is, situation, plan) {
    // These cannot be restarted, or take up changes when systemd reads its files again.
    if (/^(sysinit|basic|multi-user|graphical)\.target$/.test(unit) || /\.(path|slice|socket)$/.test(unit))
        return;
    if (unit.endsWith('.mount')) {
        (unit === '-.mount' || unit === 'nix.mount' ? plan.reload : plan.restart).add(unit);
        return;
    }
    if (flag(is, 'Service', 'X-ReloadIfChanged', false) && !plan.restart.has(unit) && !plan.stop.has(unit)) {
        plan.reload.add(unit);
        return;
    }
    if (!flag(is, 'Service', 'X-RestartIfChanged', true) ||
        flag(is, 'Unit', 'RefuseManualStop', false) ||
        flag(is, 'Unit', 'X-OnlyManualStart', false)) {
        plan.kept.add(unit);
    }
    else if (!flag(is, 'Service', 'X-StopIfChanged', true) || !unit.endsWith('.service'))
        plan.restart.add(unit);
    else
        planStopAndStart(unit, base, is, situation, plan);
    plan.reload.delete(unit);
}
/** A service that its sockets activate is not started; the sockets are. */
function planStopAndStart(unit, base, is, situation, plan) {
    const { states, after } = situation;
    const named = (is.get('Service')?.get('Sockets') ?? []).join(' ').split(/\s+/);
    const sockets = named.filter(socket => socket !== '');
    if (sockets.length === 0)
        sockets.push(base.replace(/@?\.service$/, '.socket'));
    let activated = false;
    for (const socket of sockets) {
        const runs = socket in states;
        const exists = socket in after;
        if (runs)
            plan.stop.add(socket);
        if (runs && exists)
            plan.start.add(socket);
        if (exists)
            activated = true;
    }
    if (!activated || flag(is, 'Service', 'X-NotSocketActivated', false))
        plan.start.add(unit);
    plan.stop.add(unit);
}
/** Whether a change of a unit needs nothing, a reload or a restart. */
function compareUnits(was, is) {
    const differences = [];
    for (const [section, keys] of was) {
        const now = is.get(section);
        differences.push(now === undefined ? removedSection(section, keys) : compareSection(section, keys, now));
    }
    const added = [...is].filter(([section]) => !was.has(section));
    if (added.length > 1)
        return 'restart';
    differences.push(...added.map(([section, keys]) => addedSection(section, keys)));
    return worst(differences);
}
function compareSection(section, was, is) {
    const differences = [];
    for (const [key, values] of was) {
        const now = is.get(key);
        if (now === undefined)
            differences.push(removedKey(section, key));
        else if (values.join('\n') !== now.join('\n') || values.length !== now.length) {
            differences.push(changedKey(section, key));
        }
    }
    for (const key of is.keys())
        if (!was.has(key))
            differences.push(addedKey(section, key));
    return worst(differences);
}
function removedSection(section, keys) {
    if (section === 'Unit')
        return [...keys.keys()].every(key => harmless.has(key)) ? 'equal' : 'restart';
    return section === 'Service' && keys.size === 1 && keys.has('ExecReload') ? 'equal' : 'restart';
}
function addedSection(section, keys) {
    if (section === 'Unit')
        return worst([...keys.keys()].map(key => addedKey(section, key)));
    return section === 'Service' && keys.size === 1 && keys.has('ExecReload') ? 'reload' : 'restart';
}
/** The process runs on, and the new unit cannot be reloaded: nothing is to be done if ExecReload is gone. */
function removedKey(section, key) {
    const nothing = section === 'Unit' ? harmless.has(key) : section === 'Service' && key === 'ExecReload';
    return nothing ? 'equal' : 'restart';
}
function addedKey(section, key) {
    if (section === 'Unit' && key === 'X-Reload-Triggers')
        return 'reload';
    if (section === 'Unit' && harmless.has(key))
        return 'equal';
    return section === 'Service' && key === 'ExecReload' ? 'reload' : 'restart';
}
function changedKey(section, key) {
    return section === 'Mount' && key === 'Options' ? 'reload' : addedKey(section, key);
}
function worst(differences) {
    if (differences.includes('restart'))
        return 'restart';
    return differences.includes('reload') ? 'reload' : 'equal';
}
/** The last value of a key as a boolean. */
function flag(unit, section, key, otherwise) {
    const value = unit.get(section)?.get(key)?.at(-1);
    return value === undefined ? otherwise : ['1', 'yes', 'true', 'on'].includes(value);
}
/**
 * Adds to a plan what a switch does about file systems that fstab names. Source: the same program, `parse_fstab` and
 * `do_system_switch`. New file systems are mounted with local-fs.target.
 *
 * @returns the swap devices that it turns off.
 */
function planFstab(before, after, plan) {
    const [was, is] = [readFstab(before), readFstab(after)];
    for (const [place, old] of was.mounts) {
        const mount = `${escapePath(place)}.mount`;
        const now = is.mounts.get(place);
        if (now === undefined) {
            plan.stop.add(old.options.includes('x-systemd.automount') ? `${escapePath(place)}.automount` : mount);
        }
        else if (old.type !== now.type || old.device !== now.device) {
            // These cannot be unmounted.
            if (place !== '/' && place !== '/nix')
                plan.restart.add(mount);
            else
                (old.options === now.options ? plan.kept : plan.reload).add(mount);
        }
        else if (old.options !== now.options)
            plan.reload.add(mount);
    }
    return [...was.swaps].filter(device => !is.swaps.has(device));
}
function readFstab(text) {
    const mounts = new Map();
    const swaps = new Set();
    for (const line of text.split('\n')) {
        const [device, place, type, options = ''] = line.trim().split(/\s+/);
        if (line.includes('#') || device === undefined || place === undefined || type === undefined)
            continue;
        if (type === 'swap')
            swaps.add(device);
        else
            mounts.set(place, { device, type, options });
    }
    return { mounts, swaps };
}
/** The name of the unit of a path, as `systemd-escape --path` makes it. */
function escapePath(path) {
    const bytes = Buffer.from(path.replace(/^\/+|\/+$/g, '').replace(/\/+/g, '/'));
    if (bytes.length === 0)
        return '-';
    return [...bytes]
        .map((byte, index) => {
        const char = String.fromCharCode(byte);
        if (char === '/')
            return '-';
        const plain = /[A-Za-z0-9:_]/.test(char) || (char === '.' && index > 0);
        return plain ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
        .join('');
}

;// CONCATENATED MODULE: ./src/preview/change.ts








/** Compares what a machine runs with a system that was built for it. */
function change_changeOf(machine, after) {
    const { system } = machine;
    const toplevels = [system.toplevel, after.toplevel];
    return {
        before: system.toplevel,
        after: after.toplevel,
        units: unitChange(machine, after),
        packages: system.closure === null ? null : comparePackages(system.closure, after.closure ?? [], toplevels),
        reboot: rebootReasons(machine, after),
        firewall: compareFirewalls(system.firewall, after.firewall),
        users: compareNames(system.users, after.users),
        groups: compareNames(system.groups, after.groups),
        etc: compareEtc(system.etc, after.etc),
        secrets: null,
    };
}
/**
 * Compares two systems of which none runs where we can ask: states of units are unknown, and nothing waits for a reboot.
 * The units of `before` are taken to run.
 */
function changeBetween(before, after) {
    const machine = {
        ...{ system: before, booted: null, kernel: '', bootId: '', profile: null, boot: null },
        states: statesIfAllRun(before.units, before.wants),
        ...{ shadowed: [], secrets: [], fstab: before.fstab, pending: { start: [], restart: [], reload: [] } },
    };
    const change = change_changeOf(machine, after);
    return { ...change, units: { ...change.units, statesKnown: false } };
}
/** Every unit runs that is no template, and every instance that something wants. */
function statesIfAllRun(units, wants) {
    const wanted = wants.map(link => link.slice(link.indexOf('/') + 1));
    const names = [...Object.keys(units).filter(name => !name.includes('/')), ...wanted];
    const running = names.filter(name => !/@\.[a-z]+$/.test(name));
    return Object.fromEntries(running.map(name => [name, { active: 'active', sub: 'running' }]));
}
function unitChange(machine, after) {
    const { system, states, shadowed, pending, fstab } = machine;
    const noted = { statesKnown: true, unknown: unknownOf(after), error: null };
    const restartsSystemd = differs('systemd', system.parts, after.parts) || differs('etc/systemd/system.conf', system.parts, after.parts);
    const none = { stop: [], start: [], restart: [], reload: [], kept: [], fresh: [], swapOff: [] };
    // Source: nixpkgs' switch-to-configuration compares it with the running system's, and exits with 100 before it does anything.
    const init = 'init-interface-version';
    if (system.files[init] !== undefined && differs(init, system.files, after.files)) {
        const error = 'A switch changes no unit, because the init interface changes.';
        return { ...none, restartsSystemd: false, ...noted, error };
    }
    try {
        const plan = planUnits({ before: system.units, after: after.units, states, shadowed, pending });
        const swapOff = planFstab(fstab, after.fstab, plan);
        const shown = (units) => sorted([...units].filter(unit => !plan.hidden.has(unit)));
        return {
            ...{ stop: shown(plan.stop), start: shown(plan.start), kept: sorted(plan.kept) },
            ...{ restart: sorted(plan.restart), reload: sorted(plan.reload) },
            fresh: sorted(newlyWanted(system, after, states)),
            ...{ swapOff, restartsSystemd, ...noted },
        };
    }
    catch (error) {
        if (!(error instanceof UnparsableUnit))
            throw error;
        return { ...none, restartsSystemd, ...noted, error: `switch-to-configuration cannot read ${error.message}.` };
    }
}
function unknownOf({ restartsByActivation }) {
    return restartsByActivation
        ? ['The activation script may restart or reload more units: only running it would show which.']
        : [];
}
function differs(name, before, after) {
    // A system without the file keeps what runs.
    return after[name] !== undefined && before[name] !== after[name];
}
/** In the order of switch-to-configuration: regardless of case. */
function sorted(units) {
    const key = (unit) => unit.toLowerCase();
    return [...units].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
function compareNames(before, after) {
    if (before === null || after === null)
        return null;
    return {
        added: after.filter(name => !before.includes(name)).sort(),
        removed: before.filter(name => !after.includes(name)).sort(),
    };
}
/** Whether a switch would change nothing that this comparison sees. */
function isSame({ before, after, secrets }) {
    return before === after && (secrets === null || (0,preview_secrets/* isSameSecrets */.QD)(secrets));
}


/***/ }),

/***/ 14156:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   MX: () => (/* binding */ reasonsUnknown),
/* harmony export */   ev: () => (/* binding */ wouldChange),
/* harmony export */   mw: () => (/* binding */ isFailedPreview)
/* harmony export */ });
/* harmony import */ var _change_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(42024);

/**
 * Why nothing is known of what would change. `not-built`: the report has the reason. `refused` and `failed` fail the job, as
 * there is something to repair; a target that is off does not. `new` and `removed`: the host exists only after, or only before.
 */
const reasonsUnknown = [
    'not-built',
    'build-only',
    'no-target',
    'no-key',
    'first',
    'unreachable',
    'refused',
    'failed',
    'no-base',
    'new',
    'removed',
];
function isFailedPreview(preview) {
    return !preview.known && (preview.why === 'refused' || preview.why === 'failed');
}
/** Whether the source changes a host: also if it adds or removes it. Null if nothing is known. */
function wouldChange(preview) {
    if (preview.known)
        return !(0,_change_js__WEBPACK_IMPORTED_MODULE_0__/* .isSame */ .Ft)(preview.change);
    return preview.why === 'new' || preview.why === 'removed' ? true : null;
}


/***/ }),

/***/ 7729:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Mf: () => (/* binding */ compareWithKept),
/* harmony export */   QD: () => (/* binding */ isSameSecrets),
/* harmony export */   j$: () => (/* binding */ compareSecrets)
/* harmony export */ });
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _deploy_secrets_digest_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(81541);


/** Compares what two sources declare. No content is read, and no inline text is returned. */
function compareSecrets(before, after) {
    const [was, is] = [byName(before), byName(after)];
    return {
        added: [...is.keys()].filter(name => !was.has(name)),
        removed: [...was.keys()].filter(name => !is.has(name)),
        changed: [...is].flatMap(([name, text]) => (was.has(name) && was.get(name) !== text ? [name] : [])),
        unknown: [],
    };
}
/**
 * Compares the secrets of a host with what its target got last, by the digests that the target keeps.
 *
 * @param contents in the order of the secrets; null: not known.
 * @returns null for a host without secrets.
 */
function compareWithKept({ host, secrets, contents, }, kept, signingKey) {
    if (secrets.length === 0)
        return null;
    const change = { added: [], removed: [], changed: [], unknown: [] };
    for (const [index, secret] of secrets.entries()) {
        const content = contents[index] ?? null;
        const last = kept.find(({ destination }) => destination === secret.destination);
        if (last?.digest === null) {
            change.added.push(secret.name);
            continue;
        }
        const known = content !== null && signingKey !== null && last !== undefined;
        const same = known ? (0,_deploy_secrets_digest_js__WEBPACK_IMPORTED_MODULE_1__/* .isSameDigest */ .d)(last, { host, secret, content }, signingKey) : null;
        if (same === null)
            change.unknown.push(secret.name);
        else if (!same)
            change.changed.push(secret.name);
    }
    return change;
}
/** Each secret as a text that is the same in every checkout of a source. */
function byName({ secrets, folder }) {
    return new Map(secrets.map(secret => [secret.name, JSON.stringify([{ ...secret, source: null }, sourceOf(secret, folder)])]));
}
function sourceOf({ source }, folder) {
    if ('file' in source)
        return { file: (0,node_path__WEBPACK_IMPORTED_MODULE_0__.relative)(folder, source.file) };
    if ('text' in source)
        return { text: source.text.reveal() };
    return 'command' in source ? { command: source.command } : source;
}
/** Whether two sources declare the same. */
function isSameSecrets({ added, removed, changed }) {
    return added.length + removed.length + changed.length === 0;
}


/***/ })

};
