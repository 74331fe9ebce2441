export const id = 531;
export const ids = [531];
export const modules = {

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

/***/ 10571:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   J: () => (/* binding */ cut),
/* harmony export */   f: () => (/* binding */ column)
/* harmony export */ });
/* harmony import */ var string_width__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(94668);

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Shortens text to `width` terminal cells, with an ellipsis if something was cut. Never splits a character. */
function cut(text, width) {
    if ((0,string_width__WEBPACK_IMPORTED_MODULE_0__/* ["default"] */ .A)(text) <= width)
        return text;
    if (width < 1)
        return '';
    let used = 0;
    let shortened = '';
    for (const { segment } of segmenter.segment(text)) {
        used += (0,string_width__WEBPACK_IMPORTED_MODULE_0__/* ["default"] */ .A)(segment);
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
    return shortened + ' '.repeat(width - (0,string_width__WEBPACK_IMPORTED_MODULE_0__/* ["default"] */ .A)(shortened));
}


/***/ }),

/***/ 96531:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   J: () => (/* binding */ forkCommentText),
/* harmony export */   b: () => (/* binding */ commentText)
/* harmony export */ });
/* harmony import */ var _comment_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(54231);
/* harmony import */ var _previewed_block_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(6367);
/* harmony import */ var _summary_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(43447);



/**
 * A run as a comment on its pull request: the summary, marked with the commit that it describes. A preview also carries the
 * toplevels of the hosts, hidden, with which a later deployment is compared.
 */
function commentText(run, subject) {
    const commit = knownCommit(subject);
    const previewed = commit !== null && run.previews.length > 0;
    const block = previewed ? (0,_previewed_block_js__WEBPACK_IMPORTED_MODULE_1__/* .encodeToplevels */ .N)({ commit, toplevels: toplevelsOf(run) }) : null;
    const hidden = block === null ? '' : `\n${block}\n`;
    return withoutMarkers((0,_summary_js__WEBPACK_IMPORTED_MODULE_0__/* .commentSummary */ .c)(run, _comment_js__WEBPACK_IMPORTED_MODULE_2__/* .commentLimit */ .j9 - hidden.length, noteOf(subject))) + hidden;
}
/** What a reader of the comment of a fork has to know. */
const forkNote = 'This is what the run of the pull request reported; nobody has checked it.';
/**
 * The comment on the pull request of a fork, from the data that its run saved. It carries no toplevels: the run could claim
 * any, and a deployment would take them for previewed.
 */
function forkCommentText(data, subject) {
    const { previews, failures } = data;
    const error = data.error === null ? null : { ...data.error, where: null };
    const run = {
        ...{ mode: 'preview', fleet: null, built: [], work: null, archives: [], previews, previewed: null, outcomes: [] },
        ...{ timings: {}, timeline: [], address: subject.run, error },
    };
    const note = [noteOf(subject), forkNote].filter(each => each !== null).join(' ');
    return withoutMarkers((0,_summary_js__WEBPACK_IMPORTED_MODULE_0__/* .commentSummary */ .c)(run, _comment_js__WEBPACK_IMPORTED_MODULE_2__/* .commentLimit */ .j9, note, failures));
}
function noteOf(subject) {
    const commit = knownCommit(subject);
    // GitHub shows the hash as a link to the commit.
    const parts = [
        ...(commit === null ? [] : [`For ${commit}.`]),
        ...(subject.run === null ? [] : [`[All details](${subject.run})`]),
        ...(subject.data === null ? [] : [`[JSON](${subject.data})`]),
    ];
    return parts.length === 0 ? null : parts.join(' ');
}
function knownCommit({ commit }) {
    return commit !== null && /^[0-9a-f]{40,64}$/.test(commit) ? commit : null;
}
/** A log or a diff in a block of code is shown as it is: it must not look like one of our own hidden comments. */
function withoutMarkers(markdown) {
    return markdown.replaceAll('<!-- nix-ferry', '<!- nix-ferry');
}
function toplevelsOf({ built, previews }) {
    const listed = new Set(previews.map(({ host }) => host));
    const shown = built.filter(({ host }) => listed.has(host.name));
    return Object.fromEntries(shown.flatMap(one => (one.ok ? [[one.host.name, one.toplevel]] : [])));
}


/***/ }),

/***/ 54231:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DQ: () => (/* binding */ loginOf),
/* harmony export */   Xz: () => (/* binding */ keepComment),
/* harmony export */   iJ: () => (/* binding */ explainAnswer),
/* harmony export */   j9: () => (/* binding */ commentLimit)
/* harmony export */ });
/* harmony import */ var _github_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(69248);

/** Characters that a comment may have (docs.github.com/rest/issues/comments: 65536), less room for the marker. */
const commentLimit = 60_000;
/**
 * Creates one comment on a pull request, or updates the one that an earlier run created.
 *
 * @throws Error that says what GitHub answered, such as 403 for the token of a fork, which may not write.
 */
async function keepComment(markdown, place) {
    const marker = `<!-- nix-ferry ${place.key.replaceAll(/[^\w /.-]/g, '_').replaceAll('--', '__')} -->`;
    const { owner, repo } = (0,_github_js__WEBPACK_IMPORTED_MODULE_0__/* .ownerAndRepo */ .H)(place.repository);
    const body = `${marker}\n${markdown}`;
    const github = await (0,_github_js__WEBPACK_IMPORTED_MODULE_0__/* .openGitHub */ .o)(place);
    try {
        const earlier = await findComment(marker, place, github);
        if (earlier === null)
            await github.rest.issues.createComment({ owner, repo, issue_number: place.number, body });
        else
            await github.rest.issues.updateComment({ owner, repo, comment_id: earlier, body });
    }
    catch (error) {
        throw explainAnswer(error);
    }
}
/** An error that says what GitHub answered, if it did. */
function explainAnswer(error) {
    const { status, message } = error;
    return status === undefined ? error : new Error(`GitHub answered with status ${status}: ${message}`);
}
/** Whose token this is: `github-actions[bot]` for that of a job. */
async function loginOf(github) {
    return (await github.graphql('{ viewer { login } }')).viewer.login;
}
async function findComment(marker, place, github) {
    const which = { ...(0,_github_js__WEBPACK_IMPORTED_MODULE_0__/* .ownerAndRepo */ .H)(place.repository), issue_number: place.number, per_page: 100 };
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


/***/ }),

/***/ 56900:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   c: () => (/* binding */ groupsOf),
/* harmony export */   e: () => (/* binding */ namesOf)
/* harmony export */ });
/**
 * Failures by reason and place, in the order in which each first occurs: hosts share what they are made of. What happened on
 * targets is one failure for each host.
 */
function groupsOf(failures) {
    const groups = new Map();
    for (const failure of failures) {
        const { host, stage, outcome, why, file, line, log } = failure;
        // The trace of an evaluation differs in the names of hosts.
        const own = stage === 'plan' ? null : stage === 'build' ? log : host;
        const key = JSON.stringify([stage, outcome, why, file, line, own]);
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


/***/ }),

/***/ 54285:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DV: () => (/* binding */ codeBlock),
/* harmony export */   X1: () => (/* binding */ escapeText),
/* harmony export */   pj: () => (/* binding */ plain),
/* harmony export */   zH: () => (/* binding */ details)
/* harmony export */ });
/* harmony import */ var node_util__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(57975);
/* harmony import */ var node_util__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_util__WEBPACK_IMPORTED_MODULE_0__);

