#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kunit-modules.sh: run the KUnit suites as modules, with a scan for leaks after their
# unload. FILTER is a glob.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

prepare_tree
uml_guest ""
new_share
step "KUnit, modules" kunit_modules || true
finish
