export const id = 622;
export const ids = [622];
export const modules = {

/***/ 45622:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   publishPreview: () => (/* binding */ publishPreview)
/* harmony export */ });
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(51455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);
/* harmony import */ var _report_preview_data_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(57677);




/**
 * Uploads the complete result of a preview as an artifact of the run. If that fails, it is a warning.
 *
 * @param job the id of the run's job, which distinguishes the artifacts of its previews.
 * @returns null if the run is no preview, or if there is no artifact.
 */
async function publishPreview(run, subject, job, artifacts, { scratch, log }) {
    // Also if no host got that far: the comment for a fork is made from this.
    if (run.mode !== 'preview' || artifacts === null)
        return null;
    try {
        const directory = await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.mkdtemp)((0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(scratch, 'preview-'));
        const file = (0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(directory, _report_preview_data_js__WEBPACK_IMPORTED_MODULE_3__/* .previewFile */ .RO);
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.writeFile)(file, JSON.stringify((0,_report_preview_data_js__WEBPACK_IMPORTED_MODULE_3__/* .previewData */ .H6)(run, subject)));
        return await artifacts.upload(`${_report_preview_data_js__WEBPACK_IMPORTED_MODULE_3__/* .previewArtifact */ .nn}${job}`, directory, [file], 6);
    }
    catch (error) {
        log.warning(`The result of the preview could not be uploaded as an artifact: ${(0,_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .explain */ .WE)(error)}`);
        return null;
    }
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


/***/ })

};
