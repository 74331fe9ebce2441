export const id = 733;
export const ids = [733];
export const modules = {

/***/ 97733:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   comment: () => (/* binding */ comment)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);
/* harmony import */ var _event_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(80807);
/* harmony import */ var _inputs_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(44452);
/* harmony import */ var _step_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(84353);




/**
 * The program of the step that comments on the pull request of a fork: reads the input and the event, and sets the exit code.
 *
 * @param given the environment with the inputs.
 * @param env without them.
 */
async function comment(given, env) {
    const core = await Promise.all(/* import() */[__webpack_require__.e(119), __webpack_require__.e(942), __webpack_require__.e(838), __webpack_require__.e(955)]).then(__webpack_require__.bind(__webpack_require__, 33838));
    try {
        const { report } = (0,_inputs_js__WEBPACK_IMPORTED_MODULE_2__/* .readInputs */ .Ko)((0,_inputs_js__WEBPACK_IMPORTED_MODULE_2__/* .inputsOfRunner */ .PE)(given), name => `input '${name}'`, _step_js__WEBPACK_IMPORTED_MODULE_3__/* .inputsOfComment */ .ib);
        const token = report.githubToken;
        if (token === null) {
            throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo('The comment needs `github-token`.', {
                where: { input: 'github-token' },
                // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's, for the user to write
                cure: 'Write `github-token: ${{ github.token }}` and give the job `actions: read` and `pull-requests: write`.',
            });
        }
        const { commentForFork } = await Promise.all(/* import() */[__webpack_require__.e(156), __webpack_require__.e(287), __webpack_require__.e(531), __webpack_require__.e(890)]).then(__webpack_require__.bind(__webpack_require__, 24890));
        await commentForFork((0,_event_js__WEBPACK_IMPORTED_MODULE_1__/* .eventOf */ .A6)(env), {
            api: env.GITHUB_API_URL ?? 'https://api.github.com',
            repository: env.GITHUB_REPOSITORY ?? '',
            token,
            log: { info: core.info, notice: core.notice },
        });
    }
    catch (error) {
        core.setFailed((0,_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .explain */ .WE)(error));
    }
}


/***/ }),

/***/ 80807:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   A6: () => (/* binding */ eventOf),
/* harmony export */   WM: () => (/* binding */ isCommit),
/* harmony export */   _n: () => (/* binding */ pullRequestOf)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);

/**
 * The payload of the event that started this run; empty if there is none. Its form is that of GitHub's webhooks
 * (docs.github.com, "Webhook events and payloads").
 */
function eventOf({ GITHUB_EVENT_PATH }) {
    if (GITHUB_EVENT_PATH === undefined)
        return {};
    try {
        const payload = JSON.parse((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(GITHUB_EVENT_PATH, 'utf8'));
        return typeof payload === 'object' && payload !== null ? payload : {};
    }
    catch {
        return {};
    }
}
/** The pull request of an event; null if the event is another one. */
function pullRequestOf(event) {
    const pull = event.pull_request;
    if (typeof pull?.number !== 'number')
        return null;
    return { number: pull.number, head: commitOf(pull.head?.sha), base: commitOf(pull.base?.sha) };
}
function commitOf(hash) {
    return isCommit(hash) ? hash : null;
}
/** Whether a value is the whole hash of a commit, SHA-1 or SHA-256. */
function isCommit(hash) {
    return typeof hash === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash);
}


/***/ })

};