/**
 * Text that Markdown and HTML show unchanged, on one line. Whatever is not a letter, digit or plain punctuation becomes a
 * numeric character reference, which cannot start markup, a table cell or a link. GitHub looks for mentions and for numbers of
 * issues when it has resolved the references (github/markup#1168), so an invisible space interrupts these.
 */
function escapeText(text) {
    return plain(text)
        .replaceAll(/\s+/g, ' ')
        .trim()
        .replaceAll(/(?<![a-z0-9])@(?=[a-z0-9])|#(?=\d)|\bgh(?=-\d)/gi, '$&\u200b')
        .replaceAll(/[^\p{L}\p{N} .,/+=%-]/gu, reference)
        .replaceAll(/\b(www)\./gi, '$1&#46;');
}
function reference(character) {
    return `&#${character.codePointAt(0)};`;
}
/** Text without terminal sequences and without control characters other than tab and newline. */
function plain(text) {
    return (0,node_util__WEBPACK_IMPORTED_MODULE_0__.stripVTControlCharacters)(text)
        .replaceAll('\r\n', '\n')
        .replaceAll(/(?![\t\n])\p{C}/gu, '');
}
/** A block that shows `text` unchanged, even if it contains fences. `language` colours it. */
function codeBlock(text, language = 'text') {
    const clean = plain(text).trimEnd();
    const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map(run => run.length));
    const fence = '`'.repeat(longest + 1);
    return `${fence}${language}\n${clean}\n${fence}`;
}
/** A folded section. `summary` must be escaped already, `body` is Markdown. */
function details(summary, body) {
    return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}


/***/ }),

/***/ 35587:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Z: () => (/* binding */ nextSteps)
/* harmony export */ });
/* harmony import */ var _deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(84535);
/* harmony import */ var _verdict_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(90687);


/** What a person should do next, for each kind of outcome or failure that occurred and asks for something. */
function nextSteps(run) {
    const kinds = new Set(run.outcomes.map(({ outcome }) => outcome));
    const ofOutcomes = [...kinds].flatMap((kind) => {
        const { next } = _deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__/* .outcomes */ .KI[kind];
        return next === null ? [] : [{ kind, next, command: null }];
    });
    return [...repairs((0,_verdict_js__WEBPACK_IMPORTED_MODULE_1__/* .verdict */ .W)(run).failures), ...ofOutcomes];
}
/** For hosts that failed before anything was done on their targets: once for failures of one sort. */
function repairs(failures) {
    const steps = new Map();
    for (const failure of failures) {
        const { stage, outcome, file } = failure;
        const sort = `${stage} ${stage === 'build' && file !== null}`;
        const repair = outcome === null ? repairOf(failure) : null;
        if (repair !== null && !steps.has(sort))
            steps.set(sort, { kind: (0,_verdict_js__WEBPACK_IMPORTED_MODULE_1__/* .failureKind */ .z)(failure), ...repair });
    }
    return [...steps.values()];
}
function repairOf({ host, stage, file }) {
    const command = (name) => `ferry ${name} --hosts ${host}`;
    switch (stage) {
        case 'plan':
            return { next: 'Correct the configuration, then check it with:', command: command('plan') };
        case 'build':
            // Only a wrong hash has a place.
            if (file !== null)
                return { next: 'If the download is what it should be, write its hash into the source.', command: null };
            return { next: 'Read the log of the build. Reproduce it with:', command: command('build') };
        case 'preview':
            return {
                next: 'Nothing was changed. Check the target, its user and the key, then run:',
                command: command('preview'),
            };
        default:
            return null;
    }
}


/***/ }),

/***/ 38751:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   CM: () => (/* binding */ oneSided),
/* harmony export */   _5: () => (/* binding */ groupUnknown),
/* harmony export */   hW: () => (/* binding */ groupCompared),
/* harmony export */   r8: () => (/* binding */ unchangedPreviews),
/* harmony export */   t8: () => (/* binding */ isUnknown),
/* harmony export */   tw: () => (/* binding */ groupChanges)
/* harmony export */ });
/* harmony import */ var _preview_change_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(42024);
/* harmony import */ var _preview_index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(58287);


/**
 * Groups the hosts that change by what is said of their change: toplevels always differ, but a reader needs no second text
 * that is the same. Groups that need a reboot come first, then larger ones.
 *
 * @param describe writes a change for a reader.
 */
function groupChanges(previews, describe) {
    const groups = new Map();
    for (const preview of previews) {
        if (!preview.known || (0,_preview_change_js__WEBPACK_IMPORTED_MODULE_0__/* .isSame */ .Ft)(preview.change))
            continue;
        const body = describe(preview.change);
        const group = groups.get(body);
        if (group === undefined)
            groups.set(body, { hosts: [preview.host], change: preview.change, body });
        else
            group.hosts.push(preview.host);
    }
    const reboots = ({ change }) => (change.reboot.length > 0 ? 1 : 0);
    return [...groups.values()].sort((a, b) => reboots(b) - reboots(a) || b.hosts.length - a.hosts.length);
}
/** The hosts that run what was built already. */
function unchangedPreviews(previews) {
    return previews.filter((preview) => preview.known && (0,_preview_change_js__WEBPACK_IMPORTED_MODULE_0__/* .isSame */ .Ft)(preview.change));
}
/** The hosts that exist only after the change (`new`) or only before it (`removed`). */
function oneSided(previews, side) {
    return previews.filter(preview => !preview.known && preview.why === side).map(({ host }) => host);
}
/** Whether nothing is known of what a host would change. That a host is new, or removed, is known. */
function isUnknown(preview) {
    return (0,_preview_index_js__WEBPACK_IMPORTED_MODULE_1__/* .wouldChange */ .ev)(preview) === null;
}
/** The hosts of which nothing is known, by reason. Those that failed are not among them: they are failures of the run. */
function groupUnknown(previews) {
    const listed = previews.filter(isUnknown).filter(each => each.why !== 'not-built' && !(0,_preview_index_js__WEBPACK_IMPORTED_MODULE_1__/* .isFailedPreview */ .mw)(each));
    return byMessage(listed.map(({ host, message }) => ({ host, message })));
}
/** The hosts that were compared with the base, by the reason for it. */
function groupCompared(previews) {
    const compared = previews.flatMap(each => (each.known && each.comparedWith === 'base' ? [each] : []));
    const [first] = compared;
    if (first === undefined)
        return [];
    const groups = byMessage(compared.map(({ host, instead }) => ({ host, message: instead ?? '' })));
    return groups.map(group => ({ ...group, base: first.base }));
}
function byMessage(hosts) {
    const groups = new Map();
    for (const { host, message } of hosts) {
        const group = groups.get(message);
        if (group === undefined)
            groups.set(message, { hosts: [host], message });
        else
            group.hosts.push(host);
    }
    return [...groups.values()];
}


/***/ }),

/***/ 34924:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  aA: () => (/* binding */ changeMarkdown),
  pf: () => (/* binding */ comparisonLines),
  _l: () => (/* binding */ previewSection),
  Vf: () => (/* binding */ previewTitle)
});

// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: ./src/report/groups.ts
var report_groups = __webpack_require__(56900);
// EXTERNAL MODULE: ./src/report/markdown.ts
var markdown = __webpack_require__(54285);
;// CONCATENATED MODULE: ./src/report/preview-etc.ts


