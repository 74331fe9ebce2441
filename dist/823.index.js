export const id = 823;
export const ids = [823];
export const modules = {

/***/ 24823:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  outputsOf: () => (/* binding */ outputsOf)
});

// EXTERNAL MODULE: ./src/deploy/outcome.ts
var outcome = __webpack_require__(84535);
// EXTERNAL MODULE: ./src/preview/preview.ts
var preview = __webpack_require__(14156);
// EXTERNAL MODULE: ./src/preview/index.ts + 4 modules
var src_preview = __webpack_require__(58287);
;// CONCATENATED MODULE: ./src/report/preview-json.ts

/**
 * What each host would change, as JSON for the output `changes`: host → what is known of it. `changed` is null if nothing is
 * known. The contents of files of /etc and the names of rebuilt packages are left out.
 *
 * @param limit bytes. If the result is larger, lists of units, packages and files are left out, and `complete` is false.
 */
function changesJson(previews, limit) {
    const whole = JSON.stringify(Object.fromEntries(previews.map(each => [each.host, entryOf(each, true)])));
    if (Buffer.byteLength(whole) <= limit)
        return whole;
    return JSON.stringify(Object.fromEntries(previews.map(each => [each.host, entryOf(each, false)])));
}
function entryOf(preview, complete) {
    if (!preview.known) {
        return { changed: (0,src_preview/* wouldChange */.ev)(preview), why: preview.why, message: preview.message };
    }
    const { change, comparedWith } = preview;
    const { before, after } = change;
    const reboot = change.reboot.map(({ text }) => text);
    return {
        changed: (0,src_preview/* wouldChange */.ev)(preview),
        complete,
        comparedWith,
        before,
        after,
        reboot,
        ...(complete ? lists(change) : {}),
    };
}
function lists({ units, packages, firewall, users, groups, etc, secrets }) {
    return {
        units,
        packages: packages === null ? null : { ...packages, rebuilt: packages.rebuilt.names.length },
        ...{ firewall, users, groups, secrets },
        etc: etc.filter(({ rebuilt }) => !rebuilt).map(({ name, kind }) => ({ name, kind })),
    };
}

;// CONCATENATED MODULE: ./src/outputs.ts



/** GitHub's hosted runner that runs programs of a system natively; other systems are emulated on the first one. */
const runners = { 'x86_64-linux': 'ubuntu-24.04', 'aarch64-linux': 'ubuntu-24.04-arm' };
/**
 * Bytes of the output `changes`, at most: all outputs of a job share 1 MB, and a step that gets it in an environment variable
 * can have 128 KiB there (Linux, MAX_ARG_STRLEN).
 */
const changesLimit = 100_000;
/** The outputs of a run, as `action.yml` describes them. */
function outputsOf(run) {
    const hosts = run.fleet?.hosts ?? [];
    const known = run.previews.filter(preview => preview.known);
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
        changed: String(run.outcomes.some(outcome/* changesMachine */.PG) || run.previews.some(each => (0,preview/* wouldChange */.ev)(each) === true)),
        changes: changesJson(run.previews, changesLimit),
        reboot: JSON.stringify(known.filter(({ change }) => change.reboot.length > 0).map(({ host }) => host)),
    };
}


/***/ })

};
