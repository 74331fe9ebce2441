export const id = 890;
export const ids = [890];
export const modules = {

/***/ 24890:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  commentForFork: () => (/* binding */ commentForFork)
});

// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/event.ts
var src_event = __webpack_require__(80807);
// EXTERNAL MODULE: ./src/github.ts
var src_github = __webpack_require__(69248);
// EXTERNAL MODULE: ./src/report/comment.ts
var comment = __webpack_require__(54231);
// EXTERNAL MODULE: ./src/report/comment-text.ts
var comment_text = __webpack_require__(96531);
// EXTERNAL MODULE: ./src/report/preview-data.ts + 1 modules
var preview_data = __webpack_require__(57677);
// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(38522);
;// CONCATENATED MODULE: ./src/report/zip-entry.ts

/** Bytes of the record that ends a ZIP, without its comment of at most 64 KiB. */
const endBytes = 22;
const signatures = { end: 0x06054b50, central: 0x02014b50, local: 0x04034b50 };
/**
 * The content of one file of a ZIP that anybody may have made. Nothing is written to a disk.
 *
 * Source: PKWARE, APPNOTE.TXT 4.3. ZIP64 and encryption are not supported, which artifacts of this size do not need.
 *
 * @param limit bytes that the content may have when it is decompressed.
 * @throws Error if it is no such ZIP, has no such file, or if the file is larger.
 */
function zipEntry(zip, name, limit) {
    try {
        const found = entries(zip).find(entry => entry.name === name);
        if (found === undefined)
            throw new Error(`it has no file ${name}`);
        const { method, start, size } = found;
        if (zip.readUInt32LE(start) !== signatures.local)
            throw new Error('its directory is wrong');
        const from = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
        if (from + size > zip.length)
            throw new Error('it is cut off');
        const content = zip.subarray(from, from + size);
        if (method === 8)
            return (0,external_node_zlib_.inflateRawSync)(content, { maxOutputLength: limit });
        if (method === 0 && content.length <= limit)
            return content;
        throw new Error(method === 0 ? `${name} is larger than ${limit} bytes` : `its compression ${method} is not known`);
    }
    catch (error) {
        const tooLarge = error.code === 'ERR_BUFFER_TOO_LARGE';
        const why = tooLarge ? `${name} is larger than ${limit} bytes` : error.message;
        throw new Error(`The ZIP cannot be read: ${why}.`, { cause: error });
    }
}
/** The entries of the central directory: a local header may leave out sizes. */
function entries(zip) {
    let end = zip.length - endBytes;
    const first = Math.max(0, end - 0xffff);
    while (end >= first && zip.readUInt32LE(end) !== signatures.end)
        end -= 1;
    if (end < first)
        throw new Error('it is no ZIP');
    const count = zip.readUInt16LE(end + 10);
    let at = zip.readUInt32LE(end + 16);
    return Array.from({ length: count }, () => {
        if (zip.readUInt32LE(at) !== signatures.central)
            throw new Error('its directory is wrong');
        const [nameBytes, extra, comment] = [28, 30, 32].map(offset => zip.readUInt16LE(at + offset));
        const entry = {
            name: zip.toString('utf8', at + 46, at + 46 + nameBytes),
            method: zip.readUInt16LE(at + 10),
            size: zip.readUInt32LE(at + 20),
            start: zip.readUInt32LE(at + 42),
        };
        at += 46 + nameBytes + extra + comment;
        return entry;
    });
}

;// CONCATENATED MODULE: ./src/fork-comment.ts







/** The most that an artifact and its only file may have, in bytes. */
const largest = { artifact: 10 * 1024 * 1024, file: 64 * 1024 * 1024 };
/**
 * Writes the comment of a pull request whose run has no token for it, after this run has ended: from the artifact that the run saved,
 * which is checked and rendered here. Nothing of the pull request is run.
 *
 * The code of a fork decides what the artifact has. So it is read within limits, only known values are taken from it, all text
 * is escaped, and the pull request is the one of the run's own head, from GitHub and not from the artifact.
 *
 * @param event the payload of the event `workflow_run`.
 * @throws UserError if the event is another one; Error if the artifact is not acceptable, or says what GitHub answered.
 */
