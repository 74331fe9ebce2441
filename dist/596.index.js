export const id = 596;
export const ids = [596];
export const modules = {

/***/ 73190:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ withStallLimit),
/* harmony export */   m: () => (/* binding */ exec)
/* harmony export */ });
/* harmony import */ var node_child_process__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(31421);
/* harmony import */ var node_child_process__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_child_process__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);
/**
 * Our own way to run programs. @actions/exec, which `Context.query` uses in the action (src/runner.ts), does not give its
 * caller the child process: it cannot cancel it, stop it after a time or write a promise to its input, it drops a last line
 * without a newline from line listeners, and it does not report signals.
 */



const keptStderr = 64 * 1024;
const graceMilliseconds = 5_000;
/** Characters after which a line is cut. Lines of Nix's log hold what a host's evaluation answered: some 100 KB. */
const longestLine = 16 * 1024 * 1024;
/** Milliseconds without output after which the pipes of a child that has exited are closed, and the limit in any case. */
const afterExit = { quiet: 1_000, limit: 10_000 };
/**
 * Runs a program, without a shell.
 *
 * Lines longer than 16 Mi characters are cut. A process that the child leaves behind may keep its pipes open: they are
 * read until nothing has arrived for one second after the child exited, for ten seconds at most.
 *
 * @throws CommandError when it exits with a code not in `allow`, is ended, or cannot be started.
 */
const exec = (command, args, options = {}) => new Promise((resolve, reject) => {
    const argv = [command, ...args];
    if (options.signal?.aborted) {
        reject(new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .CommandError */ .Qd(argv, { kind: 'cancelled' }, ''));
        return;
    }
    const child = start(command, args, options);
    const output = collect(child, options);
    const ending = endWhenAsked(child, options);
    if (options.stall)
        endWhenSilent(child, options.stall, ending.end);
    const fail = (failure) => reject(new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .CommandError */ .Qd(argv, failure, output.stderr().slice(-_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .stderrLimit */ .c3)));
    feed(child, options.input);
    // Also emitted if the child may not be ended because it runs as root (sudo); it is then left to itself.
    child.on('error', error => {
        ending.clear();
        fail(ending.cause() ?? notStarted(error, options.cwd));
    });
    child.once('exit', () => closeWhenQuiet(child));
    child.once('close', (code, signal) => {
        ending.clear();
        output.flush();
        if (code !== null && (options.allow ?? [0]).includes(code)) {
            resolve({ code, stdout: output.stdout(), stderr: output.stderr() });
        }
        else
            fail(ending.cause() ?? (code === null ? { kind: 'signal', signal: String(signal) } : { kind: 'exit', code }));
    });
});
/** @throws CommandError for what `spawn` itself refuses, such as arguments that are too long. */
function start(command, args, { cwd, env, input }) {
    try {
        return (0,node_child_process__WEBPACK_IMPORTED_MODULE_0__.spawn)(command, args, {
            cwd,
            env: env,
            stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        });
    }
    catch (error) {
        if (error.syscall === undefined)
            throw error;
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .CommandError */ .Qd([command, ...args], notStarted(error, cwd), '');
    }
}
function notStarted({ code, message }, cwd) {
    // `spawn` reports ENOENT for a missing directory too.
    if (cwd !== undefined && !(0,node_fs__WEBPACK_IMPORTED_MODULE_1__.existsSync)(cwd)) {
        return { kind: 'not-started', reason: `the directory ${cwd} does not exist` };
    }
    if (code === 'ENOENT')
        return { kind: 'missing' };
    if (code === 'EACCES' || code === 'EPERM')
        return { kind: 'not-permitted' };
    return { kind: 'not-started', reason: code ?? message };
}
function feed(child, input) {
    // A child that exits before it has read its input is judged by its exit code, not by the broken pipe.
    child.stdin?.on('error', () => undefined);
    if (input instanceof Promise) {
        input.then(text => child.stdin?.end(text), () => child.stdin?.end());
    }
    else
        child.stdin?.end(input);
}
/** Calls `end` if the child prints nothing for this many milliseconds. */
function endWhenSilent(child, milliseconds, end) {
    const timer = setTimeout(() => end({ kind: 'stalled', milliseconds }), milliseconds);
    for (const stream of [child.stdout, child.stderr])
        stream?.on('data', () => void timer.refresh());
    const clear = () => clearTimeout(timer);
    child.once('exit', clear).once('error', clear);
}
/** Ends the child at its time limit or when the run is cancelled; `cause` is why it was ended, null if it was not. */
function endWhenAsked(child, { timeout, signal }) {
    let cause = null;
    const end = (failure) => {
        cause ??= failure;
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), graceMilliseconds).unref();
    };
    const cancel = () => end({ kind: 'cancelled' });
    const timer = timeout === undefined ? undefined : setTimeout(() => end({ kind: 'timeout', milliseconds: timeout }), timeout);
    signal?.addEventListener('abort', cancel, { once: true });
    return {
        cause: () => cause,
        end,
        clear() {
            clearTimeout(timer);
            signal?.removeEventListener('abort', cancel);
        },
    };
}
/** Runs programs as `run` does; those that have no time limit of their own end after `milliseconds` without output. */
function withStallLimit(run, milliseconds) {
    return (command, args, options = {}) => run(command, args, options.timeout === undefined ? { stall: milliseconds, ...options } : options);
}
/** Gathers what the child prints. `flush` hands on the last line, if no newline ended it. */
function collect(child, { onStdout, onStdoutChunk, onStderr }) {
    const chunks = [];
    let stderr = '';
    const errors = readLines(child.stderr, line => {
        stderr += `${line}\n`;
        // Not for each line, because it copies the text.
        if (stderr.length > 4 * keptStderr)
            stderr = stderr.slice(-keptStderr);
        onStderr?.(line);
    });
    const lines = onStdout === undefined ? null : readLines(child.stdout, onStdout);
    if (lines === null)
        child.stdout?.on('data', onStdoutChunk ?? ((chunk) => chunks.push(chunk)));
    return {
        stdout: () => Buffer.concat(chunks).toString(),
        stderr: () => stderr.slice(-keptStderr),
        flush() {
            lines?.flush();
            errors.flush();
        },
    };
}
function readLines(stream, each) {
    // Joined only when the line is complete: appending to one string takes time quadratic in the length of a line.
    let parts = [];
    let length = 0;
    const add = (text) => {
        const part = text.slice(0, longestLine - length);
        if (part !== '')
            parts.push(part);
        length += part.length;
    };
    const complete = () => {
        const line = parts.join('');
        parts = [];
        length = 0;
        each(line);
    };
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk) => {
        const [first = '', ...others] = chunk.split('\n');
        add(first);
        for (const text of others) {
            complete();
            add(text);
        }
    });
    return { flush: () => (length > 0 ? complete() : undefined) };
}
/** Closes the pipes of a child that has exited once they are quiet; see `exec`. */
function closeWhenQuiet(child) {
    const streams = [child.stdout, child.stderr];
    const close = () => streams.forEach(stream => void stream?.destroy());
    let read = false;
    const heard = () => {
        read = true;
    };
    for (const stream of streams)
        stream?.on('data', heard);
    const look = () => {
        // Output that has already arrived is read first, even if this thread was busy for a while.
        setImmediate(() => {
            if (!read)
                return close();
            read = false;
            quiet.refresh();
        });
    };
    const quiet = setTimeout(look, afterExit.quiet);
    const limit = setTimeout(close, afterExit.limit);
    child.once('close', () => {
        clearTimeout(quiet);
        clearTimeout(limit);
    });
}


