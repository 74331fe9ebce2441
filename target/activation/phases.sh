# shellcheck shell=sh
# The phases of an activation, in their order. This is the only list of them: the supervisor, the model in
# __tests__/deploy/model and the kill tests read it.
# A run goes through `activate`, or through `reboot`, after which it goes on in the new system.
phases='lock look expect root check arm activate reboot verify confirm commit disarm report'