/** Files that are named before the folded diffs, at most. */
const namedFiles = 8;
/** Files whose diffs are shown, at most. */
const shownFiles = 30;
/** Lines of a diff that are shown, at most. */
const shownLines = 60;
/** Characters of a line of a diff that are shown, at most. */
const shownColumns = 300;
const verbs = { added: 'added', removed: 'removed', changed: 'changed' };
/** The files of /etc that change: one line with their names, and folded diffs. Empty if there are none. */
function etcParts(changes) {
    const own = changes.filter(({ rebuilt }) => !rebuilt);
    const rebuilt = changes.length - own.length;
    const words = ['added', 'removed', 'changed'].flatMap(kind => {
        const names = own.filter(change => change.kind === kind).map(({ name }) => name);
        return names.length === 0 ? [] : [`${verbs[kind]} ${shorten(names)}`];
    });
    if (rebuilt > 0)
        words.push(`${(0,amounts/* count */.U9)(rebuilt, 'file')} with other store paths only`);
    return { line: words.length === 0 ? null : `**/etc**: ${words.join('; ')}`, diffs: diffsOf(own) };
}
function shorten(names) {
    const shown = names.slice(0, namedFiles).map(name => `<code>${(0,markdown/* escapeText */.X1)(name)}</code>`);
    return shown.join(' ') + (names.length > namedFiles ? ` and ${names.length - namedFiles} more` : '');
}
function diffsOf(changes) {
    const known = changes.filter(({ diff }) => diff !== null);
    const hidden = changes.length - known.length;
    if (known.length === 0)
        return null;
    const shown = known.slice(0, shownFiles).map(({ name, diff }) => {
        return `<code>/etc/${(0,markdown/* escapeText */.X1)(name)}</code>\n\n${(0,markdown/* codeBlock */.DV)(shortDiff(diff ?? ''), 'diff')}`;
    });
    const left = known.length - shownFiles;
    const notes = [
        ...(left > 0 ? [`${(0,amounts/* count */.U9)(left, 'more file')} with a diff.`] : []),
        ...(hidden > 0 ? [`${(0,amounts/* count */.U9)(hidden, 'file')} without a diff: large, not text, or possibly secret.`] : []),
    ];
    return (0,markdown/* details */.zH)(`Diffs of ${(0,amounts/* count */.U9)(known.length, 'file')} in /etc`, [...shown, ...notes].join('\n\n'));
}
/** A diff in which store paths have no hashes, because they differ on every host and tell a reader nothing. */
function shortDiff(diff) {
    const lines = diff.trimEnd().split('\n');
    const shown = lines.slice(0, shownLines).map(line => {
        const text = line.replace(/\/nix\/store\/[0-9a-z]{32}-/g, '/nix/store/…-');
        return text.length > shownColumns ? `${text.slice(0, shownColumns)}…` : text;
    });
    return [...shown, ...(lines.length > shownLines ? [`… ${(0,amounts/* count */.U9)(lines.length - shownLines, 'more line')}`] : [])].join('\n');
}

// EXTERNAL MODULE: ./src/report/preview-groups.ts
var preview_groups = __webpack_require__(38751);
// EXTERNAL MODULE: ./src/report/preview-packages.ts
var preview_packages = __webpack_require__(49038);
// EXTERNAL MODULE: ./src/report/preview-units.ts
var preview_units = __webpack_require__(85768);
;// CONCATENATED MODULE: ./src/report/preview-markdown.ts







/** Units of one kind that are named in a line; if there are more, a folded list has them all. */
const namedUnits = 12;
/** The names of a heading, at most. */
const headingNames = 3;
/** How many hosts would change, for the title; null if the run is no preview. */
function previewTitle({ previews }) {
    if (previews.length === 0)
        return null;
    const unchanged = (0,preview_groups/* unchangedPreviews */.r8)(previews).length;
    const unknown = previews.filter(preview_groups/* isUnknown */.t8).length;
    const [added, removed] = [(0,preview_groups/* oneSided */.CM)(previews, 'new').length, (0,preview_groups/* oneSided */.CM)(previews, 'removed').length];
    const changed = previews.length - unchanged - unknown - added - removed;
    return [
        ...(changed > 0 || unknown === 0 ? [`${(0,amounts/* count */.U9)(changed, 'host')} would change`] : []),
        ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
        ...(added > 0 ? [`${added} new`] : []),
        ...(removed > 0 ? [`${removed} removed`] : []),
        ...(unknown > 0 ? [`${unknown} not compared`] : []),
    ].join(', ');
}
/**
 * What each host would change: hosts with the same change in one block, then the others in a line each. A block that does not
 * fit is only counted.
 */
