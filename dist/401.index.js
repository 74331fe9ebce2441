export const id = 401;
export const ids = [401];
export const modules = {

/***/ 17401:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  appendOutcome: () => (/* reexport */ appendOutcome),
  commentText: () => (/* reexport */ comment_text/* commentText */.b),
  findPreviewed: () => (/* reexport */ findPreviewed),
  keepComment: () => (/* reexport */ comment/* keepComment */.Xz),
  openProgress: () => (/* reexport */ openProgress),
  outcomeMarkdown: () => (/* reexport */ previewed_text/* outcomeMarkdown */.Iu),
  report: () => (/* binding */ report),
  text: () => (/* reexport */ text_text),
  verdict: () => (/* reexport */ verdict/* verdict */.W)
});

// EXTERNAL MODULE: ./src/deploy/outcome.ts
var deploy_outcome = __webpack_require__(84535);
// EXTERNAL MODULE: ./src/report/groups.ts
var report_groups = __webpack_require__(56900);
// EXTERNAL MODULE: ./src/report/summary.ts + 5 modules
var summary = __webpack_require__(43447);
// EXTERNAL MODULE: ./src/report/verdict.ts
var verdict = __webpack_require__(90687);
// EXTERNAL MODULE: ./src/report/comment.ts
var comment = __webpack_require__(54231);
// EXTERNAL MODULE: ./src/report/comment-text.ts
var comment_text = __webpack_require__(96531);
// EXTERNAL MODULE: ./src/github.ts
var src_github = __webpack_require__(69248);
// EXTERNAL MODULE: ./src/report/previewed-block.ts
var previewed_block = __webpack_require__(6367);
;// CONCATENATED MODULE: ./src/report/previewed.ts



/**
 * Finds what was previewed on the merged pull request that a commit belongs to. Only comments of this token's own user count:
 * anybody may write one that looks like it.
 *
 * @throws Error that says what GitHub answered.
 */
async function findPreviewed(commit, place) {
    const github = await (0,src_github/* openGitHub */.o)(place);
    const repository = (0,src_github/* ownerAndRepo */.H)(place.repository);
    try {
        const which = { ...repository, commit_sha: commit, per_page: 100 };
        const { data: pulls } = await github.rest.repos.listPullRequestsAssociatedWithCommit(which);
        for (const { number } of pulls.filter(({ merged_at }) => merged_at !== null)) {
            const found = await shownIn(number, place, github);
            if (found.comments.length > 0)
                return { pull: number, ...found };
        }
    }
    catch (error) {
        throw (0,comment/* explainAnswer */.iJ)(error);
    }
    return { pull: null, toplevels: {}, comments: [] };
}
async function shownIn(number, place, github) {
    const which = { ...(0,src_github/* ownerAndRepo */.H)(place.repository), issue_number: number, per_page: 100 };
    const comments = await github.paginate(github.rest.issues.listComments, which);
    const carrying = comments.flatMap(({ id, user, body }) => {
        const shown = (0,previewed_block/* decodeToplevels */.h)(body ?? '');
        return shown === null ? [] : [{ id, login: user?.login, ...shown }];
    });
    const found = { toplevels: {}, comments: [] };
    if (carrying.length === 0)
        return found;
    const login = await (0,comment/* loginOf */.DQ)(github);
    for (const { id, toplevels } of carrying.filter(comment => comment.login === login)) {
        found.comments.push(id);
        for (const [host, toplevel] of Object.entries(toplevels)) {
            found.toplevels[host] = [...(found.toplevels[host] ?? []), toplevel];
        }
    }
    return found;
}
/** The characters that a comment may have (docs.github.com/rest/issues/comments). */
const largestComment = 65_536;
/**
 * Appends the outcome of a deployment to the comments that previewed it. A repeated run replaces what it appended before.
 *
 * @param run its number.
 * @throws Error that says what GitHub answered.
 */
