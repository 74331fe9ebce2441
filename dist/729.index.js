export const id = 729;
export const ids = [729];
export const modules = {

/***/ 7729:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   outputsOf: () => (/* binding */ outputsOf)
/* harmony export */ });
/* harmony import */ var _deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(84535);

/** GitHub's hosted runner that runs programs of a system natively; other systems are emulated on the first one. */
const runners = { 'x86_64-linux': 'ubuntu-24.04', 'aarch64-linux': 'ubuntu-24.04-arm' };
/** The outputs of a run, as `action.yml` describes them. */
function outputsOf(run) {
    const hosts = run.fleet?.hosts ?? [];
    return {
        hosts: JSON.stringify(hosts.map(({ name }) => name)),
        matrix: JSON.stringify({
            include: hosts.map(({ name, system }) => ({ host: name, system, runner: runners[system] ?? 'ubuntu-24.04' })),
        }),
        archives: JSON.stringify(run.archives.map(({ host, toplevel, bytes, digest, artifact }) => ({
            host,
            artifact: artifact?.name ?? null,
            id: artifact?.id ?? null,
            run: artifact?.run ?? null,
            digest,
            toplevel,
            bytes,
        }))),
        // Without the logs, because all outputs of a job share 1 MB.
        outcomes: JSON.stringify(Object.fromEntries(run.outcomes.map(({ log: _, ...each }) => [each.host, each]))),
        changed: String(run.outcomes.some(_deploy_outcome_js__WEBPACK_IMPORTED_MODULE_0__/* .changesMachine */ .PG)),
    };
}


/***/ })

};