async function commentForFork(event, place) {
    const run = endedRun(event);
    const { log, repository } = place;
    if (run === null)
        return log.info('The run was not for a pull request: nothing to do.');
    const github = await (0,src_github/* openGitHub */.o)(place);
    try {
        const artifact = await newestPreview(run, repository, github);
        if (artifact === null)
            return log.notice(`Run ${run.id} saved no preview.`);
        const pulls = await pullsOf(run, repository, github);
        if (pulls.length === 0) {
            return log.notice(`No open pull request has ${run.commit} as its head: it was closed, or has a newer commit.`);
        }
        const data = await readArtifact(artifact, repository, github);
        const number = checked(data, run, pulls);
        const text = (0,comment_text/* forkCommentText */.J)(data, {
            ...{ commit: run.commit, run: run.address, data: `${run.address}/artifacts/${artifact}` },
        });
        await (0,comment/* keepComment */.Xz)(text, { ...place, number, key: 'fork' });
        log.info(`The comment of #${number} describes ${run.commit}.`);
    }
    catch (error) {
        throw (0,comment/* explainAnswer */.iJ)(error);
    }
}
/** @returns null if the run was not for a pull request. */
function endedRun({ workflow_run }) {
    const run = workflow_run;
    const { head_repository: head } = (workflow_run ?? {});
    if (typeof run?.id !== 'number') {
        throw new errors/* UserError */.yo('There is no ended run: this step is for the event `workflow_run`.', {
            cure: 'Copy examples/workflows/fork-comment.yml.',
        });
    }
    if (run.event !== 'pull_request' || !(0,src_event/* isCommit */.WM)(run.head_sha))
        return null;
    return {
        id: run.id,
        address: String(run.html_url),
        commit: run.head_sha,
        branch: String(run.head_branch),
        repository: String(head?.full_name),
    };
}
/** The id of the newest preview among the run's artifacts; null if it has none. @throws Error if it is too large */
async function newestPreview({ id }, repository, github) {
    const which = { ...(0,src_github/* ownerAndRepo */.H)(repository), run_id: id, per_page: 100 };
    const { data } = await github.rest.actions.listWorkflowRunArtifacts(which);
    const previews = data.artifacts.filter(({ name, expired }) => name.startsWith(preview_data/* previewArtifact */.nn) && !expired);
    const newest = previews.sort((a, b) => b.id - a.id)[0];
    if (newest === undefined)
        return null;
    if (newest.size_in_bytes > largest.artifact)
        throw tooLarge();
    return newest.id;
}
function tooLarge() {
    return new Error(`The artifact of the preview has more than ${largest.artifact} bytes, so no comment is made from it.`);
}
/** The numbers of the open pull requests to this repository whose head is the run's. */
async function pullsOf({ branch, commit, repository: from }, to, github) {
    const head = `${(0,src_github/* ownerAndRepo */.H)(from).owner}:${branch}`;
    const { data } = await github.rest.pulls.list({ ...(0,src_github/* ownerAndRepo */.H)(to), state: 'open', head, per_page: 100 });
    return data
        .filter(pull => pull.head.sha === commit && pull.head.repo?.full_name === from && pull.head.ref === branch)
        .map(({ number }) => number);
}
async function readArtifact(id, repository, github) {
    const which = { ...(0,src_github/* ownerAndRepo */.H)(repository), artifact_id: id, archive_format: 'zip' };
    const { data } = await github.rest.actions.downloadArtifact(which);
    const zip = Buffer.from(data);
    if (zip.length > largest.artifact)
        throw tooLarge();
    const text = zipEntry(zip, preview_data/* previewFile */.RO, largest.file).toString();
    try {
        return (0,preview_data/* readPreviewData */.zw)(JSON.parse(text));
    }
    catch (error) {
        throw new Error(`${preview_data/* previewFile */.RO} of the artifact is no preview: ${error.message}.`, { cause: error });
    }
}
/** The pull request that the artifact is about, which must be one of the run's own head. */
function checked({ pull, commit }, run, pulls) {
    if (commit !== run.commit)
        throw new Error('The artifact describes another commit than its run.');
    if (pull === null || !pulls.includes(pull)) {
        throw new Error(`The artifact is for another pull request than those of its run: ${pulls.map(each => `#${each}`)}.`);
    }
    return pull;
}


/***/ }),

/***/ 57677:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  nn: () => (/* binding */ previewArtifact),
  H6: () => (/* binding */ previewData),
  RO: () => (/* binding */ previewFile),
  zw: () => (/* binding */ readPreviewData)
});

// EXTERNAL MODULE: ./src/deploy/booted.ts
var booted = __webpack_require__(86438);
// EXTERNAL MODULE: ./src/deploy/outcome.ts
var outcome = __webpack_require__(84535);
// EXTERNAL MODULE: ./src/preview/preview.ts
var preview = __webpack_require__(14156);
;// CONCATENATED MODULE: ./src/report/shape.ts
/** Why a value does not have the shape that was expected. */
class ShapeError extends Error {
    name = 'ShapeError';
}
function wrong(place, expected) {
    return new ShapeError(`${place === '' ? 'it' : place} is not ${expected}`);
}
/** @param longest characters. */
function textOf(longest) {
    return (value, place) => {
        if (typeof value === 'string' && value.length <= longest)
            return value;
        throw wrong(place, `a text of at most ${longest} characters`);
    };
}
/** A text that matches from its beginning to its end. */
function matching(form, expected) {
    return (value, place) => {
        if (typeof value === 'string' && form.test(value))
            return value;
        throw wrong(place, expected);
    };
}
const number = (value, place) => {
    if (typeof value === 'number' && Number.isSafeInteger(value))
        return value;
    throw wrong(place, 'a whole number');
};
const truth = (value, place) => {
    if (typeof value === 'boolean')
        return value;
    throw wrong(place, 'true or false');
};
function orNull(shape) {
    return (value, place) => (value === null ? null : shape(value, place));
}
function one(...accepted) {
    return (value, place) => {
        const found = accepted.find(each => each === value);
        if (found !== undefined)
            return found;
        throw wrong(place, `one of ${accepted.join(', ')}`);
    };
}
/** @param most entries. */
function listOf(shape, most) {
    return (value, place) => {
        if (!Array.isArray(value) || value.length > most)
            throw wrong(place, `a list of at most ${most} entries`);
        return value.map((each, index) => shape(each, `${place}[${index}]`));
    };
}
/** An object with exactly these properties; others are left out. */
function objectOf(shapes) {
    return (value, place) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
            throw wrong(place, 'an object');
        const given = value;
        const names = Object.keys(shapes);
        const read = names.map(name => {
            const found = Object.hasOwn(given, name) ? given[name] : undefined;
            return [name, shapes[name](found, place === '' ? name : `${place}.${name}`)];
        });
        return Object.fromEntries(read);
    };
}

