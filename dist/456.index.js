export const id = 456;
export const ids = [456];
export const modules = {

/***/ 66456:
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

;// CONCATENATED MODULE: ./src/report/amounts.ts
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

;// CONCATENATED MODULE: ./src/report/markdown.ts
/**
 * Text that Markdown and HTML show as it is, on one line: whatever is no letter, digit or plain punctuation becomes a
 * numeric character reference, which neither opens markup, nor a table's cell, nor an address or mention.
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
/** Text without terminal sequences and control characters but tab and newline. */
function plain(text) {
    return (text
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        .replaceAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-_])/g, '')
        .replaceAll('\r\n', '\n')
        .replaceAll(/(?![\t\n])\p{C}/gu, ''));
}
/** A block that shows `text` as it is, whatever fences it holds itself. */
function codeBlock(text) {
    const clean = plain(text).trimEnd();
    const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map(run => run.length));
    const fence = '`'.repeat(longest + 1);
    return `${fence}text\n${clean}\n${fence}`;
}
/** A folded part; `summary` is escaped already, `body` is Markdown. */
function details(summary, body) {
    return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

// EXTERNAL MODULE: ./src/deploy/outcome.ts
var deploy_outcome = __webpack_require__(84535);
;// CONCATENATED MODULE: ./src/report/verdict.ts

/**
 * Judges a run: it fails when a host could not be evaluated or built, when an outcome is worse than `allowed`, or when
 * the run ended before its time.
 */
function verdict(run, allowed = 'needs-reboot') {
    const nowhere = { file: null, line: null, column: null };
    const failures = [
        ...(run.fleet?.failures ?? []).map(({ host, message, trace, file, line, column }) => ({
            ...{ host, stage: 'plan', outcome: null, why: message, log: trace },
            ...{ file, line, column },
        })),
        ...run.built.flatMap(built => built.ok
            ? []
            : [
                {
                    host: built.host.name,
                    stage: 'build',
                    outcome: null,
                    why: built.failure.message,
                    log: built.failure.log,
                    ...nowhere,
                },
            ]),
        ...run.outcomes
            .filter(({ outcome }) => deploy_outcome/* outcomeKinds */.q.indexOf(outcome) > deploy_outcome/* outcomeKinds */.q.indexOf(allowed))
            .map(({ host, outcome, message, log = '' }) => ({
            host,
            stage: 'deploy',
            outcome,
            why: message,
            log,
            ...nowhere,
        })),
    ];
    return { ok: run.error === null && failures.length === 0, failures };
}

;// CONCATENATED MODULE: ./src/report/summary.ts



/** A step's summary may have 1 MiB (docs.github.com, "Workflow commands", step isolation and limits); a part is kept free. */
const summaryLimit = 1024 * 1024 - 16 * 1024;
const signs = {
    skipped: '⏭️',
    unchanged: '✅',
    planned: '🔍',
    deployed: '✅',
    'needs-reboot': '🔁',
    degraded: '⚠️',
    refused: '⛔',
    'rolled-back': '↩️',
    unreachable: '❌',
    failed: '❌',
};
/**
 * A run as Markdown, for the job's summary; whatever a host, a target or a log says stands in it as text.
 *
 * @param limit bytes it may have.
 */
function summary(run, limit = summaryLimit) {
    const { failures } = verdict(run);
    const rows = rowsOf(run, failures);
    const head = [
        `## Nix Ferry: ${headline(run, failures)}`,
        ...(run.error === null ? [] : [`**${escapeText(run.error.message)}** ${escapeText(run.error.cure ?? '')}`.trim()]),
        ...(run.mode === 'dry-activate'
            ? ['Nothing was changed: the targets were asked what a switch would do (`dry-activate`).']
            : []),
    ];
    const table = [
        '| Host | System | Closure | Archive | Outcome |\n|---|---|---:|---:|---|',
        ...rows.map(({ cells }) => `| ${cells.join(' | ')} |`),
    ];
    const time = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${duration(seconds)}`);
    const parts = new Parts(limit);
    for (const part of head)
        parts.add(part);
    for (const failure of failures.slice(0, 50))
        parts.add(failureLine(failure));
    if (rows.length > 0)
        parts.addLines(table, limit / 2, left => `| … and ${count(left, 'more host')} | | | | |`);
    if (time.length > 0)
        parts.add(`**Time**: ${time.join(' · ')}`);
    const folded = [
        ...failures
            .filter(({ log }) => log !== '')
            .map(({ host, stage, log }) => details(`${escapeText(host)}: log of ${stage}`, codeBlock(log))),
        ...run.outcomes.filter(outcome => hasDetails(outcome)).map(outcomeDetails),
    ];
    parts.addWhole(folded, left => `The details of ${count(left, 'more host')} are left out: the summary would be too long.`);
    return parts.text();
}
/** Collects parts of a document and never lets it grow beyond the limit. */
class Parts {
    #parts = [];
    #limit;
    #bytes = 0;
    constructor(limit) {
        this.#limit = limit;
    }
    add(part) {
        const bytes = Buffer.byteLength(part) + 2;
        if (this.#bytes + bytes > this.#limit)
            return false;
        this.#bytes += bytes;
        this.#parts.push(part);
        return true;
    }
    /** Lines that belong together, as many as `most` bytes hold. */
    addLines(lines, most, rest) {
        let bytes = 0;
        const fitting = lines.findIndex(line => {
            bytes += Buffer.byteLength(line) + 1;
            return bytes > most;
        });
        const kept = fitting === -1 ? lines : [...lines.slice(0, fitting), rest(lines.length - fitting)];
        this.add(kept.join('\n'));
    }
    addWhole(parts, rest) {
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
function headline(run, failures) {
    const hosts = run.outcomes.length > 0 ? run.outcomes.map(({ outcome }) => outcome) : null;
    const early = failures.filter(({ outcome }) => outcome === null);
    const counted = hosts === null
        ? [farthest(run)]
        : [...new Set(hosts)].map(kind => `${hosts.filter(each => each === kind).length} ${kind}`);
    return [...counted, ...(early.length > 0 ? [`${early.length} not built`] : [])].join(', ');
}
/** How far the hosts came that no target was asked about. */
function farthest({ fleet, built, archives }) {
    if (built.length > 0)
        return `${count(built.filter(({ ok }) => ok).length, 'host')} built`;
    if (archives.length > 0)
        return `${count(archives.length, 'archive')} verified`;
    return `${count(fleet?.hosts.length ?? 0, 'host')} evaluated`;
}
function rowsOf(run, failures) {
    const names = new Set([
        ...(run.fleet?.hosts ?? []).map(({ name }) => name),
        ...run.built.map(({ host }) => host.name),
        ...run.archives.map(({ host }) => host),
        ...run.outcomes.map(({ host }) => host),
        ...failures.map(({ host }) => host),
    ]);
    return [...names].map(host => {
        const built = run.built.find(each => each.host.name === host);
        const archive = run.archives.find(each => each.host === host);
        const outcome = run.outcomes.find(each => each.host === host);
        const early = failures.find(each => each.host === host && each.outcome === null);
        const system = built?.host.system ?? archive?.system ?? run.fleet?.hosts.find(({ name }) => name === host)?.system;
        const closure = built?.ok
            ? `${size(built.closureBytes)} in ${count(built.closure.length, 'path')}`
            : archive && size(archive.closureBytes);
        return {
            host,
            cells: [
                escapeText(host),
                escapeText(system ?? ''),
                closure ?? '',
                archive ? size(archive.bytes) : '',
                ended(outcome, early, built?.ok),
            ],
        };
    });
}
function ended(outcome, early, built) {
    if (early !== undefined)
        return `❌ ${early.stage === 'plan' ? 'not evaluated' : 'not built'}`;
    if (outcome === undefined)
        return built === true ? '✅ built' : '';
    const { outcome: kind, seconds } = outcome;
    const units = asSeen(outcome.units);
    const time = seconds > 0 ? ` in ${duration(seconds)}` : '';
    const changes = kind === 'planned' ? `: ${unitCounts(units, 'would ')}` : '';
    return `${signs[kind]} ${kind}${time}${changes}`;
}
/** As a person sees it: a unit that is stopped before the activation and started after it restarts. */
function asSeen(units) {
    const both = units.stop.filter(unit => units.start.includes(unit));
    const rest = (names) => names.filter(unit => !both.includes(unit));
    return {
        ...units,
        stop: rest(units.stop),
        start: rest(units.start),
        restart: [...new Set([...units.restart, ...both])],
    };
}
const verbs = ['stop', 'start', 'restart', 'reload'];
function unitCounts(units, would) {
    const counted = verbs.filter(verb => units[verb].length > 0).map(verb => `${verb} ${units[verb].length}`);
    return counted.length === 0 ? 'no unit changes' : `${would}${counted.join(', ')}`;
}
function failureLine({ host, stage, outcome, why }) {
    const kind = outcome ?? (stage === 'plan' ? 'not evaluated' : 'not built');
    return `- **${escapeText(host)}** ${kind}: ${escapeText(why)}`;
}
function hasDetails({ units }) {
    return Object.values(units).some((names) => names.length > 0);
}
function outcomeDetails({ host, outcome, units: printed, before, after, mode }) {
    const units = asSeen(printed);
    const would = outcome === 'planned' ? 'would ' : '';
    const words = {
        stop: would === '' ? 'stopped' : 'would stop',
        start: would === '' ? 'started' : 'would start',
        restart: would === '' ? 'restarted' : 'would restart',
        reload: would === '' ? 'reloaded' : 'would reload',
        kept: would === '' ? 'changed, but go on in their old version' : 'changed, but would go on in their old version',
        failed: 'failed',
    };
    const lines = Object.keys(words)
        .filter(kind => units[kind].length > 0)
        .map(kind => `- ${words[kind]}: ${units[kind].map(unit => `<code>${escapeText(unit)}</code>`).join(' ')}`);
    const systems = mode === 'dry-activate' || before === after ? [] : [`- ${path(before)} → ${path(after)}`];
    return details(`${escapeText(host)}: ${unitCounts(units, would)}`, [...lines, ...systems].join('\n'));
}
function path(toplevel) {
    return toplevel === null ? 'unknown' : `<code>${escapeText(toplevel)}</code>`;
}

;// CONCATENATED MODULE: ./src/report/comment.ts
/** What a comment may have (docs.github.com/rest/issues/comments: 65536 characters), less the marker. */
const commentLimit = 60_000;
const pageSize = 100;
/**
 * Keeps one comment on a pull request: writes it the first time, changes it afterwards.
 *
 * @throws Error that says what GitHub answered; a fork's token may not write, which is a 403.
 */
async function keepComment(markdown, place) {
    const marker = `<!-- nix-ferry ${place.key.replaceAll(/[^\w /.-]/g, '_').replaceAll('--', '__')} -->`;
    const comments = `/repos/${place.repository}/issues/${place.number}/comments`;
    const body = JSON.stringify({ body: `${marker}\n${markdown}` });
    const earlier = await findComment(comments, marker, place);
    if (earlier === null)
        await ask('POST', comments, place, body);
    else
        await ask('PATCH', `/repos/${place.repository}/issues/comments/${earlier}`, place, body);
}
async function findComment(comments, marker, place) {
    for (let page = 1;; page++) {
        const found = (await ask('GET', `${comments}?per_page=${pageSize}&page=${page}`, place));
        const own = found.find(({ body }) => body?.startsWith(marker));
        if (own !== undefined)
            return own.id;
        if (found.length < pageSize)
            return null;
    }
}
async function ask(method, path, { api, token }, body) {
    const response = await fetch(`${api}${path}`, {
        method,
        headers: {
            accept: 'application/vnd.github+json',
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'user-agent': 'nix-ferry',
            'x-github-api-version': '2022-11-28',
        },
        signal: AbortSignal.timeout(30_000),
        ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok)
        throw new Error(`GitHub answered ${method} ${path} with ${response.status}: ${text.slice(0, 200)}`);
    return text === '' ? null : JSON.parse(text);
}

;// CONCATENATED MODULE: ./src/report/cells.ts
const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Text cut to `width` cells of a terminal, with an ellipsis where something was cut; whole characters only. */
function cut(text, width) {
    let used = 0;
    let kept = '';
    for (const { segment } of segments.segment(text)) {
        const next = cells(segment);
        if (used + next > width)
            return ellipsis(kept, used, width);
        used += next;
        kept += segment;
    }
    return kept;
}
function ellipsis(kept, used, width) {
    if (width < 1)
        return '';
    const characters = [...segments.segment(kept)].map(({ segment }) => segment);
    let free = width - used;
    while (free < 1)
        free += cells(characters.pop() ?? ' ');
    return `${characters.join('')}…`;
}
// East Asian wide and fullwidth blocks and emoji take two cells (Unicode TR 11); close enough for host names and logs.
const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
function cells(segment) {
    if (/^\p{M}+$/u.test(segment))
        return 0;
    return wide.test(segment) ? 2 : 1;
}
/** Text of exactly `width` cells: cut, or filled with spaces. */
function column(text, width) {
    const kept = cut(text, width);
    return kept + ' '.repeat(width - cellsOf(kept));
}
function cellsOf(text) {
    return [...segments.segment(text)].reduce((sum, { segment }) => sum + cells(segment), 0);
}

;// CONCATENATED MODULE: ./src/report/progress.ts



/**
 * A line per host on a terminal, redrawn in place; plain lines without one.
 *
 * @param live false where lines are wanted on a terminal too (CI, `TERM=dumb`).
 */
function openProgress(screen, live, now = Date.now) {
    return live && screen.isTTY === true ? new LiveProgress(screen, now) : new PlainProgress(screen, now);
}
/** Milliseconds between two lines of one host that only say how far it is. */
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
    #begun;
    #drawn = 0;
    #timer;
    #clock;
    constructor(screen, now) {
        this.#screen = screen;
        this.#now = now;
        this.#begun = now();
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
        const lines = frameOf([...this.#hosts.values()], last ? Number.POSITIVE_INFINITY : height - 2, this.#now(), this.#begun);
        const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
        const body = lines.map(text => `${cut(text, width - 1)}\n`).join('');
        this.#screen.write(`\u001b[?2026h${up}\u001b[J${above}${body}\u001b[?2026l`);
        this.#drawn = last ? 0 : lines.length;
    }
}
const marks = { waiting: ' ', running: '·', done: '✓', failed: '✗' };
/**
 * The lines of a frame, at most `most`: what failed, then what is at work, then what is done; what has no room is
 * counted, as are the hosts that wait.
 */
function frameOf(hosts, most, now, begun) {
    if (hosts.length === 0)
        return [];
    const of = (state) => hosts.filter(each => each.state === state);
    const running = of('running').sort((a, b) => a.since - b.since);
    // Where all have room they keep their order; where not, what has just ended is what is looked for.
    const done = of('done').sort((a, b) => (Number.isFinite(most) ? b.since - a.since : 0));
    const ordered = [...of('failed'), ...running, ...done];
    const room = Math.max(1, most - 1);
    const shown = ordered.slice(0, room);
    const nameWidth = Math.min(24, Math.max(...shown.map(({ host }) => cellsOf(host)), 0));
    const lines = shown.map(({ host, stage, state, text, since }) => {
        const time = state === 'running' ? ` ${duration((now - since) / 1000)}` : '';
        return `${marks[state]} ${column(host, nameWidth)} ${stage.padEnd(7)}${time} ${oneLine(text)}`;
    });
    const counts = ['failed', 'running', 'done', 'waiting']
        .map(state => [of(state).length, state])
        .filter(([number]) => number > 0)
        .map(([number, state]) => `${number} ${state}`);
    const hidden = ordered.length - shown.length;
    const more = hidden > 0 ? `, ${hidden} not shown` : '';
    return [...lines, `${count(hosts.length, 'host')}: ${counts.join(', ')}${more}, ${duration((now - begun) / 1000)}`];
}
function oneLine(text) {
    return plain(text).replaceAll(/\s+/g, ' ').trim();
}

;// CONCATENATED MODULE: ./src/report/text.ts




/** A run for a person at a terminal: a line a host, its failures, the time of each stage. */
function text_text(run) {
    const { failures } = verdict(run);
    const hosts = run.fleet?.hosts.map(({ name, system }) => ({ name, system })) ?? [];
    const listed = hosts.length > 0 ? hosts : run.archives.map(({ host, system }) => ({ name: host, system }));
    const width = Math.min(32, Math.max(4, ...listed.map(({ name }) => name.length)));
    const lines = listed.map(({ name, system }) => `${column(name, width)}  ${column(system, 14)}  ${stateOf(run, name)}`);
    for (const { host, stage, why, file, line } of failures) {
        const place = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
        lines.push(`${plain(host)}: ${stage} failed: ${plain(why)}${place}`);
    }
    const times = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${duration(seconds)}`);
    if (times.length > 0)
        lines.push(`time: ${times.join(', ')}`);
    return lines.map(line => `${line.trimEnd()}\n`).join('');
}
/** How far the host came, with what a person does next in mind: the outcome, the archive's folder, the derivation. */
function stateOf(run, name) {
    const outcome = run.outcomes.find(({ host }) => host === name);
    const archive = run.archives.find(({ host }) => host === name);
    const built = run.built.find(({ host }) => host.name === name);
    const planned = run.fleet?.hosts.find(host => host.name === name);
    const parts = [];
    if (outcome !== undefined)
        parts.push(`${outcome.outcome}: ${plain(outcome.message)}`);
    if (archive !== undefined)
        parts.push(`${size(archive.bytes)} in ${archive.directory}`);
    if (parts.length > 0)
        return parts.join('; ');
    if (built?.ok)
        return `${built.toplevel} (${size(built.closureBytes)} in ${count(built.closure.length, 'path')})`;
    if (built !== undefined)
        return 'not built';
    return planned?.toplevel.drvPath ?? '';
}

;// CONCATENATED MODULE: ./src/report/index.ts







/** GitHub shows ten errors of a step ("Workflow commands": annotations); the last of them tells of the others. */
const shown = 10;
/** Lines of what a program printed that are shown with a failure; the summary has more of them. */
const tail = 30;
/**
 * Reports a run: an annotation for each host that failed, and the summary to `write`. `run.error` is left to the entry,
 * which prints it where it prints all errors that end a run.
 *
 * @param write appends Markdown to the job summary; null: there is none.
 */
async function report(run, log, write) {
    const judged = verdict(run);
    const { failures } = judged;
    const single = failures.length > shown ? failures.slice(0, shown - 1) : failures;
    for (const failure of single) {
        const printed = failure.log.trimEnd().split('\n').slice(-tail);
        // A trace of an evaluation reads from its head, which is the message; a build's log from its end.
        if (failure.stage === 'build')
            log.info(printed.map(each => `${failure.host}> ${each}`).join('\n'));
        log.error(line(failure), place(failure));
    }
    if (single.length < failures.length) {
        const rest = failures.slice(single.length).map(({ host }) => host);
        log.error(`${rest.length} further hosts failed, see the summary: ${rest.join(', ')}`);
    }
    for (const { host, outcome, message } of run.outcomes) {
        if (outcome === 'needs-reboot')
            log.warning(`${host}: ${message}`, { host });
    }
    await write?.(summary(run));
    return judged;
}
function line({ host, stage, outcome, why }) {
    return `${host}: ${outcome ?? (stage === 'plan' ? 'not evaluated' : 'not built')}: ${why}`;
}
function place({ host, file, line: number, column }) {
    return {
        host,
        ...(file === null ? {} : { file }),
        ...(number === null ? {} : { line: number }),
        ...(column === null ? {} : { column }),
    };
}


/***/ })

};