function previewSection(document, { previews }) {
    if (previews.length === 0)
        return;
    const groups = (0,preview_groups/* groupChanges */.tw)(previews, changeMarkdown);
    const closing = [...unchangedLine(previews), ...oneSidedLines(previews), ...unknownLines(previews)];
    const short = groups.map(shortBlock);
    // What is certain to be shown: a long block must not hide the others.
    let reserved = bytesOf([...short, ...closing]);
    for (const [index, group] of groups.entries()) {
        const brief = short[index] ?? '';
        const full = `${heading(group)}\n\n${group.body}`;
        reserved -= bytesOf([brief]);
        const added = bytesOf([full]) + reserved <= document.room ? document.add(full) : document.add(brief);
        if (added)
            continue;
        document.addLast(`${(0,amounts/* count */.U9)(groups.length - index, 'more change')} do not fit here.`);
        return;
    }
    for (const line of closing)
        document.add(line);
}
function bytesOf(parts) {
    return parts.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, 0);
}
function heading({ hosts }) {
    const names = hosts.map(markdown/* escapeText */.X1);
    if (names.length <= headingNames)
        return `### ${names.join(', ')}`;
    return `### ${(0,amounts/* count */.U9)(names.length, 'host')} with the same change\n\n${names.join(', ')}`;
}
function shortBlock(group) {
    const { change } = group;
    const parts = [
        ...(change.reboot.length > 0 ? ['needs a reboot'] : []),
        (0,preview_units/* unitCount */.q3)(change.units),
        ...(change.packages === null ? [] : [(0,preview_packages/* packageCounts */.dv)(change.packages)]),
    ];
    return `${heading(group)}\n\n${parts.join('; ')}. The details do not fit here.`;
}
/** A change as Markdown, without the names of hosts, toplevels and other things that differ on every host. */
function changeMarkdown(change) {
    const { packages, firewall, etc } = change;
    const files = etcParts(etc);
    const lines = [
        ...rebootLine(change),
        ...unitMarkdown(change),
        ...listed('Firewall', [
            ...each('opens', firewall.opened),
            ...each('closes', firewall.closed),
            ...(firewall.turned === null ? [] : [`is turned ${firewall.turned}`]),
        ]),
        ...accountLines(change),
        ...listed('Secrets', [
            ...each('adds', change.secrets?.added ?? []),
            ...each('removes', change.secrets?.removed ?? []),
            ...each('changes', change.secrets?.changed ?? []),
            ...each('does not compare', change.secrets?.unknown ?? []),
        ]),
        ...(files.line === null ? [] : [files.line]),
        packages === null
            ? '**Packages**: unknown, because Nix on the target does not answer'
            : `**Packages**: ${(0,preview_packages/* packageCounts */.dv)(packages)}`,
    ];
    return [
        lines.map(line => `- ${line}`).join('\n'),
        ...(packages === null ? [] : (0,preview_packages/* packageTable */.dE)(packages)),
        ...allUnits(change),
        ...(files.diffs === null ? [] : [files.diffs]),
    ].join('\n\n');
}
function rebootLine({ reboot }) {
    if (reboot.length === 0)
        return [];
    const reasons = reboot.map(({ text, pending }) => `${(0,markdown/* escapeText */.X1)(text)}${pending ? ' (already before this)' : ''}`);
    return [`⚠️ **Needs a reboot**, because: ${reasons.join('; ')}`];
}
function unitMarkdown({ units }) {
    const effects = (0,preview_units/* unitEffects */.HS)(units).map(({ words, names }) => {
        const shown = names.slice(0, namedUnits).map(unit => `<code>${(0,markdown/* escapeText */.X1)(unit)}</code>`);
        const rest = names.length > namedUnits ? ` and ${names.length - namedUnits} more` : '';
        return `**${words.charAt(0).toUpperCase()}${words.slice(1)}**: ${shown.join(' ')}${rest}`;
    });
    const notes = (0,preview_units/* unitNotes */.K4)(units).map(note => `**Units**: ${(0,markdown/* escapeText */.X1)(note)}`);
    return effects.length === 0 && notes.length === 0 ? ['**Units**: no changes'] : [...effects, ...notes];
}
/** The units that do not fit into a line. */
function allUnits({ units }) {
    return (0,preview_units/* unitEffects */.HS)(units)
        .filter(({ names }) => names.length > namedUnits)
        .map(({ words, names }) => (0,markdown/* details */.zH)(`${words}: all ${(0,amounts/* count */.U9)(names.length, 'unit')}`, names.map(markdown/* escapeText */.X1).join(' ')));
}
function accountLines({ users, groups }) {
    if (users === null && groups === null)
        return ['**Users and groups**: unknown, as one of the systems does not list them'];
    const named = (title, names) => names === null ? [] : listed(title, [...each('adds', names.added), ...each('removes', names.removed)]);
    return [...named('Users', users), ...named('Groups', groups)];
}
function each(verb, names) {
    return names.length === 0 ? [] : [`${verb} ${names.map(name => `<code>${(0,markdown/* escapeText */.X1)(name)}</code>`).join(' ')}`];
}
function listed(title, words) {
    return words.length === 0 ? [] : [`**${title}**: ${words.join('; ')}`];
}
function unchangedLine(previews) {
    const unchanged = (0,preview_groups/* unchangedPreviews */.r8)(previews);
    if (unchanged.length === 0)
        return [];
    const names = unchanged.map(({ host, change }) => {
        const notes = [
            ...(change.reboot.length > 0 ? ['waits for a reboot'] : []),
            ...(change.secrets !== null && change.secrets.unknown.length > 0 ? ['some secrets are not compared'] : []),
        ];
        return `${(0,markdown/* escapeText */.X1)(host)}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
    });
    return [`**Unchanged**: ${(0,report_groups/* namesOf */.e)(names)}`];
}
function oneSidedLines(previews) {
    const [added, removed] = [(0,preview_groups/* oneSided */.CM)(previews, 'new'), (0,preview_groups/* oneSided */.CM)(previews, 'removed')];
    return [
        ...(added.length > 0 ? [`**New**: ${(0,report_groups/* namesOf */.e)(added.map(markdown/* escapeText */.X1))}`] : []),
        ...(removed.length > 0 ? [`**Removed**: ${(0,report_groups/* namesOf */.e)(removed.map(markdown/* escapeText */.X1))}`] : []),
    ];
}
/** With what the hosts were compared, in sentences; empty if there is nothing to say. */
function comparisonLines(previews) {
    const asked = previews.some(each => each.known && each.comparedWith === 'target');
    const target = asked ? ['This is what a switch would do. The targets were only asked what they run.'] : [];
    const groups = (0,preview_groups/* groupCompared */.hW)(previews);
    const [first] = groups;
    if (first === undefined)
        return target;
    const named = asked || groups.length > 1;
    const reasons = groups.map(({ hosts, message }) => {
        return `${named ? `${(0,report_groups/* namesOf */.e)(hosts.map(markdown/* escapeText */.X1))}: ` : ''}${(0,markdown/* escapeText */.X1)(message)}`.trim();
    });
    const some = asked ? 'Some hosts were compared' : 'Compared';
    const said = `${some} with the base, ${(0,markdown/* escapeText */.X1)(first.base)}, and not with what the targets run, so it is not known which units run.`;
    return [
        ...target,
        named ? [said, '', ...reasons.map(reason => `- ${reason}`)].join('\n') : `${said} ${reasons}`.trim(),
    ];
}
function unknownLines(previews) {
    return (0,preview_groups/* groupUnknown */._5)(previews).map(({ hosts, message }) => `**Not compared**: ${(0,report_groups/* namesOf */.e)(hosts.map(markdown/* escapeText */.X1))}: ${(0,markdown/* escapeText */.X1)(message)}`);
}


/***/ }),

/***/ 49038:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Am: () => (/* binding */ growth),
/* harmony export */   dE: () => (/* binding */ packageTable),
/* harmony export */   dv: () => (/* binding */ packageCounts)
/* harmony export */ });
/* harmony import */ var _amounts_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(94078);
/* harmony import */ var _markdown_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(54285);


/** Rows of a table that is not folded, at most. */
const openRows = 10;
/** Names of rebuilt packages that are listed, at most. */
const listedNames = 200;
/** Rows of a table, at most. */
const listedRows = 300;
/** "2 packages updated, 1 added, 14 rebuilt; closure +12.3 MiB" */
function packageCounts({ added, removed, updated, rebuilt, others, bytes }) {
    const counts = [
        [updated.length, 'updated'],
        [added.length, 'added'],
        [removed.length, 'removed'],
        [rebuilt.names.length, 'rebuilt'],
    ];
    const shown = counts.filter(([number]) => number > 0);
    const words = shown.map(([number, verb], index) => `${index === 0 ? (0,_amounts_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9)(number, 'package') : number} ${verb}`);
    const unversioned = others.added + others.removed;
    if (words.length === 0)
        words.push(unversioned > 0 ? 'the same, other files change' : 'the same');
    return `${words.join(', ')}; closure ${growth(bytes.after - bytes.before)}`;
}
/** "+12.3 MiB", "-1.0 KiB", "±0 B" */
function growth(bytes) {
    if (bytes === 0)
        return '±0 B';
    return `${bytes < 0 ? '-' : '+'}${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_1__/* .size */ .Ej)(Math.abs(bytes))}`;
}
/** The packages that change as a table, which is folded if it is long, and the names of those that were only rebuilt. */
function packageTable(packages) {
    const rows = rowsOf(packages);
    const { names } = packages.rebuilt;
    const parts = [];
    if (rows.length > 0) {
        const left = rows.length - listedRows;
        const rest = left > 0 ? [`| … and ${left} more | | | |`] : [];
        const table = ['| Package | Before | After | Size |', '|---|---|---|---:|', ...rows.slice(0, listedRows), ...rest];
        const text = table.join('\n');
        parts.push(rows.length <= openRows ? text : (0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .details */ .zH)(`${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9)(rows.length, 'package')} by name`, text));
    }
    if (names.length > 0) {
        const rest = names.length > listedNames ? ` and ${names.length - listedNames} more` : '';
        const list = names.slice(0, listedNames).map(_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1).join(', ');
        parts.push((0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .details */ .zH)(`${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9)(names.length, 'package')} rebuilt in the same version (${growth(packages.rebuilt.bytes)})`, `${list}${rest}`));
    }
    return parts;
}
function rowsOf({ added, removed, updated }) {
    const row = (name, from, to, bytes) => `| ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(name)} | ${versions(from)} | ${versions(to)} | ${growth(bytes)} |`;
    return [
        ...updated.map(({ name, from, to, bytes }) => row(name, from, to, bytes)),
        ...added.map(({ name, versions, bytes }) => row(name, [], versions, bytes)),
        ...removed.map(({ name, versions, bytes }) => row(name, versions, [], -bytes)),
    ];
}
function versions(list) {
    return list.length === 0 ? '—' : list.map(_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1).join(', ');
}


/***/ }),

/***/ 85768:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   HS: () => (/* binding */ unitEffects),
/* harmony export */   K4: () => (/* binding */ unitNotes),
/* harmony export */   q3: () => (/* binding */ unitCount)
/* harmony export */ });
/* harmony import */ var _amounts_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(94078);

/** What a switch would do to units. A unit that is stopped before the activation and started after it is restarted. */
function unitEffects(units) {
    const condition = units.statesKnown ? '' : ', if running';
    const both = new Set(units.stop.filter(unit => units.start.includes(unit)));
    const rest = (names) => names.filter(unit => !both.has(unit));
    const effects = [
        { words: `stops${condition}`, names: rest(units.stop) },
        { words: `restarts${condition}`, names: [...new Set([...units.restart, ...both])] },
        { words: `reloads${condition}`, names: units.reload },
        { words: `starts${condition}`, names: rest(units.start) },
        { words: 'starts, new', names: units.fresh },
        { words: 'leaves running in the old version', names: units.kept },
        { words: 'turns off swap', names: units.swapOff },
    ];
    return effects.filter(({ names }) => names.length > 0);
}
/** What else is known and what cannot be known, as sentences. */
function unitNotes({ restartsSystemd, error, unknown }) {
    return [...(error === null ? [] : [error]), ...(restartsSystemd ? ['systemd is re-executed.'] : []), ...unknown];
}
/** "3 units": how many are affected. */
function unitCount(units) {
    return (0,_amounts_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9)(new Set(unitEffects(units).flatMap(({ names }) => names)).size, 'unit');
}


/***/ }),

/***/ 6367:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   N: () => (/* binding */ encodeToplevels),
/* harmony export */   h: () => (/* binding */ decodeToplevels)
/* harmony export */ });
/** Characters of the hidden block, at most: a comment has 65536. */
const limit = 30_000;
const form = /^<!-- nix-ferry-toplevels ([A-Za-z0-9_-]+) -->$/m;
/** A comment of HTML, which GitHub does not show, that carries toplevels; null if there are too many. */
function encodeToplevels(shown) {
    // In Base64, because the name of a host could end the comment.
    const block = `<!-- nix-ferry-toplevels ${Buffer.from(JSON.stringify(shown)).toString('base64url')} -->`;
    return block.length <= limit ? block : null;
}
/** Reads the block of a comment; null if it has none that is valid. */
function decodeToplevels(comment) {
    const [, encoded] = form.exec(comment) ?? [];
    if (encoded === undefined)
        return null;
    try {
        const shown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
        return isShown(shown) ? shown : null;
    }
    catch {
        return null;
    }
}
function isShown(value) {
    const { commit, toplevels } = (value ?? {});
    if (typeof commit !== 'string' || typeof toplevels !== 'object' || toplevels === null)
        return false;
    return Object.values(toplevels).every(path => /^\/nix\/store\/[\w.+?=-]+$/.test(path));
}


/***/ }),

/***/ 36619:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   By: () => (/* binding */ previewedSection),
/* harmony export */   Iu: () => (/* binding */ outcomeMarkdown)
/* harmony export */ });
/* unused harmony export previewedLines */
/* harmony import */ var _groups_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(56900);
/* harmony import */ var _markdown_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(54285);
/* harmony import */ var _preview_groups_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(38751);
/* harmony import */ var _preview_markdown_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(34924);
/* harmony import */ var _preview_units_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(85768);
/* harmony import */ var _verdict_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(90687);






/** Hosts that differ from their preview and are listed with both systems, at most. */
const listedHosts = 20;
/** Packages, units or files that a short line names, at most. */
const briefWords = 8;
/** Failures that are listed in a comment, at most. */
const listedFailures = 10;
/** Whether what was built is what the pull request's preview has shown, in a line for each answer. */
function previewedLines({ previewed, built, archives }) {
    if (previewed === null)
        return [];
    if (previewed.pull === null)
        return ['**Preview**: none was found of the pull request of this commit.'];
    const toplevels = [
        ...built.flatMap(one => (one.ok ? [[one.host.name, one.toplevel]] : [])),
        ...(built.length > 0 ? [] : archives.map(({ host, toplevel }) => [host, toplevel])),
    ];
    const shown = (host) => previewed.toplevels[host] ?? [];
    const same = toplevels.filter(([host, toplevel]) => shown(host).includes(toplevel));
    const unseen = toplevels.filter(([host]) => shown(host).length === 0);
    const others = toplevels.filter(([host, toplevel]) => shown(host).length > 0 && !shown(host).includes(toplevel));
    const code = (path) => `<code>${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(path)}</code>`;
    const differing = others.slice(0, listedHosts).map(([host, toplevel]) => {
        return `⚠️ **Not as previewed in #${previewed.pull}**: ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(host)}: previewed ${shown(host).map(code).join(' or ')}, built ${code(toplevel)}`;
    });
    const names = (list) => (0,_groups_js__WEBPACK_IMPORTED_MODULE_4__/* .namesOf */ .e)(list.map(([host]) => (0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(host)));
    return [
        ...differing,
        ...differences(previewed.changes, others.map(([host]) => host)),
        ...(others.length > listedHosts ? [`… and ${names(others.slice(listedHosts))}, not as previewed.`] : []),
        ...(unseen.length > 0 ? [`⚠️ **Not previewed in #${previewed.pull}**: ${names(unseen)}`] : []),
        ...(same.length > 0 ? [`**As previewed in #${previewed.pull}**: ${names(same)}`] : []),
    ];
}
/** The section of the summary. */
function previewedSection(document, run) {
    for (const line of previewedLines(run))
        document.add(line);
    for (const { hosts, change } of sinceChanges(run.previewed?.changes ?? {})) {
        const title = `What differs from the preview: ${(0,_groups_js__WEBPACK_IMPORTED_MODULE_4__/* .namesOf */ .e)(hosts.map(_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1))}`;
        document.add((0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .details */ .zH)(title, (0,_preview_markdown_js__WEBPACK_IMPORTED_MODULE_2__/* .changeMarkdown */ .aA)(change)));
    }
}
/** Hosts of which the same differs from the preview. */
function sinceChanges(changes) {
    const previews = Object.entries(changes).map(([host, change]) => {
        return { host, known: true, comparedWith: 'base', base: '', instead: null, change };
    });
    return (0,_preview_groups_js__WEBPACK_IMPORTED_MODULE_1__/* .groupChanges */ .tw)(previews, _preview_markdown_js__WEBPACK_IMPORTED_MODULE_2__/* .changeMarkdown */ .aA);
}
/** What differs in short, for the hosts of which it is known. */
function differences(changes, differing) {
    const lines = sinceChanges(changes)
        .slice(0, listedHosts)
        .map(({ hosts, change }) => {
        return `- ${(0,_groups_js__WEBPACK_IMPORTED_MODULE_4__/* .namesOf */ .e)(hosts.map(_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1))}: ${briefChange(change)}`;
    });
    const unknown = differing.filter(host => changes[host] === undefined);
    if (lines.length > 0 && unknown.length > 0)
        lines.push(`- ${(0,_groups_js__WEBPACK_IMPORTED_MODULE_4__/* .namesOf */ .e)(unknown.map(_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1))}: not known`);
    return lines.length === 0 ? [] : [`What differs:\n\n${lines.join('\n')}`];
}
function briefChange({ packages, units, etc }) {
    const packageWords = [
        ...(packages?.updated ?? []).map(({ name, from, to }) => `${name} ${from.join(', ')} → ${to.join(', ')}`),
        ...(packages?.added ?? []).map(({ name, versions }) => `${name} ${versions.join(', ')} added`),
        ...(packages?.removed ?? []).map(({ name }) => `${name} removed`),
    ];
    const unitNames = [...new Set((0,_preview_units_js__WEBPACK_IMPORTED_MODULE_5__/* .unitEffects */ .HS)(units).flatMap(({ names }) => names))];
    const files = etc.filter(({ rebuilt }) => !rebuilt).map(({ name }) => `/etc/${name}`);
    const parts = [...some(packageWords), ...some(unitNames), ...some(files)];
    return parts.length === 0 ? 'only store paths' : parts.join('; ');
}
/** The first of some words on one line, and the number of the others. */
function some(words) {
    if (words.length === 0)
        return [];
    const left = words.length - briefWords;
    return [words.slice(0, briefWords).map(_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1).join(', ') + (left > 0 ? ` and ${left} more` : '')];
}
/** What became of a deployment, for the comment that previewed it. */
function outcomeMarkdown(run, address) {
    const kinds = run.outcomes.map(({ outcome }) => outcome);
    const counts = [...new Set(kinds)].map(kind => `${kinds.filter(each => each === kind).length} ${kind}`);
    const { failures } = (0,_verdict_js__WEBPACK_IMPORTED_MODULE_3__/* .verdict */ .W)(run);
    const ended = run.error === null ? [] : [`**${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(run.error.message)}**`];
    const listed = failures.slice(0, listedFailures).map(failureLine);
    const left = failures.length - listedFailures;
    return [
        `**Deployment**: ${counts.length > 0 ? counts.join(', ') : 'nothing was deployed'} ([run](${address}))`,
        ...ended,
        ...(listed.length > 0 ? [[...listed, ...(left > 0 ? [`- … and ${left} more`] : [])].join('\n')] : []),
        ...previewedLines(run),
    ].join('\n\n');
}
function failureLine(failure) {
    return `- **${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(failure.host)}** ${(0,_verdict_js__WEBPACK_IMPORTED_MODULE_3__/* .failureKind */ .z)(failure)}: ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_0__/* .escapeText */ .X1)(failure.why)}`;
}


