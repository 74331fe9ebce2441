export const id = 264;
export const ids = [264];
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

/***/ 58903:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   EI: () => (/* binding */ reportOf),
/* harmony export */   MC: () => (/* binding */ numbersIn),
/* harmony export */   yc: () => (/* binding */ volatileSentence),
/* harmony export */   zd: () => (/* binding */ secretSentences)
/* harmony export */ });
/** The report of what the target has done, by the numbers that it answered. */
function reportOf(secrets, changed, volatile) {
    const named = (wanted) => secrets.flatMap(({ secret }, index) => (wanted(index + 1) ? [secret.name] : []));
    return {
        changed: named(number => changed.includes(number)),
        unchanged: named(number => !changed.includes(number)),
        volatile: named(number => volatile.includes(number)),
        unknown: [],
    };
}
/** The numbers in an answer of the target, separated by spaces. */
function numbersIn(answer) {
    return (answer ?? '').split(' ').filter(Boolean).map(Number);
}
/** What a report says that a message needs, as sentences that begin with a space; empty if nothing. */
function secretSentences({ changed, volatile }, mode) {
    const dry = mode === 'dry-activate';
    const sent = changed.length === 0 ? '' : ` ${dry ? 'Secrets that would be sent' : 'Secrets sent'}: ${changed.join(', ')}.`;
    return `${sent}${dry || volatile.length === 0 ? '' : ` ${volatileSentence(volatile)}`}`;
}
/** What to do after a reboot. */
function volatileSentence(volatile) {
    return `A reboot removes these secrets, and \`ferry secrets\` sends them again: ${volatile.join(', ')}.`;
}


/***/ }),

/***/ 1127:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Dy: () => (/* binding */ webAddress),
/* harmony export */   IX: () => (/* binding */ isLocal),
/* harmony export */   je: () => (/* binding */ targetName)
/* harmony export */ });
/** Whether the target is the machine that the deployment runs on. */
function isLocal({ address }) {
    return address === 'local';
}
/** Where HTTP checks go that have no host of their own. */
function webAddress(target) {
    return isLocal(target) ? 'localhost' : target.address;
}
/** The target as people write it: `user@address:port`. */
function targetName(target) {
    if (isLocal(target))
        return target.address;
    const { address, port, user } = target;
    if (port === null)
        return `${user}@${address}`;
    return `${user}@${address.includes(':') ? `[${address}]` : address}:${port}`;
}


/***/ })

};
