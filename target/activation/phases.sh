# shellcheck shell=sh
# The phases of an activation, in their order. This is the only list of them: the supervisor, the model in
# __tests__/deploy/model and the kill tests read it.
phases='lock look expect root check arm activate verify confirm commit disarm report'
