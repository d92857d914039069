/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_UPSTREAM_TEST_H
#define _DRM_UPSTREAM_TEST_H

#include <kunit/test.h>

/*
 * Say what a reproducer found. scripts/upstream.sh reads the line. A test that ends without it
 * could not run, and is a failure.
 */
#define upstream_tell(_test, _fault, _there) \
	kunit_info(_test, "upstream: %s: %s\n", _fault, (_there) ? "there" : "fixed")

#endif /* _DRM_UPSTREAM_TEST_H */
