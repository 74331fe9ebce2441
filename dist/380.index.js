export const id = 380;
export const ids = [380,78];
export const modules = {

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

/***/ 69248:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   H: () => (/* binding */ ownerAndRepo),
/* harmony export */   o: () => (/* binding */ openGitHub)
/* harmony export */ });
/** Milliseconds after which a request fails. */
const patience = 30_000;
/**
 * A client of GitHub's REST API. It uses the proxy that the environment names, as downloads do. The library is loaded when
 * it is first needed.
 */
async function openGitHub({ api, token }) {
    const { getOctokit } = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(351)]).then(__webpack_require__.bind(__webpack_require__, 61351));
    const client = getOctokit(token, { baseUrl: api, userAgent: 'nix-ferry' });
    client.hook.before('request', options => {
        options.request = { ...options.request, signal: AbortSignal.timeout(patience) };
    });
    return client;
}
/** The names of owner and repository in `owner/name`, as requests take them. */
function ownerAndRepo(repository) {
    const [owner = '', repo = ''] = repository.split('/');
    return { owner, repo };
}


/***/ }),

/***/ 32380:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  commentLimit: () => (/* reexport */ commentLimit),
  keepComment: () => (/* reexport */ keepComment),
  openProgress: () => (/* reexport */ openProgress),
  report: () => (/* binding */ report),
  summary: () => (/* reexport */ summary),
  text: () => (/* reexport */ text_text),
  verdict: () => (/* reexport */ verdict)
});

// EXTERNAL MODULE: ./src/deploy/outcome.ts
var deploy_outcome = __webpack_require__(84535);
;// CONCATENATED MODULE: ./src/report/groups.ts
/** The failures of evaluations by reason and place, in the order in which each first occurs; others are one for each host. */
function groupsOf(failures) {
    const groups = new Map();
    for (const failure of failures) {
        const { host, stage, outcome, why, file, line } = failure;
        const key = JSON.stringify([stage, outcome, why, file, line, stage === 'plan' ? null : host]);
        const group = groups.get(key);
        if (group === undefined)
            groups.set(key, { hosts: [host], failure });
        else
            group.hosts.push(host);
    }
    return [...groups.values()];
}
/** Names of hosts on one line: several as their number and the names. */
function namesOf(hosts) {
    return hosts.length === 1 ? `${hosts[0]}` : `${hosts.length} hosts (${hosts.join(', ')})`;
}

// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: external "node:util"
var external_node_util_ = __webpack_require__(57975);
;// CONCATENATED MODULE: ./src/report/markdown.ts

/**
 * Text that Markdown and HTML show unchanged, on one line. Whatever is not a letter, digit or plain punctuation becomes a
 * numeric character reference, which cannot start markup, a table cell, a link or a mention.
 */
