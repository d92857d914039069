// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/compiler_attributes.h>

/* A function of libgcov */
void __gcov_dump(void);

/*
 * Since gcc 7 each file writes its counters from a destructor that has a
 * priority. UML's linker script leaves those out; this one has none.
 */
static void __used __attribute__((destructor)) drm_safe_gcov_dump(void)
{
	__gcov_dump();
}