/***/ }),

/***/ 43447:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  c: () => (/* binding */ commentSummary),
  z: () => (/* binding */ summary)
});

// EXTERNAL MODULE: ./src/amounts.ts
var amounts = __webpack_require__(94078);
// EXTERNAL MODULE: ./src/report/cells.ts
var cells = __webpack_require__(10571);
// EXTERNAL MODULE: ./src/report/markdown.ts
var markdown = __webpack_require__(54285);
// EXTERNAL MODULE: ./src/nix/derivation.ts
var derivation = __webpack_require__(56754);
;// CONCATENATED MODULE: ./src/report/work.ts



/** Builds and fetches that are listed, at most. */
const listed = 10;
/** What was built, emulated and fetched, and how long the slowest took. */
function workSection(document, { work }) {
    if (work === null || work.items.length === 0)
        return;
    const { items, downloadedBytes } = work;
    const built = items.filter(({ kind }) => kind === 'built');
    const fetched = items.length - built.length;
    const kinds = [
        [built.filter(({ emulated }) => emulated).length, 'emulated'],
        [built.filter(({ where }) => where !== null).length, 'on remote builders'],
        [built.filter(({ failed }) => failed).length, 'failed'],
    ];
    const some = kinds.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
    const bytes = downloadedBytes > 0 ? ` (${(0,amounts/* size */.Ej)(downloadedBytes)} downloaded)` : '';
    const parts = [
        `${(0,amounts/* count */.U9)(built.length, 'derivation')} built${some.length > 0 ? ` (${some.join(', ')})` : ''}`,
        ...(fetched > 0 ? [`${(0,amounts/* count */.U9)(fetched, 'path')} fetched${bytes}`] : []),
    ];
    const rows = slowest(items, listed).map(item => {
        return `| ${(0,markdown/* escapeText */.X1)(workName(item))} | ${(0,amounts/* duration */.p0)((item.to - item.from) / 1000)} | ${howOf(item)} |`;
    });
    const title = items.length > rows.length ? `The slowest ${rows.length}` : 'Each of them';
    document.add(`**Builds**: ${parts.join(', ')}`);
    document.add((0,markdown/* details */.zH)(title, ['| Name | Time | How |', '|---|---:|---|', ...rows].join('\n')));
}
/** Those that took longest, the slowest first. */
function slowest(items, number) {
    const took = ({ from, to }) => to - from;
    return items.toSorted((a, b) => took(b) - took(a)).slice(0, number);
}
/** The name of the derivation or store path, without its hash. */
function workName({ path }) {
    return (0,derivation/* derivationName */.Jt)(path);
}
function howOf({ kind, where, system, emulated, failed }) {
    if (kind === 'fetched')
        return `fetched${where === null ? '' : ` from ${(0,markdown/* escapeText */.X1)(serverOf(where))}`}`;
    return [
        failed ? '❌ failed' : 'built',
        ...(emulated ? [`emulated ${(0,markdown/* escapeText */.X1)(system ?? '')}`] : []),
        ...(where === null ? [] : ['on a remote builder']),
    ].join(', ');
}
/** The host of a substituter's address, which may contain a password. */
function serverOf(address) {
    return URL.canParse(address) ? new URL(address).host || new URL(address).protocol.replace(':', '') : 'a substituter';
}