function escapeText(text) {
    return plain(text)
        .replaceAll(/\s+/g, ' ')
        .trim()
        .replaceAll(/[^\p{L}\p{N} .,/+=%-]/gu, reference)
        .replaceAll(/\b(www)\./gi, '$1&#46;');
}
function reference(character) {
    return `&#${character.codePointAt(0)};`;
}
/** Text without terminal sequences and without control characters other than tab and newline. */
function plain(text) {
    return (0,external_node_util_.stripVTControlCharacters)(text)
        .replaceAll('\r\n', '\n')
        .replaceAll(/(?![\t\n])\p{C}/gu, '');
}
/** A block that shows `text` unchanged, even if it contains fences. */
function codeBlock(text) {
    const clean = plain(text).trimEnd();
    const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map(run => run.length));
    const fence = '`'.repeat(longest + 1);
    return `${fence}text\n${clean}\n${fence}`;
}
/** A folded section. `summary` must be escaped already, `body` is Markdown. */
function details(summary, body) {
    return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

;// CONCATENATED MODULE: ./src/report/unit-changes.ts


const verbs = ['stop', 'start', 'restart', 'reload'];
/** The numbers of units that change, in words: "restart 2, reload 1". */
function unitCounts({ outcome, units }) {
    const merged = mergeRestarts(units);
    const counted = verbs.filter(verb => merged[verb].length > 0).map(verb => `${verb} ${merged[verb].length}`);
    if (counted.length === 0)
        return 'no unit changes';
    return `${deploy_outcome/* outcomes */.KI[outcome].hypothetical ? 'would ' : ''}${counted.join(', ')}`;
}
/** The units that change, by what happens to them. */
function unitLines({ outcome, units, }) {
    const merged = mergeRestarts(units);
    const words = deploy_outcome/* outcomes */.KI[outcome].hypothetical ? would : did;
    return Object.keys(words)
        .filter(kind => merged[kind].length > 0)
        .map(kind => ({ words: words[kind], names: merged[kind] }));
}
/** A folded list of what changes; null when nothing does. */
function unitDetails(outcome) {
    const { host, mode, before, after, others } = outcome;
    const lines = [
        ...unitLines(outcome).map(({ words, names }) => `- ${words}: ${names.map(unit => `<code>${escapeText(unit)}</code>`).join(' ')}`),
        ...others.map(other => `- ${escapeText(other)}`),
    ];
    if (lines.length === 0)
        return null;
    const systems = mode === 'dry-activate' || before === after ? [] : [`- ${path(before)} → ${path(after)}`];
    return details(`${escapeText(host)}: ${unitCounts(outcome)}`, [...lines, ...systems].join('\n'));
}
const did = {
    stop: 'stopped',
    start: 'started',
    restart: 'restarted',
    reload: 'reloaded',
    kept: 'changed, but still running in the old version',
    failed: 'failed',
};
const would = {
    stop: 'would stop',
    start: 'would start',
    restart: 'would restart',
    reload: 'would reload',
    kept: 'changed, but would keep running in the old version',
    failed: 'failed',
};
/** A unit that is stopped before the activation and started after it has, to a person, been restarted. */
function mergeRestarts(units) {
    const both = units.stop.filter(unit => units.start.includes(unit));
    const rest = (names) => names.filter(unit => !both.includes(unit));
    return {
        ...units,
        stop: rest(units.stop),
        start: rest(units.start),
        restart: [...new Set([...units.restart, ...both])],
    };
}
function path(toplevel) {
    return toplevel === null ? 'unknown' : `<code>${escapeText(toplevel)}</code>`;
}

;// CONCATENATED MODULE: ./src/report/verdict.ts

/** A run fails when a host could not be evaluated or built, when an outcome is a failure, or when an error ended the run. */
function verdict(run) {
    const failures = [
        ...(run.fleet?.failures ?? []).map(({ message, trace, ...where }) => ({
            ...{ stage: 'plan', outcome: null, why: message, log: trace },
            ...where,
        })),
        ...run.built.flatMap(buildFailure),
        ...run.outcomes.filter(deploy_outcome/* isFailure */.N6).map(deployFailure),
    ];
    return { ok: run.error === null && failures.length === 0, failures };
}
const nowhere = { file: null, line: null, column: null };
function buildFailure(built) {
    if (built.ok)
        return [];
    const { message, log } = built.failure;
    return [{ host: built.host.name, stage: 'build', outcome: null, why: message, log, ...nowhere }];
}
function deployFailure({ host, outcome, message, log = '' }) {
    return { host, stage: 'deploy', outcome, why: message, log, ...nowhere };
}
/** What is said in place of an outcome about a host that failed before the deployment. */
function failureKind({ outcome, stage }) {
    return outcome ?? (stage === 'plan' ? 'not evaluated' : 'not built');
}

;// CONCATENATED MODULE: ./src/report/host-table.ts





const hostTableHead = '| Host | System | Closure | Archive | Outcome |\n|---|---|---:|---:|---|';
/** A line of the table for each host of the run. */
function hostTableLines(run, failures) {
    const names = new Set([
        ...(run.fleet?.hosts ?? []).map(({ name }) => name),
        ...run.built.map(({ host }) => host.name),
        ...run.archives.map(({ host }) => host),
        ...run.outcomes.map(({ host }) => host),
        ...failures.map(({ host }) => host),
    ]);
    return [...names].map(host => `| ${cellsOf(host, run, failures).join(' | ')} |`);
}
function cellsOf(host, run, failures) {
    const built = run.built.find(each => each.host.name === host);
    const archive = run.archives.find(each => each.host === host);
    const outcome = run.outcomes.find(each => each.host === host);
    const failure = failures.find(each => each.host === host && each.outcome === null);
    const system = built?.host.system ?? archive?.system ?? run.fleet?.hosts.find(({ name }) => name === host)?.system;
    const closure = built?.ok
        ? `${(0,amounts/* size */.Ej)(built.closureBytes)} in ${(0,amounts/* count */.U9)(built.closure.length, 'path')}`
        : archive && (0,amounts/* size */.Ej)(archive.closureBytes);
    return [
        escapeText(host),
        escapeText(system ?? ''),
        closure ?? '',
        archive ? (0,amounts/* size */.Ej)(archive.bytes) : '',
        outcomeCell(outcome, failure, built?.ok),
    ];
}
function outcomeCell(outcome, failure, built) {
    if (failure !== undefined)
        return `❌ ${failureKind(failure)}`;
    if (outcome === undefined)
        return built === true ? '✅ built' : '';
    const { outcome: kind, seconds } = outcome;
    const { sign, hypothetical } = deploy_outcome/* outcomes */.KI[kind];
    const time = seconds > 0 ? ` in ${(0,amounts/* duration */.p0)(seconds)}` : '';
    return `${sign} ${kind}${time}${hypothetical ? `: ${unitCounts(outcome)}` : ''}`;
}

;// CONCATENATED MODULE: ./src/report/limited.ts
/** A Markdown document made of parts that never grows beyond a number of bytes. */
class LimitedDocument {
    #parts = [];
    #limit;
    #bytes = 0;
    /** @param limit bytes. */
    constructor(limit) {
        this.#limit = limit;
    }
    /** @returns whether the part fits. */
    add(part) {
        const bytes = Buffer.byteLength(part) + 2;
        if (this.#bytes + bytes > this.#limit)
            return false;
        this.#bytes += bytes;
        this.#parts.push(part);
        return true;
    }
    /** Adds lines of one part, as many as fit into half of the document; `rest` replaces those that are left out. */
    addLines(lines, rest) {
        let bytes = 0;
        const fitting = lines.findIndex(line => {
            bytes += Buffer.byteLength(line) + 1;
            return bytes > this.#limit / 2;
        });
        const shown = fitting === -1 ? lines : [...lines.slice(0, fitting), rest(lines.length - fitting)];
        this.add(shown.join('\n'));
    }
    /** Adds parts until one does not fit; `rest` replaces those that are left out. */
    addAll(parts, rest) {
        for (const [index, part] of parts.entries()) {
            if (this.add(part))
                continue;
            this.#parts.push(rest(parts.length - index));
            return;
        }
    }
    text() {
        return `${this.#parts.join('\n\n')}\n`;
    }
}

;// CONCATENATED MODULE: ./src/report/next-steps.ts

/** What a person should do next, for each kind of outcome that occurred and asks for something. */
function nextSteps(run) {
    const kinds = new Set(run.outcomes.map(({ outcome }) => outcome));
    return [...kinds].flatMap(kind => {
        const { next } = deploy_outcome/* outcomes */.KI[kind];
        return next === null ? [] : [{ kind, next }];
    });
}

;// CONCATENATED MODULE: ./src/report/summary.ts







/** A step's summary is limited to 1 MiB (docs.github.com, "Workflow commands", step isolation and limits), less a reserve. */
const summaryLimit = 1024 * 1024 - 16 * 1024;
/** Failures that are listed above the table, at most. */
const listedFailures = 50;
/** The sections, in their order. When the document is full, the later ones are left out. */
const sections = [title, error, dryRun, failureList, nextStepList, hostTable, times, detailsList];
/**
 * A run as Markdown, for the job summary. Whatever a host, a target or a log contains is shown as text.
 *
 * @param limit maximum size in bytes.
 */
function summary(run, limit = summaryLimit) {
    const { failures } = verdict(run);
    const document = new LimitedDocument(limit);
    for (const section of sections)
        section(document, run, failures);
    return document.text();
}
function title(document, run, failures) {
    const kinds = run.outcomes.map(({ outcome }) => outcome);
    const reached = kinds.length === 0
        ? [farthest(run)]
        : [...new Set(kinds)].map(kind => `${kinds.filter(each => each === kind).length} ${kind}`);
    const early = failures.filter(({ outcome }) => outcome === null).length;
    document.add(`## Nix Ferry: ${[...reached, ...(early > 0 ? [`${early} not built`] : [])].join(', ')}`);
}
/** How far a run without a deployment came. */
function farthest({ fleet, built, archives }) {
    if (built.length > 0)
        return `${(0,amounts/* count */.U9)(built.filter(({ ok }) => ok).length, 'host')} built`;
    if (archives.length > 0)
        return `${(0,amounts/* count */.U9)(archives.length, 'archive')} verified`;
    return `${(0,amounts/* count */.U9)(fleet?.hosts.length ?? 0, 'host')} evaluated`;
}
function error(document, run) {
    if (run.error === null)
        return;
    document.add(`**${escapeText(run.error.message)}** ${escapeText(run.error.cure ?? '')}`.trim());
}
function dryRun(document, run) {
    if (run.mode !== 'dry-activate')
        return;
    document.add('Nothing was changed. This is what a switch would do (`dry-activate`).');
}
function failureList(document, _run, failures) {
    for (const failure of failures.slice(0, listedFailures)) {
        document.add(`- **${escapeText(failure.host)}** ${failureKind(failure)}: ${escapeText(failure.why)}`);
    }
}
function nextStepList(document, run) {
    const lines = nextSteps(run).map(({ kind, next }) => `- ${kind}: ${next}`);
    if (lines.length > 0)
        document.add(['**Next steps**\n', ...lines].join('\n'));
}
function hostTable(document, run, failures) {
    const lines = hostTableLines(run, failures);
    if (lines.length === 0)
        return;
    document.addLines([hostTableHead, ...lines], left => `| … and ${(0,amounts/* count */.U9)(left, 'more host')} | | | | |`);
}
function times(document, run) {
    const stages = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${(0,amounts/* duration */.p0)(seconds)}`);
    if (stages.length > 0)
        document.add(`**Time**: ${stages.join(' · ')}`);
}
function detailsList(document, run, failures) {
    const logs = failures
        .filter(({ log }) => log !== '')
        .map(({ host, stage, log }) => details(`${escapeText(host)}: log of ${stage}`, codeBlock(log)));
    const units = run.outcomes.map(unitDetails).filter(each => each !== null);
    document.addAll([...logs, ...units], left => `The details of ${(0,amounts/* count */.U9)(left, 'more host')} do not fit into the summary.`);
}

// EXTERNAL MODULE: ./src/github.ts
var src_github = __webpack_require__(69248);
;// CONCATENATED MODULE: ./src/report/comment.ts

/** Characters that a comment may have (docs.github.com/rest/issues/comments: 65536), less room for the marker. */
const commentLimit = 60_000;
/**
 * Creates one comment on a pull request, or updates the one that an earlier run created.
 *
 * @throws Error that says what GitHub answered, such as 403 for the token of a fork, which may not write.
 */
async function keepComment(markdown, place) {
    const marker = `<!-- nix-ferry ${place.key.replaceAll(/[^\w /.-]/g, '_').replaceAll('--', '__')} -->`;
    const { owner, repo } = (0,src_github/* ownerAndRepo */.H)(place.repository);
    const body = `${marker}\n${markdown}`;
    const github = await (0,src_github/* openGitHub */.o)(place);
    try {
        const earlier = await findComment(marker, place, github);
        if (earlier === null)
            await github.rest.issues.createComment({ owner, repo, issue_number: place.number, body });
        else
            await github.rest.issues.updateComment({ owner, repo, comment_id: earlier, body });
    }
    catch (error) {
        const { status, message } = error;
        throw status === undefined ? error : new Error(`GitHub answered with status ${status}: ${message}`);
    }
}
/** Whose token this is: `github-actions[bot]` for that of a job. */
async function loginOf(github) {
    return (await github.graphql('{ viewer { login } }')).viewer.login;
}
async function findComment(marker, place, github) {
    const which = { ...(0,src_github/* ownerAndRepo */.H)(place.repository), issue_number: place.number, per_page: 100 };
    let login = null;
    for await (const { data } of github.paginate.iterator(github.rest.issues.listComments, which)) {
        // Anybody can write a comment that begins with the marker, and this one would be shown as theirs.
        const marked = data.filter(({ body }) => body?.startsWith(marker));
        if (marked.length === 0)
            continue;
        login ??= await loginOf(github);
        const own = marked.find(({ user }) => user?.login === login);
        if (own !== undefined)
            return own.id;
    }
    return null;
}

;// CONCATENATED MODULE: ./node_modules/ansi-regex/index.js
// Valid string terminator sequences are ESC\ and 0x9c; OSC also accepts BEL.
const ST = String.raw`(?:\u001B\u005C|\u009C)`;

// OSC sequences only: ESC ] ... BEL/ST (or the C1 introducer 0x9d ... BEL/ST).
// Payloads stop at terminators, cancellations, and C1 controls. An unterminated string cannot swallow the next sequence or repeatedly scan its payload from later introducers. Terminals likewise abort a control string on an unexpected ESC.
const stringControls = String.raw`\u0018\u001A\u001B\u0080-\u009F`;
const osc = String.raw`(?:\u001B\]|\u009D)[^\u0007${stringControls}]*(?:\u0007|${ST})`;

// DCS, SOS, PM, APC, and screen window titles have opaque payloads terminated by ST. Nested ESC payloads, such as tmux passthrough, require a parser.
const controlString = String.raw`(?:\u001B[PX^_k]|[\u0090\u0098\u009E\u009F])[^${stringControls}]*${ST}`;

// Linux console palette controls have fixed lengths and no string terminator; iTerm2 terminates its palette assignments. Consume an immediately adjacent OSC terminator, but match these controls before OSC so a later BEL cannot consume visible text.
const linuxPalette = String.raw`\u001B\](?:P[\dA-Fa-f]{7}|R)(?:\u0007|${ST})?`;

// CSI: ESC [ or C1 CSI, parameter bytes (0x30–0x3f), intermediate bytes (0x20–0x2f), then a final byte (0x40–0x7e).
// `= < >` are final bytes in two-byte VT52 escapes (`ESC >`) but parameter bytes in a CSI (`ESC [ > 0 ; 276 ; 0 c`, the device attributes reply). Match CSI first to consume the whole sequence, where its introducer makes the two unambiguous.
const csi = String.raw`(?:\u001B\[|\u009B)[\u0030-\u003F]*[\u0020-\u002F]*[\u0040-\u007E]`;

// Related escapes: ESC, intermediate bytes (0x20–0x2f), then a final byte (0x30–0x7e), or a supported two-byte escape.
// The two-byte final class stays narrow so that ESC followed by an arbitrary character is not read as a sequence. CSI parameters belong only to the CSI form, preventing partial matches and avoiding a second scan with nested repetition.
// Escapes whose final byte is a digit include `ESC 7` and `ESC 8` (save and restore cursor), `ESC ( 0` (line drawing character set), and `ESC # 8` (screen alignment).
// A digit is never a CSI final byte. These escapes end immediately at their final byte, so `ESC 7 l` is read as the escape followed by text rather than a sequence with parameter 7 and final byte `l`.
const ansi_regex_escape = String.raw`\u001B(?:[\u0020-\u002F]+[\u0030-\u007E]|[\dA-PR-TZcf-oq-uy=><~|}])`;

const pattern = `${linuxPalette}|${osc}|${controlString}|${csi}|${ansi_regex_escape}`;

function ansiRegex({onlyFirst = false} = {}) {
	return new RegExp(pattern, onlyFirst ? undefined : 'g');
}

;// CONCATENATED MODULE: ./node_modules/strip-ansi/index.js


const regex = ansiRegex();

function stripAnsi(string) {
	if (typeof string !== 'string') {
		throw new TypeError(`Expected a \`string\`, got \`${typeof string}\``);
	}

	// Fast path: ANSI codes require ESC (7-bit) or CSI (8-bit) introducer
	if (!string.includes('\u001B') && !string.includes('\u009B')) {
		return string;
	}

	// Even though the regex is global, we don't need to reset the `.lastIndex`
	// because unlike `.exec()` and `.test()`, `.replace()` does it automatically
	// and doing it manually has a performance penalty.
	return string.replace(regex, '');
}

;// CONCATENATED MODULE: ./node_modules/get-east-asian-width/lookup-data.js
// Generated by scripts/build.js

const ambiguousMinimalCodePoint = 161;
const ambiguousMaximumCodePoint = 1114109;
const ambiguousRanges = [161, 161, 164, 164, 167, 168, 170, 170, 173, 174, 176, 180, 182, 186, 188, 191, 198, 198, 208, 208, 215, 216, 222, 225, 230, 230, 232, 234, 236, 237, 240, 240, 242, 243, 247, 250, 252, 252, 254, 254, 257, 257, 273, 273, 275, 275, 283, 283, 294, 295, 299, 299, 305, 307, 312, 312, 319, 322, 324, 324, 328, 331, 333, 333, 338, 339, 358, 359, 363, 363, 462, 462, 464, 464, 466, 466, 468, 468, 470, 470, 472, 472, 474, 474, 476, 476, 593, 593, 609, 609, 708, 708, 711, 711, 713, 715, 717, 717, 720, 720, 728, 731, 733, 733, 735, 735, 768, 879, 913, 929, 931, 937, 945, 961, 963, 969, 1025, 1025, 1040, 1103, 1105, 1105, 8208, 8208, 8211, 8214, 8216, 8217, 8220, 8221, 8224, 8226, 8228, 8231, 8240, 8240, 8242, 8243, 8245, 8245, 8251, 8251, 8254, 8254, 8308, 8308, 8319, 8319, 8321, 8324, 8364, 8364, 8451, 8451, 8453, 8453, 8457, 8457, 8467, 8467, 8470, 8470, 8481, 8482, 8486, 8486, 8491, 8491, 8531, 8532, 8539, 8542, 8544, 8555, 8560, 8569, 8585, 8585, 8592, 8601, 8632, 8633, 8658, 8658, 8660, 8660, 8679, 8679, 8704, 8704, 8706, 8707, 8711, 8712, 8715, 8715, 8719, 8719, 8721, 8721, 8725, 8725, 8730, 8730, 8733, 8736, 8739, 8739, 8741, 8741, 8743, 8748, 8750, 8750, 8756, 8759, 8764, 8765, 8776, 8776, 8780, 8780, 8786, 8786, 8800, 8801, 8804, 8807, 8810, 8811, 8814, 8815, 8834, 8835, 8838, 8839, 8853, 8853, 8857, 8857, 8869, 8869, 8895, 8895, 8978, 8978, 9312, 9449, 9451, 9547, 9552, 9587, 9600, 9615, 9618, 9621, 9632, 9633, 9635, 9641, 9650, 9651, 9654, 9655, 9660, 9661, 9664, 9665, 9670, 9672, 9675, 9675, 9678, 9681, 9698, 9701, 9711, 9711, 9733, 9734, 9737, 9737, 9742, 9743, 9756, 9756, 9758, 9758, 9792, 9792, 9794, 9794, 9824, 9825, 9827, 9829, 9831, 9834, 9836, 9837, 9839, 9839, 9886, 9887, 9919, 9919, 9926, 9933, 9935, 9939, 9941, 9953, 9955, 9955, 9960, 9961, 9963, 9969, 9972, 9972, 9974, 9977, 9979, 9980, 9982, 9983, 10045, 10045, 10102, 10111, 11094, 11097, 12872, 12879, 57344, 63743, 65024, 65039, 65533, 65533, 127232, 127242, 127248, 127277, 127280, 127337, 127344, 127373, 127375, 127376, 127387, 127404, 917760, 917999, 983040, 1048573, 1048576, 1114109];

const fullwidthMinimalCodePoint = 12288;
const fullwidthMaximumCodePoint = 65510;
const fullwidthRanges = [12288, 12288, 65281, 65376, 65504, 65510];

const lookup_data_halfwidthMinimalCodePoint = 8361;
const lookup_data_halfwidthMaximumCodePoint = 65518;
const lookup_data_halfwidthRanges = (/* unused pure expression or super */ null && ([8361, 8361, 65377, 65470, 65474, 65479, 65482, 65487, 65490, 65495, 65498, 65500, 65512, 65518]));

const lookup_data_narrowMinimalCodePoint = 32;
const lookup_data_narrowMaximumCodePoint = 10630;
const lookup_data_narrowRanges = (/* unused pure expression or super */ null && ([32, 126, 162, 163, 165, 166, 172, 172, 175, 175, 10214, 10221, 10629, 10630]));

const wideMinimalCodePoint = 4352;
const wideMaximumCodePoint = 262141;
const wideRanges = [4352, 4447, 8986, 8987, 9001, 9002, 9193, 9196, 9200, 9200, 9203, 9203, 9725, 9726, 9748, 9749, 9776, 9783, 9800, 9811, 9855, 9855, 9866, 9871, 9875, 9875, 9889, 9889, 9898, 9899, 9917, 9918, 9924, 9925, 9934, 9934, 9940, 9940, 9962, 9962, 9970, 9971, 9973, 9973, 9978, 9978, 9981, 9981, 9989, 9989, 9994, 9995, 10024, 10024, 10060, 10060, 10062, 10062, 10067, 10069, 10071, 10071, 10133, 10135, 10160, 10160, 10175, 10175, 11035, 11036, 11088, 11088, 11093, 11093, 11904, 11929, 11931, 12019, 12032, 12245, 12272, 12287, 12289, 12350, 12353, 12438, 12441, 12543, 12549, 12591, 12593, 12686, 12688, 12773, 12783, 12830, 12832, 12871, 12880, 42124, 42128, 42182, 43360, 43388, 44032, 55203, 63744, 64255, 65040, 65049, 65072, 65106, 65108, 65126, 65128, 65131, 94176, 94180, 94192, 94198, 94208, 101594, 101631, 101664, 101760, 101874, 101888, 102801, 102816, 102866, 110576, 110579, 110581, 110587, 110589, 110590, 110592, 110888, 110898, 110898, 110928, 110930, 110933, 110933, 110948, 110952, 110960, 111355, 119552, 119638, 119648, 119670, 126980, 126980, 127183, 127183, 127374, 127374, 127377, 127386, 127406, 127406, 127488, 127490, 127504, 127547, 127552, 127560, 127568, 127569, 127584, 127589, 127744, 127776, 127789, 127797, 127799, 127868, 127870, 127891, 127904, 127946, 127951, 127955, 127968, 127984, 127988, 127988, 127992, 128062, 128064, 128064, 128066, 128252, 128255, 128317, 128331, 128334, 128336, 128359, 128378, 128378, 128405, 128406, 128420, 128420, 128507, 128591, 128640, 128709, 128716, 128716, 128720, 128722, 128725, 128729, 128732, 128735, 128747, 128748, 128756, 128764, 128986, 128986, 128992, 129003, 129008, 129008, 129292, 129338, 129340, 129349, 129351, 129535, 129648, 129660, 129664, 129734, 129736, 129736, 129740, 129757, 129759, 129771, 129775, 129786, 131072, 196605, 196608, 262141];

;// CONCATENATED MODULE: ./node_modules/get-east-asian-width/utilities.js
/**
Binary search on a sorted flat array of [start, end] pairs.

@param {number[]} ranges - Flat array of inclusive [start, end] range pairs, e.g. [0, 5, 10, 20].
@param {number} codePoint - The value to search for.
@returns {boolean} Whether the value falls within any of the ranges.
*/
const utilities_isInRange = (ranges, codePoint) => {
	let low = 0;
	let high = Math.floor(ranges.length / 2) - 1;
	while (low <= high) {
		const mid = Math.floor((low + high) / 2);
		const i = mid * 2;
		if (codePoint < ranges[i]) {
			high = mid - 1;
		} else if (codePoint > ranges[i + 1]) {
			low = mid + 1;
		} else {
			return true;
		}
	}

	return false;
};

;// CONCATENATED MODULE: ./node_modules/get-east-asian-width/lookup.js



const commonCjkCodePoint = 0x4E_00;
const [wideFastPathStart, wideFastPathEnd] = /* #__PURE__ */ findWideFastPathRange(wideRanges);

// Use a hot-path range so common `isWide` calls can skip binary search.
// The range containing U+4E00 covers common CJK ideographs;
// fallback to the largest range for resilience to Unicode table changes.
function findWideFastPathRange(ranges) {
	let fastPathStart = ranges[0];
	let fastPathEnd = ranges[1];

	for (let index = 0; index < ranges.length; index += 2) {
		const start = ranges[index];
		const end = ranges[index + 1];

		if (
			commonCjkCodePoint >= start
			&& commonCjkCodePoint <= end
		) {
			return [start, end];
		}

		if ((end - start) > (fastPathEnd - fastPathStart)) {
			fastPathStart = start;
			fastPathEnd = end;
		}
	}

	return [fastPathStart, fastPathEnd];
}

const isAmbiguous = codePoint => {
	if (
		codePoint < ambiguousMinimalCodePoint
		|| codePoint > ambiguousMaximumCodePoint
	) {
		return false;
	}

	return utilities_isInRange(ambiguousRanges, codePoint);
};

const isFullwidth = codePoint => {
	if (
		codePoint < fullwidthMinimalCodePoint
		|| codePoint > fullwidthMaximumCodePoint
	) {
		return false;
	}

	return utilities_isInRange(fullwidthRanges, codePoint);
};

const isHalfwidth = codePoint => {
	if (
		codePoint < halfwidthMinimalCodePoint
		|| codePoint > halfwidthMaximumCodePoint
	) {
		return false;
	}

	return isInRange(halfwidthRanges, codePoint);
};

const isNarrow = codePoint => {
	if (
		codePoint < narrowMinimalCodePoint
		|| codePoint > narrowMaximumCodePoint
	) {
		return false;
	}

	return isInRange(narrowRanges, codePoint);
};

const isWide = codePoint => {
	if (
		codePoint >= wideFastPathStart
		&& codePoint <= wideFastPathEnd
	) {
		return true;
	}

	if (
		codePoint < wideMinimalCodePoint
		|| codePoint > wideMaximumCodePoint
	) {
		return false;
	}

	return utilities_isInRange(wideRanges, codePoint);
};

function lookup_getCategory(codePoint) {
	if (isAmbiguous(codePoint)) {
		return 'ambiguous';
	}

	if (isFullwidth(codePoint)) {
		return 'fullwidth';
	}

	if (isHalfwidth(codePoint)) {
		return 'halfwidth';
	}

	if (isNarrow(codePoint)) {
		return 'narrow';
	}

	if (isWide(codePoint)) {
		return 'wide';
	}

	return 'neutral';
}

;// CONCATENATED MODULE: ./node_modules/get-east-asian-width/index.js


function validate(codePoint) {
	if (!Number.isSafeInteger(codePoint)) {
		throw new TypeError(`Expected a code point, got \`${typeof codePoint}\`.`);
	}
}

function eastAsianWidthType(codePoint) {
	validate(codePoint);

	return getCategory(codePoint);
}

function eastAsianWidth(codePoint, {ambiguousAsWide = false} = {}) {
	validate(codePoint);

	if (
		isFullwidth(codePoint)
		|| isWide(codePoint)
		|| (ambiguousAsWide && isAmbiguous(codePoint))
	) {
		return 2;
	}

	return 1;
}

// Private exports for https://github.com/sindresorhus/is-fullwidth-code-point


;// CONCATENATED MODULE: ./node_modules/string-width/index.js



/**
Logic:
- Segment graphemes to match how terminals render clusters.
- Width rules:
	1. Skip non-printing clusters (Default_Ignorable, Control, pure nonspacing/enclosing Mark, lone Surrogates). Tabs are ignored by design.
	2. RGI emoji clusters (\p{RGI_Emoji}) are double-width.
	3. Minimally-qualified/unqualified emoji clusters (ZWJ sequences with 2+ Extended_Pictographic, or keycap sequences) are double-width.
	4. Hangul jamo collapse each standard modern Hangul L+V or L+V+T syllable piece to width 2.
	   Unmatched repeated leading/vowel/trailing jamo stay additive because that matches how the terminals we target render them.
	5. Otherwise use East Asian Width of the cluster's first visible code point, and add widths for trailing spacing marks and Halfwidth/Fullwidth Forms within the same cluster (e.g., dakuten/handakuten/prolonged sound mark).
*/

const segmenter = new Intl.Segmenter();

// Matches a visible (printing) character. Used to find the base scalar of a cluster (skipping leading Prepend/Format/Marks) and to detect whole-cluster zero-width.
// Intentionally a single negated class without a quantifier: a repeated pattern like `^(?:…|…)+$` backtracks exponentially on overlapping properties, and even `^[…]+$` overflows V8's backtrack stack (RangeError) on clusters with millions of marks.
const visibleCharacterRegex = /[^\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Surrogate}]/v;
const spacingMarkRegex = /\p{Spacing_Mark}/v;

// RGI emoji sequences
const rgiEmojiRegex = /^\p{RGI_Emoji}$/v;

// Detect minimally-qualified/unqualified emoji sequences (missing VS16 but still render as double-width)
const unqualifiedKeycapRegex = /^[\d#*]\u20E3$/;
const extendedPictographicRegex = /\p{Extended_Pictographic}/gu;

function isDoubleWidthNonRgiEmojiSequence(segment) {
	// Real emoji clusters are < 30 chars; guard against pathological input
	if (segment.length > 50) {
		return false;
	}

	if (unqualifiedKeycapRegex.test(segment)) {
		return true;
	}

	// ZWJ sequences with 2+ Extended_Pictographic
	if (segment.includes('\u200D')) {
		const pictographics = segment.match(extendedPictographicRegex);
		return pictographics !== null && pictographics.length >= 2;
	}

	return false;
}

// Returns the cluster starting at its first visible character, or `undefined` if the whole cluster is zero-width.
function baseVisible(segment) {
	const index = segment.search(visibleCharacterRegex);
	return index === -1 ? undefined : segment.slice(index);
}

function isHangulLeadingJamo(codePoint) {
	return (codePoint >= 0x11_00 && codePoint <= 0x11_5F)
		|| (codePoint >= 0xA9_60 && codePoint <= 0xA9_7C);
}

function isHangulVowelJamo(codePoint) {
	return (codePoint >= 0x11_60 && codePoint <= 0x11_A7)
		|| (codePoint >= 0xD7_B0 && codePoint <= 0xD7_C6);
}

function isHangulTrailingJamo(codePoint) {
	return (codePoint >= 0x11_A8 && codePoint <= 0x11_FF)
		|| (codePoint >= 0xD7_CB && codePoint <= 0xD7_FB);
}

function isHangulJamo(codePoint) {
	return isHangulLeadingJamo(codePoint)
		|| isHangulVowelJamo(codePoint)
		|| isHangulTrailingJamo(codePoint);
}

function hangulClusterWidth(visibleSegment, eastAsianWidthOptions) {
	const codePoints = [];

	for (const character of visibleSegment) {
		if (!visibleCharacterRegex.test(character)) {
			continue;
		}

		codePoints.push(character.codePointAt(0));
	}

	if (codePoints.length === 0) {
		return undefined;
	}

	let width = 0;

	for (let index = 0; index < codePoints.length; index++) {
		const codePoint = codePoints[index];
		if (!isHangulJamo(codePoint)) {
			if (width === 0) {
				return undefined;
			}

			// Mixed cluster (e.g., L + precomposed syllable): use EAW for non-jamo remainder
			for (let remaining = index; remaining < codePoints.length; remaining++) {
				width += eastAsianWidth(codePoints[remaining], eastAsianWidthOptions);
			}

			return width;
		}

		// Modern Hangul L+V(+T) shapes as one syllable block. Unmatched jamo stay additive:
		// U+1100 U+1100 U+1161 => U+1100 + (U+1100 U+1161) => 2 + 2.
		if (
			isHangulLeadingJamo(codePoint)
			&& isHangulVowelJamo(codePoints[index + 1])
		) {
			width += 2;
			index += isHangulTrailingJamo(codePoints[index + 2]) ? 2 : 1;
			continue;
		}

		width += eastAsianWidth(codePoint, eastAsianWidthOptions);
	}

	return width;
}

function trailingWidth(visibleSegment, eastAsianWidthOptions) {
	let extra = 0;
	let first = true;

	for (const character of visibleSegment) {
		if (first) {
			first = false;
			continue;
		}

		if (
			spacingMarkRegex.test(character)
			|| (character >= '\uFF00' && character <= '\uFFEF')
		) {
			extra += eastAsianWidth(character.codePointAt(0), eastAsianWidthOptions);
		}
	}

	return extra;
}

function stringWidth(input, options = {}) {
	if (typeof input !== 'string' || input.length === 0) {
		return 0;
	}

	const {
		ambiguousIsNarrow = true,
		countAnsiEscapeCodes = false,
	} = options;

	let string = input;

	// Avoid calling stripAnsi when there are no ANSI escape sequences (ESC = 0x1B, CSI = 0x9B)
	if (!countAnsiEscapeCodes && (string.includes('\u001B') || string.includes('\u009B'))) {
		string = stripAnsi(string);
	}

	if (string.length === 0) {
		return 0;
	}

	// Fast path: printable ASCII (0x20–0x7E) needs no segmenter, regex, or EAW lookup — width equals length.
	if (/^[\u0020-\u007E]*$/.test(string)) {
		return string.length;
	}

	let width = 0;
	const eastAsianWidthOptions = {ambiguousAsWide: !ambiguousIsNarrow};

	for (const {segment} of segmenter.segment(string)) {
		// Zero-width / non-printing clusters
		const visibleSegment = baseVisible(segment);
		if (visibleSegment === undefined) {
			continue;
		}

		// Emoji width logic
		if (rgiEmojiRegex.test(segment) || isDoubleWidthNonRgiEmojiSequence(segment)) {
			width += 2;
			continue;
		}

		const hangulWidth = hangulClusterWidth(visibleSegment, eastAsianWidthOptions);
		if (hangulWidth !== undefined) {
			width += hangulWidth;
			continue;
		}

		// Everything else: EAW of the cluster’s first visible scalar
		const codePoint = visibleSegment.codePointAt(0);
		width += eastAsianWidth(codePoint, eastAsianWidthOptions);

		// Add width for trailing spacing marks and Halfwidth/Fullwidth Forms (e.g., ﾞ, ﾟ, ｰ)
		width += trailingWidth(visibleSegment, eastAsianWidthOptions);
	}

	return width;
}

;// CONCATENATED MODULE: ./src/report/cells.ts

const cells_segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Shortens text to `width` terminal cells, with an ellipsis if something was cut. Never splits a character. */
function cut(text, width) {
    if (stringWidth(text) <= width)
        return text;
    if (width < 1)
        return '';
    let used = 0;
    let shortened = '';
    for (const { segment } of cells_segmenter.segment(text)) {
        used += stringWidth(segment);
        // One cell is for the ellipsis.
        if (used > width - 1)
            break;
        shortened += segment;
    }
    return `${shortened}…`;
}
/** Text of exactly `width` terminal cells: cut, or padded with spaces. */
function column(text, width) {
    const shortened = cut(text, width);
    return shortened + ' '.repeat(width - stringWidth(shortened));
}

;// CONCATENATED MODULE: ./src/report/progress.ts




/**
 * One line for each host on a terminal, redrawn in place; otherwise plain lines.
 *
 * @param live false to print plain lines on a terminal too (CI, `TERM=dumb`).
 */
function openProgress(screen, live, now = Date.now) {
    return live && screen.isTTY === true ? new LiveProgress(screen, now) : new PlainProgress(screen, now);
}
/** Milliseconds between two lines of one host that only show its progress. */
const pause = 10_000;
class PlainProgress {
    #screen;
    #now;
    #last = new Map();
    constructor(screen, now) {
        this.#screen = screen;
        this.#now = now;
    }
    event({ host, stage, state, text }) {
        if (state === 'waiting')
            return;
        const last = this.#last.get(host);
        const key = `${stage} ${state}`;
        if (last?.key === key && state === 'running' && this.#now() - last.at < pause)
            return;
        this.#last.set(host, { key, at: this.#now() });
        this.line(`${host}: ${stage}: ${state === 'failed' ? 'failed: ' : ''}${oneLine(text)}`);
    }
    line(text) {
        this.#screen.write(`${text}\n`);
    }
    end() { }
}
/** Milliseconds between two frames. */
const progress_frame = 100;
class LiveProgress {
    #screen;
    #now;
    #hosts = new Map();
    #started;
    #drawn = 0;
    #timer;
    #clock;
    constructor(screen, now) {
        this.#screen = screen;
        this.#now = now;
        this.#started = now();
    }
    event(event) {
        const known = this.#hosts.get(event.host);
        const same = known?.stage === event.stage && known.state === event.state;
        this.#hosts.set(event.host, { ...event, since: same ? known.since : this.#now() });
        this.#timer ??= setTimeout(() => this.#draw(), progress_frame).unref();
        this.#clock ??= setInterval(() => this.#draw(), 1000).unref();
    }
    line(text) {
        this.#draw(`${text}\n`);
    }
    end() {
        clearInterval(this.#clock);
        this.#draw('', true);
        this.#hosts.clear();
    }
    /** One write for the whole frame, inside a synchronized update, so that nothing flickers. */
    #draw(above = '', last = false) {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        const width = Math.max(20, this.#screen.columns ?? 80);
        const height = Math.max(4, this.#screen.rows ?? 24);
        const lines = frameOf([...this.#hosts.values()], last ? Number.POSITIVE_INFINITY : height - 2, this.#now(), this.#started);
        const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
        const body = lines.map(text => `${cut(text, width - 1)}\n`).join('');
        this.#screen.write(`\u001b[?2026h${up}\u001b[J${above}${body}\u001b[?2026l`);
        this.#drawn = last ? 0 : lines.length;
    }
}
const marks = { waiting: ' ', running: '·', done: '✓', failed: '✗' };
/**
 * The lines of a frame, at most `most`: failed hosts, then running ones, then those that are done. Hosts that do not fit are
 * counted, as are those that wait.
 */
function frameOf(hosts, most, now, started) {
    if (hosts.length === 0)
        return [];
    const of = (state) => hosts.filter(each => each.state === state);
    const running = of('running').sort((a, b) => a.since - b.since);
    // If all fit, they keep their order. If not, the ones that ended last are the most interesting.
    const done = of('done').sort((a, b) => (Number.isFinite(most) ? b.since - a.since : 0));
    const ordered = [...of('failed'), ...running, ...done];
    const room = Math.max(1, most - 1);
    const shown = ordered.slice(0, room);
    const nameWidth = Math.min(24, Math.max(...shown.map(({ host }) => stringWidth(host)), 0));
    const lines = shown.map(({ host, stage, state, text, since }) => {
        const time = state === 'running' ? ` ${(0,amounts/* duration */.p0)((now - since) / 1000)}` : '';
        return `${marks[state]} ${column(host, nameWidth)} ${stage.padEnd(7)}${time} ${oneLine(text)}`;
    });
    const counts = ['failed', 'running', 'done', 'waiting']
        .map(state => [of(state).length, state])
        .filter(([number]) => number > 0)
        .map(([number, state]) => `${number} ${state}`);
    const hidden = ordered.length - shown.length;
    const more = hidden > 0 ? `, ${hidden} not shown` : '';
    return [...lines, `${(0,amounts/* count */.U9)(hosts.length, 'host')}: ${counts.join(', ')}${more}, ${(0,amounts/* duration */.p0)((now - started) / 1000)}`];
}
function oneLine(text) {
    return plain(text).replaceAll(/\s+/g, ' ').trim();
}

;// CONCATENATED MODULE: ./src/report/text.ts









/** A run for a person at a terminal: a line for each host, the failures, the next steps, the time of each stage. */
function text_text(run) {
    const { failures } = verdict(run);
    const hosts = run.fleet?.hosts.map(({ name, system }) => ({ name, system })) ?? [];
    const listed = hosts.length > 0 ? hosts : run.archives.map(({ host, system }) => ({ name: host, system }));
    const width = Math.min(32, Math.max(4, ...listed.map(({ name }) => stringWidth(name))));
    const lines = listed.map(({ name, system }) => `${column(name, width)}  ${column(system, 14)}  ${stateOf(run, name)}`);
    for (const outcome of run.outcomes)
        lines.push(...planLines(outcome));
    for (const { hosts, failure } of groupsOf(failures)) {
        const { stage, why, file, line } = failure;
        const place = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
        lines.push(`${plain(namesOf(hosts))}: ${stage} failed: ${plain(why)}${place}`);
    }
    for (const { kind, next } of nextSteps(run))
        lines.push(`next, for ${kind}: ${next}`);
    const times = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${(0,amounts/* duration */.p0)(seconds)}`);
    if (times.length > 0)
        lines.push(`time: ${times.join(', ')}`);
    return lines.map(line => `${line.trimEnd()}\n`).join('');
}
/** What a dry run found, a line for each kind of change. */
function planLines(outcome) {
    if (!deploy_outcome/* outcomes */.KI[outcome.outcome].hypothetical)
        return [];
    const changes = [...unitLines(outcome).map(({ words, names }) => `${words}: ${names.join(', ')}`), ...outcome.others];
    return changes.map(change => `${plain(outcome.host)}: ${plain(change)}`);
}
/** How far a host came: its outcome and the folder of its archive, or else its toplevel or derivation. */
function stateOf(run, name) {
    const outcome = run.outcomes.find(({ host }) => host === name);
    const archive = run.archives.find(({ host }) => host === name);
    const built = run.built.find(({ host }) => host.name === name);
    const planned = run.fleet?.hosts.find(host => host.name === name);
    const parts = [];
    if (outcome !== undefined)
        parts.push(`${outcome.outcome}: ${plain(outcome.message)}`);
    if (archive !== undefined)
        parts.push(`${(0,amounts/* size */.Ej)(archive.bytes)} in ${archive.directory}`);
    if (parts.length > 0)
        return parts.join('; ');
    if (built?.ok)
        return `${built.toplevel} (${(0,amounts/* size */.Ej)(built.closureBytes)} in ${(0,amounts/* count */.U9)(built.closure.length, 'path')})`;
    if (built !== undefined)
        return 'not built';
    return planned?.toplevel.drvPath ?? '';
}

;// CONCATENATED MODULE: ./src/report/index.ts









/** GitHub shows ten errors of a step ("Workflow commands", annotations). If there are more, the tenth names the others. */
const shownErrors = 10;
/** Lines of a program's output that are shown with a failure. The summary has more. */
const shownLines = 30;
/**
 * Reports a run: an annotation for each host that failed or needs attention, and the summary. `run.error` is not reported:
 * the pipeline has logged it.
 *
 * @param write appends Markdown to the job summary; null: there is none.
 */
async function report(run, log, write) {
    const judged = verdict(run);
    annotateFailures(judged.failures, log);
    for (const outcome of run.outcomes) {
        const { host, message } = outcome;
        const { next } = deploy_outcome/* outcomes */.KI[outcome.outcome];
        if (!(0,deploy_outcome/* isFailure */.N6)(outcome) && next !== null)
            log.warning(`${host}: ${message} ${next}`, { host });
    }
    await write?.(summary(run));
    return judged;
}
function annotateFailures(failures, log) {
    const groups = groupsOf(failures);
    const single = groups.length > shownErrors ? groups.slice(0, shownErrors - 1) : groups;
    for (const { hosts, failure } of single) {
        const printed = failure.log.trimEnd().split('\n').slice(-shownLines);
        // The message is at the start of an evaluation's trace, but at the end of a build's log.
        if (failure.stage === 'build')
            log.info(printed.map(each => `${failure.host}> ${each}`).join('\n'));
        log.error(`${namesOf(hosts)}: ${failureKind(failure)}: ${failure.why}`, place(failure));
    }
    if (single.length < groups.length) {
        const rest = groups.slice(single.length).flatMap(({ hosts }) => hosts);
        log.error(`${rest.length} more hosts failed, see the summary: ${rest.join(', ')}`);
    }
}
function place({ host, file, line, column }) {
    return {
        host,
        ...(file === null ? {} : { file }),
        ...(line === null ? {} : { line }),
        ...(column === null ? {} : { column }),
    };
}


/***/ })

};