// EXTERNAL MODULE: ./src/report/verdict.ts
var verdict = __webpack_require__(90687);
;// CONCATENATED MODULE: ./src/report/preview-data.ts





/** The name of an artifact with `preview.json` begins with this; the job's id follows. */
const previewArtifact = 'nix-ferry-preview-';
/** The only file of the artifact. */
const previewFile = 'preview.json';
function previewData(run, { pull, commit }) {
    const error = run.error === null ? null : { message: run.error.message, cure: run.error.cure };
    return { version: 1, pull, commit, previews: run.previews, failures: (0,verdict/* verdict */.W)(run).failures, error };
}
const preview_data_name = textOf(1_000);
const sentence = textOf(20_000);
const names = listOf(preview_data_name, 100_000);
const system = matching(/^\/nix\/store\/[\w.+?=-]{1,300}$/, 'a store path');
const entry = objectOf({ name: preview_data_name, versions: listOf(preview_data_name, 1_000), bytes: number });
const preview_data_packages = objectOf({
    added: listOf(entry, 100_000),
    removed: listOf(entry, 100_000),
    updated: listOf(objectOf({ name: preview_data_name, from: listOf(preview_data_name, 1_000), to: listOf(preview_data_name, 1_000), bytes: number }), 100_000),
    rebuilt: objectOf({ names, bytes: number }),
    others: objectOf({ added: number, removed: number, bytes: number }),
    bytes: objectOf({ before: number, after: number }),
});
const units = objectOf({
    ...{ stop: names, start: names, restart: names, reload: names, kept: names, fresh: names, swapOff: names },
    ...{ restartsSystemd: truth, statesKnown: truth, unknown: listOf(sentence, 100), error: orNull(sentence) },
});
const nameChange = orNull(objectOf({ added: names, removed: names }));
const change = objectOf({
    before: system,
    after: system,
    units,
    packages: orNull(preview_data_packages),
    reboot: listOf(objectOf({
        part: one(...Object.values(booted/* bootedParts */.oQ), 'switch inhibitor'),
        text: sentence,
        pending: truth,
    }), 100),
    firewall: objectOf({ opened: names, closed: names, turned: orNull(one('on', 'off')) }),
    users: nameChange,
    groups: nameChange,
    etc: listOf(objectOf({
        name: preview_data_name,
        kind: one('added', 'removed', 'changed'),
        rebuilt: truth,
        diff: orNull(textOf(200_000)),
    }), 100_000),
    secrets: orNull(objectOf({ added: names, removed: names, changed: names, unknown: names })),
});
const fromTarget = objectOf({
    host: preview_data_name,
    known: one(true),
    comparedWith: one('target'),
    change,
    machine: objectOf({ kernel: preview_data_name, bootId: preview_data_name, profile: orNull(preview_data_name), boot: orNull(preview_data_name) }),
});
const commit = matching(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'a commit');
const fromBase = objectOf({
    host: preview_data_name,
    known: one(true),
    comparedWith: one('base'),
    base: commit,
    change,
    instead: orNull(sentence),
});
const unknown = objectOf({ host: preview_data_name, known: one(false), why: one(...preview/* reasonsUnknown */.MX), message: sentence });
const preview_data_preview = (value, place) => {
    const { known, comparedWith } = (value ?? {});
    if (known !== true)
        return unknown(value, place);
    return comparedWith === 'base' ? fromBase(value, place) : fromTarget(value, place);
};
const stages = ['setup', 'plan', 'build', 'archive', 'preview', 'deploy', 'report'];
const failure = objectOf({
    host: preview_data_name,
    stage: one(...stages),
    outcome: orNull(one(...Object.keys(outcome/* outcomes */.KI))),
    why: sentence,
    file: orNull(preview_data_name),
    line: orNull(number),
    column: orNull(number),
    log: textOf(100_000),
});
const data = objectOf({
    version: one(1),
    pull: orNull(number),
    commit: orNull(commit),
    previews: listOf(preview_data_preview, 10_000),
    failures: listOf(failure, 10_000),
    error: orNull(objectOf({ message: sentence, cure: orNull(sentence) })),
});
/**
 * Reads the content of `preview.json`, which anybody may have written.
 *
 * @throws ShapeError if it is not the result of a preview.
 */
function readPreviewData(value) {
    return data(value, '');
}


/***/ })

};