;// CONCATENATED MODULE: ./src/report/gantt.ts




/** Bars of builds and of hosts, at most: a reader must not scroll through a whole fleet. */
const builds = 10;
const hosts = 20;
/** The least part of the run that a build must take to have a bar. */
const leastPart = 0.01;
/** Cells of a name, at most. */
const nameWidth = 40;
/** Bars of lower height than Mermaid's own, so that thirty of them fit onto a screen. */
const style = "%%{init: {'gantt': {'barHeight': 16, 'barGap': 3, 'fontSize': 11, 'sectionFontSize': 12}}}%%";
/** When the stages ran, the slowest builds and fetches, and the hosts, as a diagram that GitHub draws (Mermaid, `gantt`). */
function timelineSection(document, { timeline, work }) {
    const stages = timeline.filter(({ host }) => host === null);
    if (stages.length === 0)
        return;
    const long = (work?.items ?? []).filter(item => item.to - item.from >= leastPart * lengthOf(stages));
    const built = slowest(long, builds).map(barOfWork);
    const all = [...hostBars(timeline).values()].toSorted((a, b) => rank(b) - rank(a));
    const shown = all.slice(0, hosts).flat();
    const diagram = gantt({
        Stages: stages.map(({ stage, ...span }) => ({ ...span, name: stage })),
        Builds: built,
        Hosts: shown,
    });
    const left = all.length - hosts;
    const rest = left <= 0 ? '' : `\n\n${(0,amounts/* count */.U9)(left, 'more host')} took less time.`;
    document.add(`**Timeline**\n\n${diagram}${rest}`);
}
/** From the beginning of the first to the end of the last. */
function lengthOf(periods) {
    return Math.max(...periods.map(({ to }) => to)) - Math.min(...periods.map(({ from }) => from));
}
function barOfWork(item) {
    return { ...item, name: workName(item) };
}
/** The bars of each host, from the stages that work on each of them separately. */
function hostBars(timeline) {
    const bars = new Map();
    for (const { stage, host, ...span } of timeline) {
        if (host === null || (stage !== 'deploy' && stage !== 'preview'))
            continue;
        bars.set(host, [...(bars.get(host) ?? []), { ...span, name: host }]);
    }
    return bars;
}
/** Failed hosts are shown first, then those that took longest. */
function rank(bars) {
    const took = bars.reduce((sum, { from, to }) => sum + to - from, 0);
    return bars.some(({ failed }) => failed) ? Number.MAX_SAFE_INTEGER / 2 + took : took;
}
function gantt(sections) {
    const start = Math.min(...Object.values(sections).flatMap(bars => bars.map(({ from }) => from)));
    const lines = Object.entries(sections).flatMap(([title, bars]) => {
        if (bars.length === 0)
            return [];
        return [`  section ${title}`, ...bars.toSorted((a, b) => a.from - b.from).map(bar => `    ${task(bar, start)}`)];
    });
    // A time stamp is shown as its number of seconds, whichever zone the reader is in.
    const head = ['gantt', '  dateFormat x', '  axisFormat %s s'];
    return ['```mermaid', style, ...head, ...lines, '```'].join('\n');
}
/** A bar with its duration. The name of a task ends at a colon, and a word such as `section` at its start is a command. */
function task({ name, from, to, failed }, start) {
    const safe = (0,cells/* cut */.J)((0,markdown/* plain */.pj)(name), nameWidth).replaceAll(/[^\p{L}\p{N} .+=_…-]/gu, '_');
    const label = `${(0,amounts/* duration */.p0)((to - from) / 1000)} · ${safe}`;
    // Mermaid does not draw a bar that has no length.
    return `${label} :${failed ? 'crit, ' : ''}${from - start}, ${Math.max(to, from + 1) - start}`;
}

