#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# igt.sh: run IGT's tests for all drivers, from Debian's package, on the sample driver and a
# UML debug kernel.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

prepare_tree
need_userspace
new_share
uml_guest
check_steps "the graphics tests (IGT) on the $GUEST kernel" uml igt
finish