/***/ }),

/***/ 54343:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Ay: () => (/* binding */ queryLimit),
/* harmony export */   Q4: () => (/* binding */ explainStall),
/* harmony export */   RN: () => (/* binding */ inTime),
/* harmony export */   ux: () => (/* binding */ within)
/* harmony export */ });
/* harmony import */ var _amounts_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(94078);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);


/** Milliseconds for a short command that answers a question (`Query`): a file system may hang, and so may a lock of Git. */
const queryLimit = 120_000;
/**
 * Does `work` with a context whose signal is aborted after `seconds`; 0: no limit.
 *
 * @param input the input that sets the limit.
 * @throws UserError if the time is over before `work` has ended.
 */
async function inTime(context, input, seconds, work) {
    if (seconds === 0)
        return work(context);
    const time = AbortSignal.timeout(seconds * 1000);
    try {
        return await work({ ...context, signal: AbortSignal.any([context.signal, time]) });
    }
    catch (error) {
        if (!time.aborted || context.signal.aborted)
            throw error;
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`It took longer than \`${input}\`, ${(0,_amounts_js__WEBPACK_IMPORTED_MODULE_1__/* .duration */ .p0)(seconds)}.`, {
            cure: `Raise \`${input}\`, or select fewer hosts with \`hosts\`.`,
            cause: error,
        });
    }
}
/** For a command that took too long: the error says in which stage, and which input to raise or where to look. */
function explainStall(error, stage) {
    if (!(error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd))
        return error;
    const { kind } = error.failure;
    if (kind !== 'stalled' && kind !== 'timeout')
        return error;
    const cures = {
        stalled: 'If it is only slow, raise `stall-timeout`.',
        timeout: 'Check that the disks and services that it uses answer, then run again.',
    };
    return new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`Stage ${stage}: ${error.message}.`, { cure: cures[kind], cause: error });
}
/**
 * The result of `request`, if it comes within so many seconds and before `signal` is aborted: the clients of GitHub's services
 * retry for 15 minutes and cannot be stopped.
 */
function within(seconds, request, signal) {
    return new Promise((resolve, reject) => {
        const giveUp = () => {
            end();
            reject(new Error(`the service did not answer within ${seconds} s.`));
        };
        const timer = setTimeout(giveUp, seconds * 1000);
        const end = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', giveUp);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        request.then(resolve, reject).finally(end);
    });
}


/***/ })

};