// EXTERNAL MODULE: ./src/report/groups.ts
var report_groups = __webpack_require__(56900);
// EXTERNAL MODULE: ./src/deploy/outcome.ts
var deploy_outcome = __webpack_require__(84535);
// EXTERNAL MODULE: ./src/report/unit-changes.ts
var unit_changes = __webpack_require__(64386);
// EXTERNAL MODULE: ./src/report/verdict.ts
var verdict = __webpack_require__(90687);
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
        (0,markdown/* escapeText */.X1)(host),
        (0,markdown/* escapeText */.X1)(system ?? ''),
        closure ?? '',
        archive ? archiveCell(archive, run.address) : '',
        outcomeCell(outcome, failure, built?.ok),
    ];
}
/** The size of an archive, as a link to where it can be downloaded. */
function archiveCell({ bytes, artifact }, address) {
    const page = artifact === null ? null : artifactPage(artifact, address);
    return page === null ? (0,amounts/* size */.Ej)(bytes) : `[${(0,amounts/* size */.Ej)(bytes)}](${page})`;
}
/**
 * The page from which GitHub serves an artifact. Source: actions/upload-artifact, which sets it as its output `artifact-url`.
 *
 * @param address the page of this run; null: unknown.
 */
function artifactPage({ run, id }, address) {
    const [, repository, own] = /^(https?:\/\/[\w./:-]+\/actions\/runs)\/(\d+)$/.exec(address ?? '') ?? [];
    return repository === undefined ? null : `${repository}/${run ?? own}/artifacts/${id}`;
}
function outcomeCell(outcome, failure, built) {
    if (failure !== undefined)
        return `❌ ${(0,verdict/* failureKind */.z)(failure)}`;
    if (outcome === undefined)
        return built === true ? '✅ built' : '';
    const { outcome: kind, seconds } = outcome;
    const { sign, hypothetical } = deploy_outcome/* outcomes */.KI[kind];
    const time = seconds > 0 ? ` in ${(0,amounts/* duration */.p0)(seconds)}` : '';
    return `${sign} ${kind}${time}${hypothetical ? `: ${(0,unit_changes/* unitCounts */.zY)(outcome)}` : ''}`;
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
    /** The bytes that are left. */
    get room() {
        return this.#limit - this.#bytes;
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
            this.addLast(rest(parts.length - index));
            return;
        }
    }
    /** Adds a short line that says what was left out, even if there is no room: limits have a reserve for it. */
    addLast(line) {
        this.#bytes = this.#limit;
        this.#parts.push(line);
    }
    text() {
        return `${this.#parts.join('\n\n')}\n`;
    }
}

// EXTERNAL MODULE: ./src/report/next-steps.ts
var next_steps = __webpack_require__(35587);
// EXTERNAL MODULE: ./src/report/preview-markdown.ts + 1 modules
var preview_markdown = __webpack_require__(34924);
// EXTERNAL MODULE: ./src/report/previewed-text.ts
var previewed_text = __webpack_require__(36619);
// EXTERNAL MODULE: ./src/deploy/secrets/report.ts
var report = __webpack_require__(58903);
;// CONCATENATED MODULE: ./src/report/secrets.ts


/** The secrets of each host by what became of them, as lines of Markdown: their names, never their contents. */
function secretSection(document, { outcomes }) {
    const lines = outcomes.flatMap(linesOf);
    if (lines.length > 0)
        document.addLines(['**Secrets**', '', ...lines], left => `- … and ${left} more lines`);
}
function linesOf({ host, mode, secrets }) {
    if (secrets === undefined)
        return [];
    const { changed, unchanged, unknown, volatile } = secrets;
    const dry = mode === 'dry-activate';
    const parts = [
        [dry ? 'would be sent' : 'sent', changed],
        ['unchanged', unchanged],
        ['not compared', unknown],
    ];
    const words = parts.flatMap(([word, names]) => (names.length > 0 ? [`${word} ${namesOf(names)}`] : []));
    const gone = dry || volatile.length === 0 ? '' : `. ${(0,markdown/* escapeText */.X1)((0,report/* volatileSentence */.yc)(volatile))}`;
    return [`- ${(0,markdown/* escapeText */.X1)(host)}: ${words.join('; ')}${gone}`];
}
function namesOf(names) {
    return names.map(name => `<code>${(0,markdown/* escapeText */.X1)(name)}</code>`).join(' ');
}

;// CONCATENATED MODULE: ./src/report/summary.ts













/** A step's summary is limited to 1 MiB (docs.github.com, "Workflow commands", step isolation and limits), less a reserve. */
const summaryLimit = 1024 * 1024 - 16 * 1024;
/** Failures that are listed above the table, at most. */
const listedFailures = 50;
/** The sections below the title, in their order. When the document is full, the later ones are left out. */
const sections = [
    error,
    dryRun,
    failureList,
    nextStepList,
    previewed_text/* previewedSection */.By,
    preview_markdown/* previewSection */._l,
    hostTable,
    secretSection,
    workSection,
    timelineSection,
    times,
    detailsList,
];
/** A comment shows the change, and links to the summary for how the run went. */
const leftOutOfComment = new Set([workSection, timelineSection]);
/**
 * A run as Markdown, for the job summary. Whatever a host, a target or a log contains is shown as text.
 *
 * @param limit maximum size in bytes.
 */
function summary(run, limit = summaryLimit) {
    return write(run, sections, limit, null, (0,verdict/* verdict */.W)(run).failures);
}
/**
 * The part of the summary that a comment shows.
 *
 * @param limit maximum size in bytes.
 * @param note Markdown below the title; null: none.
 * @param failures those of the run, unless it has only been reported by another one.
 */
