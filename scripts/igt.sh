#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# igt.sh: the tests that DRM's developers have for all drivers, as Debian packages
# them, on the sample driver and a UML kernel that looks for errors.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

prepare_tree
need_userspace
new_share
uml_guest
check_steps "the graphics tests (IGT) on the $GUEST kernel" uml igt
finish
