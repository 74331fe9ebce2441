export const id = 661;
export const ids = [661];
export const modules = {

/***/ 86661:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   post: () => (/* binding */ post)
/* harmony export */ });
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(51455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(33838);
/* harmony import */ var _deploy_index_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(29208);
/* harmony import */ var _main_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(41730);
/* harmony import */ var _runner_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(45463);
/* harmony import */ var _setup_index_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(72228);






/** Removes what a step left behind, at the end of the job, whether it succeeded or not. Warns, and never fails the job. */
async function post(environment) {
    const scratch = _actions_core__WEBPACK_IMPORTED_MODULE_1__.getState(_main_js__WEBPACK_IMPORTED_MODULE_3__/* .scratchState */ .o);
    const { context } = (0,_runner_js__WEBPACK_IMPORTED_MODULE_4__.openContext)(_actions_core__WEBPACK_IMPORTED_MODULE_1__, scratch, environment);
    if (scratch !== '')
        await (0,_deploy_index_js__WEBPACK_IMPORTED_MODULE_2__/* .endLeftSession */ .Bu)(scratch, context.exec);
    await (0,_setup_index_js__WEBPACK_IMPORTED_MODULE_5__/* .teardown */ .zN)(_actions_core__WEBPACK_IMPORTED_MODULE_1__.getState(_setup_index_js__WEBPACK_IMPORTED_MODULE_5__/* .stateKey */ .bP), context);
    if (scratch !== '')
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.rm)(scratch, { recursive: true, force: true });
}


/***/ })

};
