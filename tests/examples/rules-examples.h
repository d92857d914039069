/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in Documentation/rules.rst. */

#include "tests/misuse/foo.h"

struct foo_queue {
	struct foo_ring_owned ring;
};

void foo_hw_kick(const struct foo_reg *reg);