async function appendOutcome(markdown, { comments }, run, place) {
    const github = await (0,src_github/* openGitHub */.o)(place);
    const repository = (0,src_github/* ownerAndRepo */.H)(place.repository);
    const [start, end] = [`<!-- nix-ferry-outcome ${run} -->`, `<!-- nix-ferry-outcome-end ${run} -->`];
    try {
        for (const comment_id of comments) {
            const { data } = await github.rest.issues.getComment({ ...repository, comment_id });
            const before = withoutPart(data.body ?? '', start, end);
            const body = `${before.trimEnd()}\n\n${start}\n${markdown}\n${end}\n`;
            if (body.length > largestComment)
                continue;
            await github.rest.issues.updateComment({ ...repository, comment_id, body });
        }
    }
    catch (error) {
        throw (0,comment/* explainAnswer */.iJ)(error);
    }
}
function withoutPart(text, start, end) {
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    return from === -1 || to < from ? text : text.slice(0, from) + text.slice(to + end.length);
}

// EXTERNAL MODULE: ./src/report/previewed-text.ts
var previewed_text = __webpack_require__(36619);
// EXTERNAL MODULE: ./node_modules/string-width/index.js + 6 modules
var string_width = __webpack_require__(94668);
// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: ./src/report/cells.ts
var cells = __webpack_require__(10571);
// EXTERNAL MODULE: ./src/report/markdown.ts
var markdown = __webpack_require__(54285);
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
/** Milliseconds without any line until one says what the run waits for. */
const silence = 60_000;
/** Hosts that such a line names, at most. */
const namedHosts = 3;
class PlainProgress {
    #screen;
    #now;
    #last = new Map();
    /** What was said of a host while its state stayed the same, and when: hosts that share a download all report it. */
    #said = new Map();
    #stage = null;
    #heard;
    #clock;
    constructor(screen, now) {
        this.#screen = screen;
        this.#now = now;
        this.#heard = now();
        this.#clock = setInterval(() => this.#breakSilence(), 1000).unref();
    }
    event(event) {
        if (!('host' in event)) {
            this.#stage = event.state === 'done' ? null : { name: event.stage, since: this.#now() };
            this.#heard = this.#now();
            return;
        }
        const { host, stage, state, text } = event;
        if (state === 'waiting')
            return;
        const now = this.#now();
        const last = this.#last.get(host);
        const same = last?.event.stage === stage && last.event.state === state;
        const since = same ? last.since : now;
        if (same && state === 'running' && (now - last.at < pause || this.#wasSaid(stage, text))) {
            this.#last.set(host, { event, since, at: last.at });
            return;
        }
        this.#last.set(host, { event, since, at: now });
        this.#said.set(`${stage} ${text}`, now);
        this.line(`${host}: ${stage}: ${state === 'failed' ? 'failed: ' : ''}${oneLine(text)}`);
    }
    line(text) {
        this.heard();
        this.#screen.write(`${(0,markdown/* plain */.pj)(text)}\n`);
    }
    heard() {
        this.#heard = this.#now();
    }
    end() {
        clearInterval(this.#clock);
    }
    #wasSaid(stage, text) {
        const at = this.#said.get(`${stage} ${text}`);
        return at !== undefined && this.#now() - at < pause;
    }
    #breakSilence() {
        const now = this.#now();
        if (this.#stage === null || now - this.#heard < silence)
            return;
        const { name, since } = this.#stage;
        const running = [...this.#last.values()].filter(({ event }) => event.stage === name && event.state === 'running');
        const named = running
            .slice(0, namedHosts)
            .map(({ event, since }) => `${event.host} (${oneLine(event.text)}, ${(0,amounts/* duration */.p0)((now - since) / 1000)})`);
        const more = running.length > named.length ? [(0,amounts/* count */.U9)(running.length - named.length, 'more host')] : [];
        const waitsFor = named.length === 0 ? '' : `, waiting for ${[...named, ...more].join(', ')}`;
        this.line(`Still in the stage ${name} after ${(0,amounts/* duration */.p0)((now - since) / 1000)}${waitsFor}.`);
    }
}
/** Milliseconds between two frames. */
const progress_frame = 100;
class LiveProgress {
    #screen;
    #now;
    #hosts = new Map();
    #started;
    #stage = null;
    #drawn = 0;
    #timer;
    #clock;
    constructor(screen, now) {
        this.#screen = screen;
        this.#now = now;
        this.#started = now();
    }
    event(event) {
        if ('host' in event) {
            const known = this.#hosts.get(event.host);
            const same = known?.stage === event.stage && known.state === event.state;
            this.#hosts.set(event.host, { ...event, since: same ? known.since : this.#now() });
        }
        else {
            this.#stage = event.state === 'done' ? null : { name: event.stage, since: this.#now() };
        }
        this.#timer ??= setTimeout(() => this.#draw(), progress_frame).unref();
        this.#clock ??= setInterval(() => this.#draw(), 1000).unref();
    }
    line(text) {
        this.#draw(`${(0,markdown/* plain */.pj)(text)}\n`);
    }
    heard() { }
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
        const hosts = [...this.#hosts.values()];
        const lines = hosts.length === 0 && !last
            ? this.#stageLine()
            : frameOf(hosts, last ? Number.POSITIVE_INFINITY : height - 2, this.#now(), this.#started);
        const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
        const body = lines.map(text => `${(0,cells/* cut */.J)(text, width - 1)}\n`).join('');
        this.#screen.write(`\u001b[?2026h${up}\u001b[J${above}${body}\u001b[?2026l`);
        this.#drawn = last ? 0 : lines.length;
    }
    /** Until the hosts are known, the stage is all there is to show. */
    #stageLine() {
        if (this.#stage === null)
            return [];
        const { name, since } = this.#stage;
        return [`${marks.running} ${name} ${(0,amounts/* duration */.p0)((this.#now() - since) / 1000)}`];
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
    const nameWidth = Math.min(24, Math.max(...shown.map(({ host }) => (0,string_width/* default */.A)(host)), 0));
    const lines = shown.map(({ host, stage, state, text, since }) => {
        const time = state === 'running' ? ` ${(0,amounts/* duration */.p0)((now - since) / 1000)}` : '';
        return `${marks[state]} ${(0,cells/* column */.f)(host, nameWidth)} ${stage.padEnd(7)}${time} ${oneLine(text)}`;
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
    return (0,markdown/* plain */.pj)(text).replaceAll(/\s+/g, ' ').trim();
}

// EXTERNAL MODULE: ./src/plan/fleet.ts
var fleet = __webpack_require__(1127);
// EXTERNAL MODULE: ./src/report/next-steps.ts
var next_steps = __webpack_require__(35587);
// EXTERNAL MODULE: ./src/report/preview-groups.ts
var preview_groups = __webpack_require__(38751);
// EXTERNAL MODULE: ./src/preview/change.ts + 9 modules
var preview_change = __webpack_require__(42024);
// EXTERNAL MODULE: ./src/report/preview-packages.ts
var preview_packages = __webpack_require__(49038);
// EXTERNAL MODULE: ./src/report/preview-units.ts
var preview_units = __webpack_require__(85768);
;// CONCATENATED MODULE: ./src/report/preview-text.ts







/** Parameters of the control sequence "select graphic rendition" (ECMA-48). */
const colours = {
    added: '32',
    removed: '31',
    changed: '33',
    attention: '1;33',
};
/** What the hosts would change, as lines for a person: hosts with the same change are listed once. */
function previewLines(previews, colour) {
    const show = (change) => changeLines(change)
        .map(([kind, line]) => `  ${paint((0,markdown/* plain */.pj)(line), kind, colour)}`)
        .join('\n');
    return (0,preview_groups/* groupChanges */.tw)(previews, show).flatMap(({ hosts, body }) => [`${(0,markdown/* plain */.pj)((0,report_groups/* namesOf */.e)(hosts))}:`, ...body.split('\n')]);
}
function paint(text, kind, colour) {
    return colour && kind !== 'plain' ? `\u001b[${colours[kind]}m${text}\u001b[0m` : text;
}
/** One line: how much would change, or why that is not known. */
function previewState(preview) {
    if (!preview.known) {
        const words = preview.why === 'new' || preview.why === 'removed' ? preview.why : 'unknown';
        return `${words}: ${(0,markdown/* plain */.pj)(preview.message)}`;
    }
    const base = preview.comparedWith === 'base';
    const { change } = preview;
    const reboot = change.reboot.length > 0;
    if ((0,preview_change/* isSame */.Ft)(change)) {
        if (base)
            return `unchanged: ${comparedWith(preview.base)} has the same system`;
        const uncompared = change.secrets === null || change.secrets.unknown.length === 0 ? '' : '; some secrets are not compared';
        return `unchanged: its target runs this system${reboot ? ', and waits for a reboot' : ''}${uncompared}`;
    }
    const counts = [...packageCount(change), (0,preview_units/* unitCount */.q3)(change.units), ...secretCount(change)];
    const since = base ? `, compared with ${comparedWith(preview.base)}` : '';
    return `would change: ${counts.join(', ')}${reboot ? '; needs a reboot' : ''}${since}`;
}
function comparedWith(commit) {
    return `the base ${(0,markdown/* plain */.pj)(commit).slice(0, 10)}`;
}
function packageCount({ packages }) {
    if (packages === null)
        return [];
    return [(0,amounts/* count */.U9)(packages.added.length + packages.removed.length + packages.updated.length, 'package')];
}
function secretCount({ secrets }) {
    const changed = secrets === null ? 0 : secrets.added.length + secrets.removed.length + secrets.changed.length;
    return changed === 0 ? [] : [(0,amounts/* count */.U9)(changed, 'secret')];
}
function changeLines(change) {
    const { firewall, users, groups, secrets } = change;
    return [
        ...change.reboot.map(({ text, pending }) => {
            return ['attention', `needs a reboot: ${text}${pending ? ' (already before this)' : ''}`];
        }),
        ...packageLines(change),
        ...(0,preview_units/* unitEffects */.HS)(change.units).flatMap(({ words, names }) => listed('changed', words, names)),
        ...(0,preview_units/* unitNotes */.K4)(change.units).map((note) => ['attention', note]),
        ...listed('added', 'opens', firewall.opened),
        ...listed('removed', 'closes', firewall.closed),
        ...(firewall.turned === null ? [] : [['attention', `turns the firewall ${firewall.turned}`]]),
        ...listed('added', 'adds user', users?.added ?? []),
        ...listed('removed', 'removes user', users?.removed ?? []),
        ...listed('added', 'adds group', groups?.added ?? []),
        ...listed('removed', 'removes group', groups?.removed ?? []),
        ...listed('added', 'adds secret', secrets?.added ?? []),
        ...listed('removed', 'removes secret', secrets?.removed ?? []),
        ...listed('changed', 'changes secret', secrets?.changed ?? []),
        ...listed('plain', 'does not compare secret', secrets?.unknown ?? []),
        ...etcLines(change),
    ];
}
function packageLines({ packages }) {
    if (packages === null)
        return [['attention', 'packages: unknown, because Nix on the target does not answer']];
    const { added, removed, updated, rebuilt, bytes } = packages;
    const closure = bytes.after - bytes.before;
    return [
        ...updated.map(({ name, from, to, bytes }) => {
            return ['changed', `~ ${name} ${versions(from)} → ${versions(to)} (${(0,preview_packages/* growth */.Am)(bytes)})`];
        }),
        ...added.map(({ name, versions, bytes }) => ['added', `+ ${name} ${versions.join(', ')} (${(0,amounts/* size */.Ej)(bytes)})`]),
        ...removed.map(({ name, versions, bytes }) => {
            return ['removed', `- ${name} ${versions.join(', ')} (${(0,amounts/* size */.Ej)(bytes)})`];
        }),
        ...(rebuilt.names.length > 0 ? [['plain', `${(0,amounts/* count */.U9)(rebuilt.names.length, 'package')} rebuilt`]] : []),
        ['plain', `closure ${(0,preview_packages/* growth */.Am)(closure)}`],
    ];
}
function versions(list) {
    return list.length === 0 ? '—' : list.join(', ');
}
function etcLines({ etc }) {
    const kinds = ['added', 'removed', 'changed'];
    const rebuilt = etc.filter(each => each.rebuilt).length;
    return [
        ...kinds.flatMap(kind => {
            const names = etc.filter(each => !each.rebuilt && each.kind === kind).map(({ name }) => name);
            return listed(kind, `/etc, ${kind}`, names);
        }),
        ...(rebuilt > 0 ? [['plain', `${(0,amounts/* count */.U9)(rebuilt, 'file')} of /etc with other store paths only`]] : []),
    ];
}
function listed(kind, words, names) {
    return names.length === 0 ? [] : [[kind, `${words}: ${names.join(', ')}`]];
}

// EXTERNAL MODULE: ./src/report/unit-changes.ts
var unit_changes = __webpack_require__(64386);
;// CONCATENATED MODULE: ./src/report/text.ts












/**
 * A run for a person at a terminal: a line for each host, the failures, the next steps, the time of each stage.
 *
 * @param colour whether the changes of a preview are coloured.
 */
function text_text(run, colour = false) {
    const { failures } = (0,verdict/* verdict */.W)(run);
    const hosts = run.fleet?.hosts.map(({ name, system }) => ({ name, system })) ?? [];
    const removed = (0,preview_groups/* oneSided */.CM)(run.previews, 'removed').map(name => ({ name, system: '' }));
    const listed = hosts.length > 0 ? [...hosts, ...removed] : run.archives.map(({ host, system }) => ({ name: host, system }));
    const width = Math.min(32, Math.max(4, ...listed.map(({ name }) => (0,string_width/* default */.A)(name))));
    const lines = listed.map(({ name, system }) => `${(0,cells/* column */.f)(name, width)}  ${(0,cells/* column */.f)(system, 14)}  ${stateOf(run, name)}`);
    lines.push(...previewLines(run.previews, colour));
    for (const outcome of run.outcomes)
        lines.push(...planLines(outcome));
    for (const { hosts, failure } of (0,report_groups/* groupsOf */.c)(failures)) {
        const { stage, why, file, line } = failure;
        // The line of the host has said it.
        if (stage === 'deploy' && listed.some(({ name }) => hosts.includes(name)))
            continue;
        const place = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
        lines.push(`${(0,markdown/* plain */.pj)((0,report_groups/* namesOf */.e)(hosts))}: ${stage} failed: ${(0,markdown/* plain */.pj)(why)}${place}`);
    }
    for (const { kind, next, command } of (0,next_steps/* nextSteps */.Z)(run)) {
        lines.push(`next step (${kind}): ${next}${command === null ? '' : ` ${(0,markdown/* plain */.pj)(command)}`}`);
    }
    const times = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${(0,amounts/* duration */.p0)(seconds)}`);
    if (times.length > 0)
        lines.push(`time: ${times.join(', ')}`);
    return lines.map(line => `${line.trimEnd()}\n`).join('');
}
/** What a dry run found, a line for each kind of change. */
function planLines(outcome) {
    if (!deploy_outcome/* outcomes */.KI[outcome.outcome].hypothetical)
        return [];
    const changes = [...(0,unit_changes/* unitLines */.AY)(outcome).map(({ words, names }) => `${words}: ${names.join(', ')}`), ...outcome.others];
    return changes.map(change => `${(0,markdown/* plain */.pj)(outcome.host)}: ${(0,markdown/* plain */.pj)(change)}`);
}
/** How far a host came: its outcome and the folder of its archive, or else its toplevel or derivation. */
function stateOf(run, name) {
    const outcome = run.outcomes.find(({ host }) => host === name);
    const archive = run.archives.find(({ host }) => host === name);
    const built = run.built.find(({ host }) => host.name === name);
    const planned = run.fleet?.hosts.find(host => host.name === name);
    const preview = run.previews.find(({ host }) => host === name);
    const parts = [];
    if (preview !== undefined)
        parts.push(previewState(preview));
    if (outcome !== undefined)
        parts.push(`${outcome.outcome}: ${(0,markdown/* plain */.pj)(outcome.message)}`);
    if (archive !== undefined)
        parts.push(`${(0,amounts/* size */.Ej)(archive.bytes)} in ${archive.directory}`);
    if (parts.length > 0)
        return parts.join('; ');
    if (built?.ok)
        return `${built.toplevel} (${(0,amounts/* size */.Ej)(built.closureBytes)} in ${(0,amounts/* count */.U9)(built.closure.length, 'path')})`;
    if (built !== undefined)
        return 'not built';
    return planned === undefined ? '' : [planned.toplevel.drvPath, ...destinationOf(planned, run.mode)].join('; ');
}
/** Where a planned host would be deployed, and what goes with it. */
function destinationOf({ target, buildOnly, unusable, ...host }, mode) {
    if (buildOnly)
        return ['is only built'];
    if (unusable !== null)
        return [`cannot be deployed: ${(0,markdown/* plain */.pj)(unusable)}`];
    if (target === null)
        return ['has no target'];
    const place = (0,fleet/* isLocal */.IX)(target) ? 'this machine' : (0,fleet/* targetName */.je)(target);
    const checks = [host.healthChecks, host.preDeployChecks].flatMap(({ cmd, http }) => [...cmd, ...http]);
    const secrets = host.secrets.length === 0 ? [] : [(0,amounts/* count */.U9)(host.secrets.length, 'secret')];
    const counted = checks.length === 0 ? [] : [(0,amounts/* count */.U9)(checks.length, 'check')];
    const skipsChecks = mode === 'dry-activate' && counted.length > 0;
    const others = [...secrets, ...(skipsChecks ? [] : counted)].join(' and ');
    const left = skipsChecks ? [`mode ${mode} does not run ${counted[0]}`] : [];
    return [`would go to ${(0,markdown/* plain */.pj)(place)}${others === '' ? '' : ` with ${others}`}`, ...left];
}

;// CONCATENATED MODULE: ./src/report/index.ts











/** GitHub shows ten errors of a step ("Workflow commands", annotations). If there are more, the tenth names the others. */
const shownErrors = 10;
/** Lines of a program's output that are shown with a failure. The summary has more. */
const shownLines = 30;
/** Lines of a build's log that its annotation has. */
const annotatedLines = 5;
/**
 * Reports a run: an annotation for each host that failed or needs attention, and the summary. `run.error` is not reported:
 * the pipeline has logged it.
 *
 * @param write appends Markdown to the job summary; null: there is none.
 */
async function report(run, log, write) {
    const judged = (0,verdict/* verdict */.W)(run);
    annotateFailures(judged.failures, log);
    for (const outcome of run.outcomes) {
        const { host, message } = outcome;
        const { next } = deploy_outcome/* outcomes */.KI[outcome.outcome];
        if (!(0,deploy_outcome/* isFailure */.N6)(outcome) && next !== null)
            log.warning(`${host}: ${message} ${next}`, { host });
    }
    await write?.((0,summary/* summary */.z)(run));
    return judged;
}
function annotateFailures(failures, log) {
    const groups = (0,report_groups/* groupsOf */.c)(failures);
    const single = groups.length > shownErrors ? groups.slice(0, shownErrors - 1) : groups;
    for (const { hosts, failure } of single) {
        const printed = failure.log.trimEnd().split('\n').slice(-shownLines);
        // The message is at the start of an evaluation's trace, but at the end of a build's log.
        if (failure.stage === 'build')
            log.info(printed.map(each => `${failure.host}> ${each}`).join('\n'));
        const text = [`${(0,report_groups/* namesOf */.e)(hosts)}: ${(0,verdict/* failureKind */.z)(failure)}: ${failure.why}`];
        if (failure.stage === 'build')
            text.push(...printed.slice(-annotatedLines), reproduction(failure));
        log.error(text.join('\n'), place(failure));
    }
    if (single.length < groups.length) {
        const rest = groups.slice(single.length).flatMap(({ hosts }) => hosts);
        log.error(`${rest.length} more hosts failed, see the summary: ${rest.join(', ')}`);
    }
}
function reproduction({ host }) {
    return `To reproduce it: ferry build --hosts ${host}`;
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
