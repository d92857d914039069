#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# limits.sh: test limits of memory. A client's objects must be charged to the client's memory
# cgroup, and the limit of the cgroup must stop the client. Then load the module while each of its
# own allocations fails in turn.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

# guest KERNEL STEPS NAME: run STEPS on that UML kernel.
guest() {
	local GUEST=$1 UML_ARGS=(kunit.enable=0)

	uml_guest "$CLIENT"
	check_steps "$3" uml "$2"
}

prepare_tree
build_client
new_share
guest memcg memcg "a memory cgroup is charged with what a client makes, and bounds it"
guest modular loads "the module is loaded with allocations failing"
finish