function commentSummary(run, limit, note, failures = (0,verdict/* verdict */.W)(run).failures) {
    const shown = sections.filter(section => !leftOutOfComment.has(section));
    return write(run, shown, limit, note, failures);
}
function write(run, shown, limit, note, failures) {
    const document = new LimitedDocument(limit);
    title(document, run, failures);
    if (note !== null)
        document.add(note);
    for (const section of shown)
        section(document, run, failures);
    return document.text();
}
function title(document, run, failures) {
    const kinds = run.outcomes.map(({ outcome }) => outcome);
    const reached = kinds.length === 0
        ? [(0,preview_markdown/* previewTitle */.Vf)(run) ?? farthest(run)]
        : [...new Set(kinds)].map(kind => `${kinds.filter(each => each === kind).length} ${kind}`);
    const early = failures.filter(({ outcome, stage }) => outcome === null && stage !== 'preview').length;
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
    document.add(`**${(0,markdown/* escapeText */.X1)(run.error.message)}** ${(0,markdown/* escapeText */.X1)(run.error.cure ?? '')}`.trim());
}
function dryRun(document, run) {
    if (run.mode === 'dry-activate') {
        document.add('Nothing was changed. This is what a switch would do (`dry-activate`).');
    }
    for (const line of (0,preview_markdown/* comparisonLines */.pf)(run.previews))
        document.add(line);
}
function failureList(document, _run, failures) {
    const groups = (0,report_groups/* groupsOf */.c)(failures);
    const lines = groups.slice(0, listedFailures).map(({ hosts, failure }) => {
        return `- **${(0,report_groups/* namesOf */.e)(hosts.map(markdown/* escapeText */.X1))}** ${(0,verdict/* failureKind */.z)(failure)}: ${(0,markdown/* escapeText */.X1)(failure.why)}`;
    });
    const left = groups.slice(listedFailures).flatMap(({ hosts }) => hosts);
    if (left.length > 0)
        lines.push(`- … and ${(0,amounts/* count */.U9)(left.length, 'more host')}, see the table`);
    if (lines.length > 0)
        document.addLines(lines, rest => `- … and ${(0,amounts/* count */.U9)(rest, 'more failure')}`);
}
function nextStepList(document, run) {
    const lines = (0,next_steps/* nextSteps */.Z)(run).map(({ kind, next, command }) => {
        return `- ${kind}: ${next}${command === null ? '' : ` <code>${(0,markdown/* escapeText */.X1)(command)}</code>`}`;
    });
    if (lines.length > 0)
        document.add(['**Next steps**\n', ...lines].join('\n'));
}
function hostTable(document, run, failures) {
    const lines = hostTableLines(run, failures);
    if (lines.length === 0)
        return;
    // In a preview, the hosts are listed with their changes already.
    const what = run.archives.length > 0 ? 'Closures and archives' : 'Closures';
    if (run.previews.length > 0)
        document.add((0,markdown/* details */.zH)(what, [hostTableHead, ...lines].join('\n')));
    else
        document.addLines([hostTableHead, ...lines], left => `| … and ${(0,amounts/* count */.U9)(left, 'more host')} | | | | |`);
}
function times(document, run) {
    const stages = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${(0,amounts/* duration */.p0)(seconds)}`);
    if (stages.length > 0)
        document.add(`**Time**: ${stages.join(' · ')}`);
}
function detailsList(document, run, failures) {
    const logs = (0,report_groups/* groupsOf */.c)(failures)
        .filter(({ failure }) => failure.log !== '')
        .map(({ hosts, failure: { stage, log } }) => {
        return (0,markdown/* details */.zH)(`${(0,report_groups/* namesOf */.e)(hosts.map(markdown/* escapeText */.X1))}: log of ${stage}`, (0,markdown/* codeBlock */.DV)(log));
    });
    const units = run.outcomes.map(unit_changes/* unitDetails */.jg).filter(each => each !== null);
    document.addAll([...logs, ...units], left => `The details of ${(0,amounts/* count */.U9)(left, 'more host')} do not fit into the summary.`);
}


/***/ }),

/***/ 64386:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   AY: () => (/* binding */ unitLines),
/* harmony export */   jg: () => (/* binding */ unitDetails),
/* harmony export */   zY: () => (/* binding */ unitCounts)
/* harmony export */ });
/* harmony import */ var _deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(84535);
/* harmony import */ var _markdown_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(54285);


const verbs = ['stop', 'start', 'restart', 'reload'];
/** The numbers of units that change, in words: "restart 2, reload 1". */
function unitCounts({ outcome, units }) {
    const merged = mergeRestarts(units);
    const counted = verbs.filter(verb => merged[verb].length > 0).map(verb => `${verb} ${merged[verb].length}`);
    if (counted.length === 0)
        return 'no unit changes';
    return `${_deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__/* .outcomes */ .KI[outcome].hypothetical ? 'would ' : ''}${counted.join(', ')}`;
}
/** The units that change, by what happens to them. */
function unitLines({ outcome, units, }) {
    const merged = mergeRestarts(units);
    const words = _deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__/* .outcomes */ .KI[outcome].hypothetical ? would : did;
    return Object.keys(words)
        .filter(kind => merged[kind].length > 0)
        .map(kind => ({ words: words[kind], names: merged[kind] }));
}
/** A folded list of what changes; null when nothing does. */
function unitDetails(outcome) {
    const { host, mode, before, after, others } = outcome;
    const lines = [
        ...unitLines(outcome).map(({ words, names }) => `- ${words}: ${names.map(unit => `<code>${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .escapeText */ .X1)(unit)}</code>`).join(' ')}`),
        ...others.map(other => `- ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .escapeText */ .X1)(other)}`),
    ];
    if (lines.length === 0)
        return null;
    const systems = mode === 'dry-activate' || before === after ? [] : [`- ${path(before)} → ${path(after)}`];
    return (0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .details */ .zH)(`${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .escapeText */ .X1)(host)}: ${unitCounts(outcome)}`, [...lines, ...systems].join('\n'));
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
    return toplevel === null ? 'unknown' : `<code>${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .escapeText */ .X1)(toplevel)}</code>`;
}


/***/ }),

/***/ 90687:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   W: () => (/* binding */ verdict),
/* harmony export */   z: () => (/* binding */ failureKind)
/* harmony export */ });
/* harmony import */ var _deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(84535);
/* harmony import */ var _preview_preview_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(14156);


/** A run fails when a host could not be evaluated or built, when an outcome is a failure, or when an error ended the run. */
function verdict(run) {
    const failures = [
        ...(run.fleet?.failures ?? []).map(({ message, trace, ...where }) => ({
            ...{ stage: 'plan', outcome: null, why: message, log: trace },
            ...where,
        })),
        ...run.built.flatMap(buildFailure),
        ...run.previews.filter(_preview_preview_js__WEBPACK_IMPORTED_MODULE_1__/* .isFailedPreview */ .mw).map(previewFailure),
        ...run.outcomes.filter(_deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6).map(deployFailure),
    ];
    return { ok: run.error === null && failures.length === 0, failures };
}
const nowhere = { file: null, line: null, column: null };
function buildFailure(built) {
    if (built.ok)
        return [];
    const { message, log, place } = built.failure;
    return [{ host: built.host.name, stage: 'build', outcome: null, why: message, log, ...(place ?? nowhere) }];
}
function previewFailure({ host, message }) {
    return { host, stage: 'preview', outcome: null, why: message, log: '', ...nowhere };
}
function deployFailure({ host, outcome, message, log = '' }) {
    return { host, stage: 'deploy', outcome, why: message, log, ...nowhere };
}
const kinds = { plan: 'not evaluated', build: 'not built', preview: 'not compared' };
/** What is said in place of an outcome about a host that failed before the deployment. */
function failureKind({ outcome, stage }) {
    return outcome ?? kinds[stage] ?? 'failed';
}


/***/ }),

/***/ 94668:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  A: () => (/* binding */ stringWidth)
});

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


/***/ })

};
